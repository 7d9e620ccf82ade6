//! Which providers are well: what data planes report, merged, kept in the store, and told to all.
//!
//! ```text
//!  node ─report─▶ memory ─▶ this replica's nodes
//!                   │ ▲
//!                 save refresh
//!                   ▼ │
//!                  store ─NOTIFY─▶ other replicas' memory ─▶ their nodes
//! ```
//!
//! Merging gives the same whatever the order ([`penstock_core::health::state`]), so a report is in force on this replica's
//! nodes before it is written, and while the store is away nothing but the other replicas waits. What is not written yet is
//! written later: a row is replaced only as it was read, else read and merged again.
//!
//! What operators do goes to the store first and is in force once it is there.

mod act;
mod follow;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use penstock_core::health::State;
use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_store::FleetState;
use tokio::sync::{Notify, watch};

pub(crate) use act::{Act, act};
pub(crate) use follow::follow;

/// More than are ever configured.
const MAX_PROVIDERS: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct FleetStates {
    inner: Mutex<Inner>,
    changes: watch::Sender<u64>,
    /// Something is to be written.
    unsaved: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    providers: BTreeMap<ProviderId, Known>,
    changes: u64,
}

#[derive(Clone, Debug, Default)]
struct Known {
    state: Arc<State>,
    /// The number of its last change.
    change: u64,
    /// The version of its row. 0: there is none.
    row: u64,
    /// The row says the same.
    saved: bool,
    /// It was said that it cannot be saved.
    refused: bool,
}

impl FleetStates {
    /// A node says what it knows of a provider.
    pub(crate) fn report(&self, provider: ProviderId, told: &State, now: UnixMs) {
        let changed = self.change(provider, |known| {
            let changed = Arc::make_mut(&mut known.state).merge(told);
            if changed {
                Arc::make_mut(&mut known.state).fade(now);
                known.saved = false;
            }
            changed
        });
        if changed {
            self.unsaved.notify_one();
        }
    }

    /// What changed after the change of that number, and the number of the last one. 0: everything.
    pub(crate) fn since(&self, change: u64) -> (Vec<(ProviderId, Arc<State>)>, u64) {
        let inner = self.lock();
        let changed = inner.providers.iter().filter(|(_, known)| known.change > change);
        let changed = changed.map(|(provider, known)| (*provider, Arc::clone(&known.state)));
        (changed.collect(), inner.changes)
    }

    /// What is known of one provider.
    pub(crate) fn get(&self, provider: ProviderId) -> Arc<State> {
        let inner = self.lock();
        let known = inner.providers.get(&provider);
        known.map(|known| Arc::clone(&known.state)).unwrap_or_default()
    }

    /// Changes when something changes.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Versions of the rows that are known.
    fn rows(&self) -> BTreeMap<ProviderId, u64> {
        let inner = self.lock();
        inner
            .providers
            .iter()
            .map(|(provider, known)| (*provider, known.row))
            .collect()
    }

    /// What the store holds.
    fn stored(&self, row: &FleetState) {
        self.change(row.provider, |known| {
            let changed = Arc::make_mut(&mut known.state).merge(&row.state);
            known.row = row.version;
            known.saved = *known.state == row.state;
            changed
        });
    }

    /// What is to be written, with the number of its last change.
    fn to_save(&self) -> Vec<(FleetState, u64)> {
        let inner = self.lock();
        let unsaved = inner.providers.iter().filter(|(_, known)| !known.saved);
        let row = |(provider, known): (&ProviderId, &Known)| {
            let row = FleetState {
                provider: *provider,
                version: known.row,
                state: State::clone(&known.state),
            };
            (row, known.change)
        };
        unsaved.map(row).collect()
    }

    fn saved(&self, provider: ProviderId, version: u64, change: u64) {
        if let Some(known) = self.lock().providers.get_mut(&provider) {
            known.row = version;
            known.saved = known.change == change;
            known.refused = false;
        }
    }

    /// The store does not take it. True: that is news.
    fn refused(&self, provider: ProviderId) -> bool {
        let mut inner = self.lock();
        let known = inner.providers.get_mut(&provider);
        known.is_some_and(|known| !std::mem::replace(&mut known.refused, true))
    }

    fn forget(&self, provider: ProviderId) {
        self.lock().providers.remove(&provider);
    }

    fn change(&self, provider: ProviderId, change: impl FnOnce(&mut Known) -> bool) -> bool {
        let number = {
            let mut inner = self.lock();
            let full = inner.providers.len() >= MAX_PROVIDERS && !inner.providers.contains_key(&provider);
            let number = inner.changes.saturating_add(1);
            if full || !change(inner.providers.entry(provider).or_default()) {
                return false;
            }
            if let Some(known) = inner.providers.get_mut(&provider) {
                known.change = number;
            }
            inner.changes = number;
            number
        };
        self.changes.send_replace(number);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
