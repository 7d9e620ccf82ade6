//! Keeping a config stream open, for as long as the node runs.
//!
//! *Reconnect.* With exponential backoff and full jitter, 100 ms to 15 s; at once when the control plane ended the
//! stream cleanly after it had served. A stream that is out of step is opened anew with an empty Hello, which is
//! answered by everything; after an update that would go back, with what is held.
//!
//! *Refused.* A node whose token is not accepted goes on trying, slowly: tokens are rotated, and the operator may
//! mend it at the other end. It serves on with what it holds.
//!
//! *Said.* An outage is one warning when it begins, one each minute while it lasts; each stream that opens is a line.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use penstock_core::backoff::Backoff;
use penstock_core::snapshot::UpdateError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::LastKnownGood;
use super::session::{Session, StreamEnd};
use crate::app::App;
use crate::clock;
use crate::link::Link;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// A stream that ends sooner is not reconnected at once, lest two ends keep each other busy.
const LASTING: Duration = Duration::from_secs(1);
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// See the module.
pub(crate) struct Follower {
    app: Arc<App>,
    link: Arc<Link>,
    file: Arc<Mutex<LastKnownGood>>,
    backoff: Backoff,
    /// Everything must be asked for anew.
    anew: bool,
    outage: Option<Instant>,
}

/// What to do after a stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    AtOnce,
    Wait,
    /// Trying again without a change is of little use.
    WaitLong,
}

impl Follower {
    pub(crate) fn new(app: Arc<App>, link: Arc<Link>, file: LastKnownGood) -> Self {
        Self {
            app,
            link,
            file: Arc::new(Mutex::new(file)),
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
            anew: false,
            outage: None,
        }
    }

    /// Follows until shutdown.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let wait = match self.stream(&shutdown).await {
                Next::AtOnce => Duration::ZERO,
                Next::Wait => self.backoff.next(clock::random()),
                Next::WaitLong => LONGEST_WAIT,
            };
            let waited = shutdown.run_until_cancelled(tokio::time::sleep(wait)).await;
            if waited.is_some() {
                self.app.metrics.control_plane_reconnect();
            }
        }
    }

    /// One stream from its opening to its end.
    async fn stream(&mut self, shutdown: &CancellationToken) -> Next {
        let (app, began) = (Arc::clone(&self.app), Instant::now());
        let opening = Session::open(&app, &self.link, Arc::clone(&self.file), self.anew);
        let (applied, end) = match shutdown.run_until_cancelled(opening).await {
            Some(Ok(mut session)) => {
                let end = session.run(shutdown).await;
                (session.applied, end)
            }
            Some(Err(end)) => (0, end),
            None => (0, StreamEnd::Shutdown),
        };
        app.sync.lost(clock::now());
        if applied > 0 {
            self.backoff.reset();
            self.anew = false;
            self.outage = None;
        }
        self.anew = asks_anew(&end, self.anew);
        let next = next(&end, applied > 0 && began.elapsed() >= LASTING);
        let expected =
            matches!(end, StreamEnd::Shutdown) || matches!(end, StreamEnd::Finished if applied > 0);
        if !expected {
            self.failed(&end, next);
        }
        next
    }

    fn failed(&mut self, end: &StreamEnd, next: Next) {
        if self.outage.is_some_and(|said| said.elapsed() < SAY_AGAIN) {
            return;
        }
        self.outage = Some(Instant::now());
        let (node, control_plane) = (&*self.app.node_id, self.link.describe());
        if next == Next::WaitLong {
            tracing::error!(
                node,
                control_plane,
                reason = %end,
                "the control plane does not accept this node: give it one of the control plane's node tokens \
                 (--node-token-file or PENSTOCK_NODE_TOKEN) or a client certificate that it trusts, and restart it"
            );
        } else if self.app.ready.is_set() {
            let revision = self.app.live.load().revision();
            tracing::warn!(node, control_plane, reason = %end, revision, "control plane lost; serving on and trying again");
        } else {
            tracing::warn!(
                node,
                control_plane,
                reason = %end,
                "control plane not reached; not ready until it is, for there is no last known good configuration here"
            );
        }
    }
}

fn next(end: &StreamEnd, served: bool) -> Next {
    match end {
        StreamEnd::Finished if served => Next::AtOnce,
        StreamEnd::Shutdown => Next::AtOnce,
        StreamEnd::Status(status) if refuses_us(status.code()) => Next::WaitLong,
        StreamEnd::Finished
        | StreamEnd::Status(_)
        | StreamEnd::Link(_)
        | StreamEnd::Silent
        | StreamEnd::OutOfStep(_)
        | StreamEnd::Unreadable(_)
        | StreamEnd::Task(_) => Next::Wait,
    }
}

/// Whether the next Hello is an empty one. After a step back it says what is held: only that shows the control plane
/// that it is behind, or that its store was restored.
fn asks_anew(end: &StreamEnd, before: bool) -> bool {
    match end {
        StreamEnd::OutOfStep(UpdateError::Regress { .. }) => false,
        StreamEnd::OutOfStep(UpdateError::Gap { .. } | UpdateError::Epoch { .. })
        | StreamEnd::Unreadable(_) => true,
        StreamEnd::Finished
        | StreamEnd::Shutdown
        | StreamEnd::Link(_)
        | StreamEnd::Silent
        | StreamEnd::Status(_)
        | StreamEnd::Task(_) => before,
    }
}

fn refuses_us(code: tonic::Code) -> bool {
    matches!(code, tonic::Code::Unauthenticated | tonic::Code::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Status;

    #[test]
    fn a_clean_end_after_service_means_reconnecting_at_once() {
        assert_eq!(next(&StreamEnd::Finished, true), Next::AtOnce);
        assert_eq!(next(&StreamEnd::Finished, false), Next::Wait);
    }

    #[test]
    fn after_a_step_back_the_node_says_what_it_holds_and_after_a_gap_that_it_holds_nothing() {
        let regress = StreamEnd::OutOfStep(UpdateError::Regress { to: 1, held: 2 });
        assert!(!asks_anew(&regress, true));
        let gap = StreamEnd::OutOfStep(UpdateError::Gap { from: 1, held: 2 });
        assert!(asks_anew(&gap, false));
        let lost = StreamEnd::Status(Status::unavailable("later"));
        assert!(asks_anew(&lost, true) && !asks_anew(&lost, false));
    }

    #[test]
    fn a_node_that_is_not_accepted_tries_slowly() {
        let refused = StreamEnd::Status(Status::unauthenticated("no"));
        assert_eq!(next(&refused, false), Next::WaitLong);
        assert_eq!(
            next(&StreamEnd::Status(Status::unavailable("later")), true),
            Next::Wait
        );
    }
}
