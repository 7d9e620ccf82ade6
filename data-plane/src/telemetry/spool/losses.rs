//! Records that could not be kept: counted each, said once a minute.

use std::time::Duration;

use tokio::time::Instant;

const QUIET: Duration = Duration::from_secs(60);

/// What was lost since the process began.
#[derive(Debug, Default)]
pub(super) struct Losses {
    total: u64,
    unsaid: u64,
    said_at: Option<Instant>,
}

/// To be said in the log, after the lock is released.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) struct Loss {
    records: u64,
    reason: String,
}

impl Losses {
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Counts one lost record. Some: it is time to say so.
    pub(super) fn count(&mut self, reason: impl Into<String>, now: Instant) -> Option<Loss> {
        self.total = self.total.saturating_add(1);
        self.unsaid = self.unsaid.saturating_add(1);
        if self.said_at.is_some_and(|at| now.duration_since(at) < QUIET) {
            return None;
        }
        self.said_at = Some(now);
        Some(Loss {
            records: std::mem::take(&mut self.unsaid),
            reason: reason.into(),
        })
    }
}

impl Loss {
    pub(super) fn say(&self) {
        tracing::error!(
            records = self.records,
            reason = self.reason,
            "usage records are being lost: bring the control plane back, give the spool more room \
             (--spool-max-bytes), or choose --spool-full shed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_loss_counts_and_one_a_minute_is_said() {
        let mut losses = Losses::default();
        assert_eq!(losses.count("full", Instant::now()).unwrap().records, 1);
        assert_eq!(losses.count("full", Instant::now()), None);
        tokio::time::advance(QUIET).await;
        assert_eq!(losses.count("full", Instant::now()).unwrap().records, 2);
        assert_eq!(losses.total(), 3);
    }
}
