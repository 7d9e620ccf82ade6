//! The newest configuration in memory, as data planes get it.
//!
//! ```text
//! store ──load, changes_since──▶ Index ──watch──▶ one stream per node
//! ```
//!
//! The index follows the store: it loads everything at start, then applies what changed on each notification, and asks
//! every second beneath that, so that a lost notification costs a second. Resources are shared ([`Arc`]): a stream that
//! sends a full state or a delta copies pointers, never resources.
//!
//! # Rules
//! * At any moment the index is exactly the store at one revision, its [`Index::head`]; readers see whole revisions.
//! * For any n that it can answer, the state at n with [`Index::delta`] applied is the state at the head. It can answer
//!   for revisions since its start whose changes are among the newest [`LOG_CAPACITY`]; for others the full state is
//!   the answer.
//! * A row that cannot be read, and a credential that cannot be unsealed, touch their own resource only: a user or key is
//!   left out (denied), a provider keeps its last good version or stays without a credential.
//! * When the store's revision falls, it was restored from a backup beneath us: a new epoch begins and all is loaded
//!   again. When its epoch changes, another replica noticed first: all is loaded again.
//!
//! While the store is away the index stays as it is, and data planes go on.

mod change_log;
mod follow;
mod read;
mod state;

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use penstock_core::resource::{Resource, ResourceRef};
use penstock_core::snapshot::Counts;
use penstock_store::{Changes, Head, Loaded, Store};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

pub(crate) use follow::begin_epoch;
pub use follow::follow;
pub use state::Delta;

use crate::credentials::Sealer;
use crate::metrics::Metrics;
use state::State;

/// As many of the newest changes are kept for deltas. A longer commit is answered with the full state.
pub const LOG_CAPACITY: usize = 10_000;

/// The configuration at one revision.
#[derive(Debug)]
pub struct Full {
    pub head: Head,
    /// By kind, then id.
    pub resources: Vec<Arc<Resource>>,
}

/// How the last contact with the store went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreContact {
    pub ok: bool,
    /// What went wrong; for operators.
    pub problem: Option<String>,
    /// When one last succeeded.
    pub at: Instant,
}

/// The index. See the module.
#[expect(missing_debug_implementations, reason = "holds the sealer")]
pub struct Index {
    state: RwLock<State>,
    head: watch::Sender<Head>,
    contact: watch::Sender<StoreContact>,
    /// Asks the follower to look now.
    look: Notify,
    full: Mutex<Weak<Full>>,
    sealer: Arc<Sealer>,
    metrics: Arc<Metrics>,
}

impl Index {
    /// Loads everything.
    pub async fn load(
        store: &dyn Store,
        sealer: Arc<Sealer>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, penstock_store::Error> {
        let loaded = store.load().await?;
        let head = loaded.head;
        let index = Self {
            state: RwLock::new(State::empty(head, LOG_CAPACITY)),
            head: watch::Sender::new(head),
            contact: watch::Sender::new(StoreContact {
                ok: true,
                problem: None,
                at: Instant::now(),
            }),
            look: Notify::new(),
            full: Mutex::new(Weak::new()),
            sealer,
            metrics,
        };
        index.replace(loaded);
        Ok(index)
    }

    /// The revision that the index is at.
    pub fn head(&self) -> Head {
        *self.head.borrow()
    }

    /// Changes with every revision, also when several came at once.
    pub fn watch(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// One resource, unsealed.
    pub fn get(&self, reference: &ResourceRef) -> Option<Arc<Resource>> {
        self.read(|state| state.get(reference).cloned())
    }

    pub fn counts(&self) -> Counts {
        self.read(State::counts)
    }

    /// Everything at the head. Streams that ask at the same revision share one list.
    pub fn full(&self) -> Arc<Full> {
        let mut cached = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        self.read(|state| match cached.upgrade() {
            Some(full) if full.head == state.head() => full,
            Some(_) | None => {
                let full = Arc::new(Full {
                    head: state.head(),
                    resources: state.resources().cloned().collect(),
                });
                *cached = Arc::downgrade(&full);
                full
            }
        })
    }

    /// What changed from `held` to the head. None: only the full state can answer.
    pub fn delta(&self, held: Head) -> Option<Delta> {
        self.read(|state| state.delta(held))
    }

    /// Waits until the index is at what the store was seen at, or beyond, at most for `patience`. False when it is not.
    pub async fn reaches(&self, seen: Head, patience: Duration) -> bool {
        self.look.notify_one();
        let mut head = self.head.subscribe();
        let reached = head.wait_for(|head| head.epoch == seen.epoch && head.revision >= seen.revision);
        matches!(tokio::time::timeout(patience, reached).await, Ok(Ok(_)))
    }

    /// How the last contact with the store went.
    pub fn contact(&self) -> StoreContact {
        self.contact.borrow().clone()
    }

    fn read<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        f(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, f: impl FnOnce(&mut State)) {
        let head = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            f(&mut state);
            state.head()
        };
        self.count(head);
        self.head.send_replace(head);
    }

    fn replace(&self, loaded: Loaded) {
        let read = read::loaded(loaded, &self.sealer, &self.metrics);
        self.write(|state| state.replace(read));
    }

    fn apply(&self, changes: Changes) {
        let read = read::changes(changes, &self.sealer, &self.metrics);
        self.write(|state| state.apply(read));
    }

    fn count(&self, head: Head) {
        let counts = self.counts();
        let set = |kind, count: usize| {
            let gauge = self
                .metrics
                .resources
                .get_or_create(&crate::metrics::KindLabels { kind });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        set("provider", counts.providers);
        set("user", counts.users);
        set("key", counts.keys);
        set("price", counts.prices);
        self.metrics
            .head_revision
            .set(i64::try_from(head.revision).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod follow_tests;
#[cfg(test)]
pub(crate) mod tests;
