//! Which resources changed last at which revision: what deltas are made of.
//!
//! Each resource stands in it once, at its last change, so a resource that is edited a thousand times costs one place.
//! When it is full the oldest revisions are forgotten, whole ones at a time, and the floor rises: deltas from below the
//! floor cannot be answered any more.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use penstock_core::resource::ResourceRef;

/// See the module.
#[derive(Debug)]
pub(super) struct ChangeLog {
    by_revision: BTreeMap<u64, BTreeSet<ResourceRef>>,
    last: HashMap<ResourceRef, u64>,
    floor: u64,
    capacity: usize,
}

impl ChangeLog {
    /// Knows nothing of what happened up to `floor`.
    pub(super) fn new(floor: u64, capacity: usize) -> Self {
        Self {
            by_revision: BTreeMap::new(),
            last: HashMap::new(),
            floor,
            capacity,
        }
    }

    pub(super) fn record(&mut self, revision: u64, reference: &ResourceRef) {
        if let Some(old) = self.last.insert(reference.clone(), revision) {
            self.forget_at(old, reference);
        }
        self.by_revision
            .entry(revision)
            .or_default()
            .insert(reference.clone());
        while self.last.len() > self.capacity {
            let Some((revision, references)) = self.by_revision.pop_first() else {
                break;
            };
            self.floor = self.floor.max(revision);
            for reference in &references {
                self.last.remove(reference);
            }
        }
    }

    /// What changed after `revision`, in the order of revisions. None: that is no longer known.
    pub(super) fn since(&self, revision: u64) -> Option<impl Iterator<Item = &ResourceRef>> {
        let known = revision >= self.floor;
        known.then(|| {
            self.by_revision
                .range(revision.saturating_add(1)..)
                .flat_map(|(_, references)| references)
        })
    }

    fn forget_at(&mut self, revision: u64, reference: &ResourceRef) {
        if let Some(references) = self.by_revision.get_mut(&revision) {
            references.remove(reference);
            if references.is_empty() {
                self.by_revision.remove(&revision);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(name: &str) -> ResourceRef {
        ResourceRef::Price(name.into())
    }

    fn since(log: &ChangeLog, revision: u64) -> Option<Vec<String>> {
        log.since(revision)
            .map(|references| references.map(ResourceRef::id).collect())
    }

    #[test]
    fn each_resource_stands_at_its_last_change() {
        let mut log = ChangeLog::new(10, 100);
        log.record(11, &price("a"));
        log.record(12, &price("b"));
        log.record(13, &price("a"));
        assert_eq!(since(&log, 10).unwrap(), ["b", "a"]);
        assert_eq!(since(&log, 12).unwrap(), ["a"]);
        assert_eq!(since(&log, 13).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn below_the_floor_it_does_not_answer() {
        let log = ChangeLog::new(10, 100);
        assert_eq!(since(&log, 9), None);
        assert!(since(&log, 10).is_some());
    }

    #[test]
    fn a_full_log_forgets_whole_revisions_and_raises_its_floor() {
        let mut log = ChangeLog::new(0, 2);
        log.record(1, &price("a"));
        log.record(1, &price("b"));
        log.record(2, &price("c"));
        assert_eq!(since(&log, 0), None);
        assert_eq!(since(&log, 1).unwrap(), ["c"]);
    }

    #[test]
    fn a_revision_larger_than_the_log_is_never_half_answered() {
        let mut log = ChangeLog::new(0, 2);
        for name in ["a", "b", "c", "d"] {
            log.record(1, &price(name));
        }
        assert_eq!(since(&log, 0), None);
    }
}
