//! Delivering telemetry: one stream to the control plane, opened again and again for as long as the node runs.
//!
//! *Usage* goes in order, a bounded number of batches ahead of what is acknowledged; an acknowledgement covers all
//! records up to its number and lets the spool delete them. After a reconnect sending begins with the first record
//! that is not acknowledged. Nothing is held in memory but the batch being sent.
//!
//! *Providers' states* go when something changed them, and all of them when a stream opens.
//!
//! *Health* goes at the interval that the control plane asks for; *key upgrades* and *first uses* as they come, from
//! a bounded queue.
//!
//! *Shutdown.* Once told to finish, the uplink goes on until every record is acknowledged, then ends. Whoever told it
//! bounds how long that may take; what is left stays on disk for the next start.

mod failed_calls;
mod health;
mod session;
mod states;

use std::sync::Arc;
use std::time::Duration;

use penstock_core::backoff::Backoff;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reports::ReportQueue;
use crate::app::App;
use crate::clock;
use crate::link::Link;
use session::{Session, StreamEnd};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// See the module.
pub(crate) struct Uplink {
    app: Arc<App>,
    link: Arc<Link>,
    reports: ReportQueue,
    backoff: Backoff,
    said: Option<Instant>,
}

/// How the uplink is told to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finish {
    /// Deliver what is there, then end.
    pub(crate) flush: CancellationToken,
    /// End now.
    pub(crate) stop: CancellationToken,
}

impl Uplink {
    pub(crate) fn new(app: Arc<App>, link: Arc<Link>, reports: ReportQueue) -> Self {
        Self {
            app,
            link,
            reports,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
            said: None,
        }
    }

    /// Runs until it is told to finish and has.
    pub(crate) async fn run(mut self, finish: Finish) {
        let stop = finish.stop.clone();
        let delivering = async {
            loop {
                let (served, end) = self.stream(&finish.flush).await;
                if served {
                    self.backoff.reset();
                    self.said = None;
                }
                if matches!(end, StreamEnd::Done) {
                    return;
                }
                if served && matches!(end, StreamEnd::Gap | StreamEnd::Finished) {
                    continue;
                }
                self.say(&end);
                self.wait(&finish.flush).await;
            }
        };
        stop.run_until_cancelled(delivering).await;
    }

    /// One stream; true: it was of use.
    async fn stream(&mut self, flush: &CancellationToken) -> (bool, StreamEnd) {
        let app = Arc::clone(&self.app);
        let opened = tokio::select! {
            opened = Session::open(&app, &self.link) => opened,
            () = nothing_left(&app, flush) => Err(StreamEnd::Done),
        };
        match opened {
            Ok(mut session) => {
                let end = session.run(&mut self.reports, flush).await;
                (session.served(), end)
            }
            Err(end) => (false, end),
        }
    }

    /// Before the next try. Told to finish, the node tries at once, and then often.
    async fn wait(&mut self, flush: &CancellationToken) {
        let sleeping = tokio::time::sleep(self.backoff.next(clock::random()));
        if flush.is_cancelled() {
            sleeping.await;
        } else if flush.run_until_cancelled(sleeping).await.is_none() {
            self.backoff.reset();
        }
    }

    fn say(&mut self, end: &StreamEnd) {
        if self.said.is_some_and(|said| said.elapsed() < SAY_AGAIN) {
            return;
        }
        self.said = Some(Instant::now());
        let waiting = self.app.spool.status().records;
        tracing::warn!(
            control_plane = self.link.describe(),
            reason = %end,
            waiting,
            "usage cannot be delivered now; it waits on disk"
        );
    }
}

/// Resolves when the node is finishing and every record is acknowledged.
async fn nothing_left(app: &App, flush: &CancellationToken) {
    flush.cancelled().await;
    if app.spool.status().records > 0 || !app.failures.is_empty() {
        // Only a stream can change that.
        std::future::pending::<()>().await;
    }
}
