//! Records of failed calls on one stream: one batch under way, the next after its acknowledgement.

use penstock_proto::telemetry::v1 as wire;

use crate::app::App;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct FailedCalls {
    /// The next record to send.
    from: u64,
    /// The last of the batch that is under way.
    under_way: Option<u64>,
}

impl FailedCalls {
    /// Nothing is under way.
    pub(super) fn may_send(&self) -> bool {
        self.under_way.is_none()
    }

    /// Resolves when there is something to send.
    pub(super) async fn waiting(&self, app: &App) {
        while !app.failures.has(self.from) {
            app.failures.filled().await;
        }
    }

    /// The next batch, which is under way from now on.
    pub(super) fn next(&mut self, app: &App) -> Option<wire::FailureBatch> {
        let batch = app.failures.batch(self.from)?;
        let sent = u64::try_from(batch.failures.len()).unwrap_or(u64::MAX);
        self.from = batch.first_number.saturating_add(sent);
        self.under_way = self.from.checked_sub(1);
        Some(batch)
    }

    pub(super) fn acknowledge(&mut self, app: &App, ack: &wire::FailureAck) {
        // What was not sent on this stream stays, whatever is said of it.
        let sent = self.from.checked_sub(1);
        let Some(through) = sent.map(|sent| sent.min(ack.through_number)) else {
            return;
        };
        app.failures.acknowledge(through);
        if self.under_way.is_some_and(|last| last <= through) {
            self.under_way = None;
        }
    }
}
