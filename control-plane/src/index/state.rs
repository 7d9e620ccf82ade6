//! The resources at one revision, and the way to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_core::resource::{Kind, Resource, ResourceRef};
use penstock_core::snapshot::Counts;
use penstock_store::Head;

use super::change_log::ChangeLog;
use super::read::{ReadChanges, ReadLoaded, ReadResource};

/// What changed between two revisions: each resource once, as it is at the later one.
#[derive(Debug)]
pub struct Delta {
    pub to: Head,
    pub upserts: Vec<Arc<Resource>>,
    pub removals: Vec<ResourceRef>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct State {
    head: Head,
    resources: BTreeMap<ResourceRef, Arc<Resource>>,
    counts: Counts,
    log: ChangeLog,
    capacity: usize,
}

impl State {
    pub(super) fn empty(head: Head, capacity: usize) -> Self {
        Self {
            head,
            resources: BTreeMap::new(),
            counts: Counts::default(),
            log: ChangeLog::new(head.revision, capacity),
            capacity,
        }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn get(&self, reference: &ResourceRef) -> Option<&Arc<Resource>> {
        self.resources.get(reference)
    }

    /// By kind, then id.
    pub(super) fn resources(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.values()
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes over everything. What cannot be read keeps its last good version where that is allowed.
    pub(super) fn replace(&mut self, loaded: ReadLoaded) {
        let mut old = std::mem::take(&mut self.resources);
        self.counts = Counts::default();
        for read in loaded.resources {
            match read {
                ReadResource::Put(resource) => self.put(resource),
                ReadResource::Keep(reference) => {
                    if let Some(resource) = old.remove(&reference) {
                        self.put(resource);
                    }
                }
                ReadResource::Remove(_) => {}
            }
        }
        self.head = loaded.head;
        self.log = ChangeLog::new(loaded.head.revision, self.capacity);
    }

    /// Goes on to a later revision of the same epoch.
    pub(super) fn apply(&mut self, changes: ReadChanges) {
        for (revision, read) in changes.changed {
            match read {
                ReadResource::Put(resource) => {
                    self.log.record(revision, &resource.reference);
                    self.put(resource);
                }
                ReadResource::Remove(reference) => {
                    self.log.record(revision, &reference);
                    self.remove(&reference);
                }
                ReadResource::Keep(_) => {}
            }
        }
        self.head = changes.head;
    }

    pub(super) fn delta(&self, held: Head) -> Option<Delta> {
        if held.epoch != self.head.epoch || held.revision > self.head.revision {
            return None;
        }
        let mut delta = Delta {
            to: self.head,
            upserts: Vec::new(),
            removals: Vec::new(),
        };
        for reference in self.log.since(held.revision)? {
            match self.resources.get(reference) {
                Some(resource) => delta.upserts.push(Arc::clone(resource)),
                None => delta.removals.push(reference.clone()),
            }
        }
        Some(delta)
    }

    fn put(&mut self, resource: Arc<Resource>) {
        let kind = resource.reference.kind();
        if self
            .resources
            .insert(resource.reference.clone(), resource)
            .is_none()
            && let Some(count) = counted(&mut self.counts, kind)
        {
            *count += 1;
        }
    }

    fn remove(&mut self, reference: &ResourceRef) {
        if self.resources.remove(reference).is_some()
            && let Some(count) = counted(&mut self.counts, reference.kind())
        {
            *count = count.saturating_sub(1);
        }
    }
}

fn counted(counts: &mut Counts, kind: Kind) -> Option<&mut usize> {
    match kind {
        Kind::Provider => Some(&mut counts.providers),
        Kind::User => Some(&mut counts.users),
        Kind::Key => Some(&mut counts.keys),
        Kind::Price => Some(&mut counts.prices),
        Kind::Setting | Kind::ImportSuffix | Kind::ErrorRule | Kind::WordRule | Kind::RequestFilter => None,
    }
}
