//! How much of a call's time was ours.
//!
//! The overhead that users see is the call's time without the waits: for the caller's body, for the provider, for a
//! slow reader. A stream's overhead ends where its answer begins; what relaying costs later shows in CPU time.

use std::net::IpAddr;
use std::time::Duration;

use penstock_core::id::RequestId;
use penstock_core::time::UnixMs;
use tokio::time::Instant;

use crate::clock;

/// When, as what and from where a request arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) id: RequestId,
    pub(super) at: UnixMs,
    pub(super) instant: Instant,
    /// The caller's; the peer's until the request's head was read. None: unknown.
    pub(super) address: Option<IpAddr>,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    began: Instant,
    waited: Duration,
    /// When the last wait was over.
    waited_until: Instant,
    /// The time that was ours, once the answer has begun.
    overhead: Option<Duration>,
}

impl Arrival {
    /// Now, over a connection of this peer.
    pub(super) fn from(peer: IpAddr) -> Self {
        Self {
            id: clock::request_id(),
            at: clock::now(),
            instant: Instant::now(),
            address: Some(peer.to_canonical()),
        }
    }
}

impl Stopwatch {
    pub(super) fn new(arrival: &Arrival) -> Self {
        Self {
            began: arrival.instant,
            waited: Duration::ZERO,
            waited_until: arrival.instant,
            overhead: None,
        }
    }

    /// Runs something whose time is not ours.
    pub(super) async fn waiting<F: Future>(&mut self, wait: F) -> F::Output {
        let from = Instant::now();
        let output = wait.await;
        self.waited_until = Instant::now();
        self.waited += self.waited_until - from;
        output
    }

    /// From the call's beginning to the end of its last wait.
    pub(super) fn last_wait(&self) -> Duration {
        self.waited_until - self.began
    }

    /// The answer begins now.
    pub(super) fn stop(&mut self) {
        self.overhead = Some(self.began.elapsed().saturating_sub(self.waited));
    }

    /// None until the answer has begun.
    pub(super) fn overhead(&self) -> Option<Duration> {
        self.overhead
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, sleep};

    #[tokio::test(start_paused = true)]
    async fn waiting_for_others_is_not_overhead() {
        let mut stopwatch = Stopwatch::new(&Arrival::from([127, 0, 0, 1].into()));
        advance(Duration::from_millis(2)).await;
        stopwatch.waiting(sleep(Duration::from_secs(5))).await;
        assert_eq!(stopwatch.overhead(), None);
        assert_eq!(stopwatch.last_wait(), Duration::from_millis(5_002));
        stopwatch.stop();
        advance(Duration::from_secs(60)).await;
        assert_eq!(stopwatch.overhead(), Some(Duration::from_millis(2)));
        assert_eq!(stopwatch.elapsed(), Duration::from_millis(65_002));
    }
}
