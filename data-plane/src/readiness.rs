//! The readiness latch: whether this node has had something to serve with.
//!
//! It closes once, when the first snapshot is in force (from the control plane or from the last known good file), and
//! never reopens: a control plane that goes away later is no reason to take a node out of service, since it is not on
//! the request path. Draining is another matter and is asked of [`crate::drain::Drain`].

use tokio::sync::watch;

/// See the module. Copies share one latch.
#[derive(Clone, Debug)]
pub struct Ready(watch::Sender<bool>);

impl Ready {
    /// Closes the latch. Doing it again changes nothing.
    pub fn set(&self) {
        self.0.send_if_modified(|ready| !std::mem::replace(ready, true));
    }

    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves once the latch is closed.
    pub async fn wait(&self) {
        let mut watching = self.0.subscribe();
        // Cannot fail: the sender lives as long as `self`.
        drop(watching.wait_for(|ready| *ready).await);
    }
}

impl Default for Ready {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_latch_closes_once_and_wakes_all_that_wait() {
        let ready = Ready::default();
        assert!(!ready.is_set());
        let (first, second) = (ready.clone(), ready.clone());
        let waiting = async { tokio::join!(first.wait(), second.wait()) };
        let closing = async { ready.set() };
        tokio::join!(waiting, closing);
        ready.set();
        assert!(ready.is_set());
        ready.wait().await;
    }
}
