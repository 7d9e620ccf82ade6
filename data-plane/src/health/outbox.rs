//! Whose states are to be reported.
//!
//! Only who, not what: a report is the state as it is when it is sent, so nothing is queued, nothing is lost, and a node
//! that was cut off says in the end what it knows then. News after a silence is told at once, what follows
//! together with all else of the next [`APART`].

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use penstock_core::id::ProviderId;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Between reports. The fleet is to know within a second.
const APART: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    inner: Mutex<Inner>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: BTreeSet<ProviderId>,
    taken_at: Option<Instant>,
}

impl Outbox {
    pub(crate) fn add(&self, providers: impl IntoIterator<Item = ProviderId>) {
        let some = {
            let waiting = &mut self.lock().waiting;
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
            let taken_at = {
                let inner = self.lock();
                (!inner.waiting.is_empty()).then_some(inner.taken_at)
            };
            match taken_at {
                Some(Some(at)) => return sleep_until(at + APART).await,
                Some(None) => return,
                None => news.await,
            }
        }
    }

    /// All who wait. They wait no longer.
    pub(crate) fn take(&self) -> BTreeSet<ProviderId> {
        let mut inner = self.lock();
        inner.taken_at = Some(Instant::now());
        std::mem::take(&mut inner.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
