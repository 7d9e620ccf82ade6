//! The snapshot in force.
//!
//! One pointer, replaced as a whole. A request loads it once, at its beginning, and carries it to its end, so that
//! one revision decides the whole request. Loading takes no lock and never waits for a store.

use std::sync::Arc;

use arc_swap::ArcSwap;
use penstock_core::snapshot::Snapshot;
use tokio::sync::watch;

/// See the module.
#[derive(Debug, Default)]
pub struct Live {
    snapshot: ArcSwap<Snapshot>,
    /// How many snapshots came into force here.
    stored: watch::Sender<u64>,
}

impl Live {
    /// Begins with this snapshot in force.
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            stored: watch::Sender::default(),
        }
    }

    /// What is in force now. May be kept across awaits.
    pub fn load(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Requests that begin after this call see the new snapshot.
    pub fn store(&self, snapshot: Arc<Snapshot>) {
        self.snapshot.store(snapshot);
        self.stored.send_modify(|stored| *stored = stored.wrapping_add(1));
    }

    /// Changes with each snapshot that comes into force.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.stored.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penstock_core::id::Epoch;
    use penstock_core::snapshot::Update;

    #[test]
    fn a_request_keeps_the_snapshot_it_began_with() {
        let live = Live::default();
        let begun_with = live.load();
        let update = Update {
            epoch: Epoch::from_parts(1, &[1; 10]),
            full: true,
            from_revision: 0,
            to_revision: 3,
            upserts: Vec::new(),
            removals: Vec::new(),
        };
        let (next, _) = begun_with.apply(update).unwrap();
        live.store(Arc::new(next));
        assert_eq!((begun_with.revision(), live.load().revision()), (0, 3));
    }
}
