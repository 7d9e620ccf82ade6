//! Whose states are to be reported.
//!
//! Only who, not what: a report is the state as it is when it is sent, so nothing is queued, nothing is lost, and a node
//! that was cut off says in the end what it knows then.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use penstock_core::id::ProviderId;
use tokio::sync::Notify;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<BTreeSet<ProviderId>>,
    news: Notify,
}

impl Outbox {
    pub(crate) fn add(&self, providers: impl IntoIterator<Item = ProviderId>) {
        let some = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.extend(providers);
            !waiting.is_empty()
        };
        if some {
            self.news.notify_one();
        }
    }

    /// Resolves when somebody waits. For one waiter.
    pub(crate) async fn filled(&self) {
        loop {
            let news = self.news.notified();
            if !self.is_empty() {
                return;
            }
            news.await;
        }
    }

    /// All who wait. They wait no longer.
    pub(crate) fn take(&self) -> BTreeSet<ProviderId> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_empty(&self) -> bool {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }
}
