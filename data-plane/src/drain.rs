//! Leaving without losing a request.
//!
//! A drain has three moments. *Begun*: readiness is off; after the drain delay the proxy stops accepting and asks its
//! connections to finish (`connection: close`, GOAWAY). Calls that are under way run on. *Done*: the last connection
//! has ended. *Cut*: the deadline has passed, and what still runs is dropped; its usage is recorded as interrupted.
//!
//! The proxy's server tracks each connection here, so that the process knows when the last one has gone.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// See the module. Copies share one drain.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    begun: CancellationToken,
    stop_accepting: CancellationToken,
    cut: CancellationToken,
    connections: TaskTracker,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every connection ended by itself.
    Whole,
    /// The deadline passed with this many connections left.
    Cut(usize),
}

impl Drain {
    /// Whether the node is on its way out; health says so.
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// For the proxy's server: when this is cancelled, no more connections are accepted and the present ones are
    /// asked to finish.
    pub fn stop_accepting(&self) -> &CancellationToken {
        &self.stop_accepting
    }

    /// For the proxy's server: when this is cancelled, connections are dropped as they are.
    pub fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// For the proxy's server: every connection runs as a task of this tracker.
    pub fn connections(&self) -> &TaskTracker {
        &self.connections
    }

    /// Runs the drain: readiness off, `delay`, stop accepting, up to `deadline` for what is under way, cut.
    pub async fn run(&self, delay: Duration, deadline: Duration) -> Drained {
        self.begun.cancel();
        tokio::time::sleep(delay).await;
        self.stop_accepting.cancel();
        self.connections.close();
        if tokio::time::timeout(deadline, self.connections.wait())
            .await
            .is_ok()
        {
            return Drained::Whole;
        }
        let left = self.connections.len();
        self.cut.cancel();
        self.connections.wait().await;
        Drained::Cut(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_secs(5);
    const DEADLINE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn g16_streams_under_way_run_to_their_end() {
        let drain = Drain::default();
        drain
            .connections()
            .spawn(tokio::time::sleep(Duration::from_secs(20)));
        assert_eq!(drain.run(DELAY, DEADLINE).await, Drained::Whole);
        assert!(!drain.cut().is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn g16_what_outlives_the_deadline_is_cut() {
        let drain = Drain::default();
        let cut = drain.cut().clone();
        drain.connections().spawn(async move { cut.cancelled().await });
        assert_eq!(drain.run(DELAY, DEADLINE).await, Drained::Cut(1));
    }

    #[tokio::test(start_paused = true)]
    async fn g16_readiness_goes_off_before_accepting_stops() {
        let drain = Drain::default();
        let watched = drain.clone();
        let draining = drain.run(DELAY, DEADLINE);
        let watching = async {
            tokio::time::sleep(DELAY / 2).await;
            (watched.has_begun(), watched.stop_accepting().is_cancelled())
        };
        assert_eq!(tokio::join!(draining, watching).1, (true, false));
    }
}
