//! The snapshot in force.
//!
//! One pointer, replaced as a whole. A request loads it once, at its beginning, and carries it to its end, so that
//! one revision decides the whole request. Loading takes no lock and never waits for a store.

use std::sync::Arc;

use arc_swap::ArcSwap;
use penstock_core::snapshot::Snapshot;

/// See the module.
#[derive(Debug, Default)]
pub struct Live(ArcSwap<Snapshot>);

impl Live {
    /// Begins with this snapshot in force.
    pub fn new(snapshot: Snapshot) -> Self {
        Self(ArcSwap::from_pointee(snapshot))
    }

    /// What is in force now. May be kept across awaits.
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Requests that begin after this call see the new snapshot.
    pub fn store(&self, snapshot: Arc<Snapshot>) {
        self.0.store(snapshot);
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
