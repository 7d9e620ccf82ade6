//! What a node refused: not sent to it again until it changes.

use std::collections::BTreeMap;

use penstock_core::resource::ResourceRef;
use penstock_core::snapshot::Refusal;
use penstock_store::RefusedResource;

use crate::index::Delta;

/// A node that refuses more than this has a problem of its own; the rest is only counted and logged.
const MAX: usize = 1_000;

/// As much of a node's reason is kept, without control characters.
const MAX_REASON_CHARS: usize = 500;

/// The refused resources of one node, with the version refused.
#[derive(Debug, Default)]
pub(super) struct Quarantine(BTreeMap<ResourceRef, (u64, String)>);

impl Quarantine {
    pub(super) fn of(refusals: Vec<Refusal>) -> Self {
        let mut quarantine = Self::default();
        quarantine.add(refusals);
        quarantine
    }

    pub(super) fn add(&mut self, refusals: Vec<Refusal>) {
        for refusal in refusals {
            if self.0.len() >= MAX && !self.0.contains_key(&refusal.reference) {
                continue;
            }
            let reason = refusal
                .reason
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_REASON_CHARS)
                .collect();
            self.0.insert(refusal.reference, (refusal.version, reason));
        }
    }

    /// Leaves refused versions out of a delta.
    pub(super) fn filter(&self, delta: &mut Delta) {
        if !self.0.is_empty() {
            let refused = |reference: &ResourceRef| self.0.get(reference).map(|(version, _)| *version);
            delta
                .upserts
                .retain(|resource| refused(&resource.reference) != Some(resource.version));
        }
    }

    /// Of what a delta carries, that which is refused so far: no longer so once the delta is in force.
    pub(super) fn touched_by(&self, delta: &Delta) -> Vec<ResourceRef> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let upserts = delta.upserts.iter().map(|resource| &resource.reference);
        upserts
            .chain(&delta.removals)
            .filter(|reference| self.0.contains_key(*reference))
            .cloned()
            .collect()
    }

    pub(super) fn release(&mut self, references: &[ResourceRef]) {
        for reference in references {
            self.0.remove(reference);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// For the node registry.
    pub(super) fn list(&self) -> Vec<RefusedResource> {
        let entry = |(resource, (version, reason)): (&ResourceRef, &(u64, String))| RefusedResource {
            resource: resource.clone(),
            version: *version,
            reason: reason.clone(),
        };
        self.0.iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::id::Epoch;
    use penstock_store::Head;

    use super::*;
    use crate::index::tests::user;

    fn delta(versions: &[(u64, u64)]) -> Delta {
        Delta {
            to: Head {
                epoch: Epoch::from_parts(1, &[1; 10]),
                revision: 1,
            },
            upserts: versions
                .iter()
                .map(|(id, version)| user(*id, *version, ""))
                .collect(),
            removals: Vec::new(),
        }
    }

    fn refusal(id: u64, version: u64) -> Refusal {
        Refusal::new(&user(id, version, ""), "no".to_owned())
    }

    #[test]
    fn g02_a_refused_version_is_left_out_and_its_successor_is_not() {
        let quarantine = Quarantine::of(vec![refusal(1, 4), refusal(2, 4)]);
        let mut sent = delta(&[(1, 4), (2, 5), (3, 4)]);
        quarantine.filter(&mut sent);
        assert_eq!(sent.upserts.iter().map(|r| r.version).collect::<Vec<_>>(), [5, 4]);
    }

    #[test]
    fn a_resource_that_changed_is_released_and_others_stay() {
        let mut quarantine = Quarantine::of(vec![refusal(1, 4), refusal(2, 4)]);
        let mut sent = delta(&[(2, 5)]);
        sent.removals.push(user(9, 1, "").reference.clone());
        let touched = quarantine.touched_by(&sent);
        quarantine.release(&touched);
        assert_eq!(
            quarantine.list().iter().map(|r| &r.resource).collect::<Vec<_>>(),
            [&user(1, 1, "").reference]
        );
    }

    #[test]
    fn a_node_that_refuses_everything_costs_a_bounded_amount() {
        let many = (0..2_000)
            .map(|id| Refusal {
                reason: "x".repeat(10_000),
                ..refusal(id, 1)
            })
            .collect();
        let quarantine = Quarantine::of(many);
        assert_eq!(quarantine.list().len(), MAX);
        assert!(
            quarantine
                .list()
                .iter()
                .all(|refused| refused.reason.len() == MAX_REASON_CHARS)
        );
    }
}
