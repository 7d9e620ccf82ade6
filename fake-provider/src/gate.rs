//! A gate that a test opens: the way to act "in the middle of a request" without sleeping.
//!
//! Clones are the same gate. Once open it stays open, so a late arrival passes at once.

use tokio_util::sync::CancellationToken;

/// Holds requests, or streams, until [`Gate::open`] is called.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    opened: CancellationToken,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everything through that waits now or comes later.
    pub fn open(&self) {
        self.opened.cancel();
    }

    /// Ends when the gate is open.
    pub(crate) async fn passed(self) {
        self.opened.cancelled().await;
    }
}
