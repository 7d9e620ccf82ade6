//! Cuts an update into parts of under 1 MiB, made one at a time as they are sent.
//!
//! A kind of resource that the node's schema does not know is left out: an older node cannot even name it, so that it
//! could not refuse it either.

use std::sync::Arc;

use penstock_core::resource::{Resource, ResourceRef};
use penstock_proto::config::v1 as config;
use penstock_proto::convert::{reference_to_wire, resource_to_wire};
use penstock_proto::sync::v1::Update;
use penstock_store::Head;
use prost::Message;

use crate::index::{Delta, Full};

/// The specification says under 1 MiB; this leaves room for the frame around the resources.
const PART_BYTES: usize = 960 * 1024;

/// Field tag and length in front of each resource or reference.
const OVERHEAD: usize = 8;

/// The parts of one update, in order. There is always at least one; the last says so.
pub(super) struct Parts {
    frame: Frame,
    /// The node's.
    schema: u32,
    upserts: Upserts,
    removals: std::vec::IntoIter<ResourceRef>,
    /// Made, but too large for the part before.
    pending: Option<Item>,
    finished: bool,
}

struct Frame {
    epoch: String,
    full: bool,
    from_revision: u64,
    to_revision: u64,
}

enum Upserts {
    Full(Arc<Full>, usize),
    Delta(std::vec::IntoIter<Arc<Resource>>),
}

#[expect(clippy::large_enum_variant, reason = "short-lived, one at a time")]
enum Item {
    Upsert(config::Resource),
    Removal(config::ResourceRef),
}

impl Parts {
    pub(super) fn full(full: Arc<Full>, schema: u32) -> Self {
        let frame = Frame::new(full.head, true, 0);
        Self::new(frame, schema, Upserts::Full(full, 0), Vec::new())
    }

    pub(super) fn delta(from_revision: u64, delta: Delta, schema: u32) -> Self {
        let frame = Frame::new(delta.to, false, from_revision);
        let upserts = Upserts::Delta(delta.upserts.into_iter());
        Self::new(frame, schema, upserts, delta.removals)
    }

    fn new(frame: Frame, schema: u32, upserts: Upserts, removals: Vec<ResourceRef>) -> Self {
        Self {
            frame,
            schema,
            upserts,
            removals: removals.into_iter(),
            pending: None,
            finished: false,
        }
    }

    fn next_item(&mut self) -> Option<Item> {
        if let Some(item) = self.pending.take() {
            return Some(item);
        }
        let schema = self.schema;
        let known = |reference: &ResourceRef| reference.kind().schema() <= schema;
        while let Some(resource) = self.upserts.next() {
            if known(&resource.reference) {
                return Some(Item::Upsert(resource_to_wire(&resource)));
            }
        }
        self.removals
            .find(known)
            .map(|reference| Item::Removal(reference_to_wire(&reference)))
    }
}

impl Iterator for Parts {
    type Item = Update;

    fn next(&mut self) -> Option<Update> {
        if self.finished {
            return None;
        }
        let mut part = self.frame.part();
        let mut size = 0;
        while let Some(item) = self.next_item() {
            size += item.size();
            let empty = part.upserts.is_empty() && part.removals.is_empty();
            if size > PART_BYTES && !empty {
                self.pending = Some(item);
                return Some(part);
            }
            match item {
                Item::Upsert(resource) => part.upserts.push(resource),
                Item::Removal(reference) => part.removals.push(reference),
            }
        }
        self.finished = true;
        part.last = true;
        Some(part)
    }
}

impl Frame {
    fn new(to: Head, full: bool, from_revision: u64) -> Self {
        Self {
            epoch: to.epoch.to_string(),
            full,
            from_revision,
            to_revision: to.revision,
        }
    }

    fn part(&self) -> Update {
        Update {
            epoch: self.epoch.clone(),
            full: self.full,
            from_revision: self.from_revision,
            to_revision: self.to_revision,
            last: false,
            upserts: Vec::new(),
            removals: Vec::new(),
        }
    }
}

impl Item {
    fn size(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Upsert(resource) => resource.encoded_len(),
                Self::Removal(reference) => reference.encoded_len(),
            }
    }
}

impl Upserts {
    fn next(&mut self) -> Option<Arc<Resource>> {
        match self {
            Self::Full(full, position) => {
                let resource = full.resources.get(*position).cloned();
                *position += 1;
                resource
            }
            Self::Delta(resources) => resources.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::id::Epoch;

    use super::*;
    use crate::index::tests::user;

    fn head() -> Head {
        Head {
            epoch: Epoch::from_parts(1, &[1; 10]),
            revision: 9,
        }
    }

    fn full(users: u64, tag_bytes: usize) -> Parts {
        let resources = (0..users).map(|i| user(i, 1, &"x".repeat(tag_bytes))).collect();
        let full = Full {
            head: head(),
            resources,
        };
        Parts::full(Arc::new(full), 1)
    }

    #[test]
    fn every_part_is_under_one_mebibyte_and_nothing_is_lost_or_reordered() {
        let parts: Vec<_> = full(5_000, 1_000).collect();
        assert!(parts.len() > 4, "{}", parts.len());
        assert!(parts.iter().all(|part| part.encoded_len() < 1024 * 1024));
        let ids: Vec<_> = parts
            .iter()
            .flat_map(|part| &part.upserts)
            .map(|resource| &resource.id)
            .collect();
        assert_eq!(ids.len(), 5_000);
        assert!(ids.is_sorted());
    }

    #[test]
    fn exactly_the_last_part_says_so() {
        let parts: Vec<_> = full(3_000, 1_000).collect();
        let last: Vec<_> = parts.iter().map(|part| part.last).collect();
        let expected: Vec<_> = (1..=parts.len()).map(|n| n == parts.len()).collect();
        assert_eq!(last, expected);
    }

    #[test]
    fn an_empty_update_is_one_empty_part() {
        let parts: Vec<_> = full(0, 0).collect();
        assert_eq!(parts.len(), 1);
        assert!(parts[0].last && parts[0].full && parts[0].to_revision == 9);
    }

    #[test]
    fn a_resource_too_large_for_a_part_has_one_for_itself() {
        let parts: Vec<_> = full(2, 2 * PART_BYTES).collect();
        assert_eq!(
            parts.iter().map(|part| part.upserts.len()).collect::<Vec<_>>(),
            [1, 1]
        );
    }

    #[test]
    fn g02_a_node_gets_no_kind_that_its_release_does_not_know() {
        let rule = |name: &str| ResourceRef::ErrorRule(name.into());
        let sent = |schema| {
            let delta = Delta {
                to: head(),
                upserts: vec![user(1, 2, "x")],
                removals: vec![rule("a"), ResourceRef::Price("m".into()), rule("b")],
            };
            let parts: Vec<_> = Parts::delta(7, delta, schema).collect();
            (parts.len(), parts[0].upserts.len(), parts[0].removals.len())
        };
        assert_eq!((sent(2), sent(3)), ((1, 1, 1), (1, 1, 3)));
    }

    #[test]
    fn a_delta_names_where_it_starts_and_what_is_gone() {
        let removals = (0..50_000)
            .map(|i| ResourceRef::Price(format!("model-{i:0>40}").into()))
            .collect();
        let delta = Delta {
            to: head(),
            upserts: vec![user(1, 2, "x")],
            removals,
        };
        let parts: Vec<_> = Parts::delta(7, delta, 1).collect();
        assert!(parts.len() > 1);
        assert!(
            parts
                .iter()
                .all(|part| part.from_revision == 7 && !part.full && part.encoded_len() < 1024 * 1024)
        );
        assert_eq!(
            parts.iter().map(|part| part.removals.len()).sum::<usize>(),
            50_000
        );
    }
}
