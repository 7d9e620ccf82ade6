//! What a backup changes: the operations that make the configuration that of the backup.
//!
//! What is there and not in the backup is deleted; what is the same is left alone, so restoring twice changes nothing the
//! second time. Every operation expects the version that the plan was made from: a change in between refuses the whole
//! commit. The order keeps names free and owners before what they own; where two resources swap names, the one in the
//! way gets another name in between.
//!
//! What is more than one commit holds is several, in the same order, if all behind the first one only add: so nothing that
//! is there is changed by halves. It is how a large backup comes back into a new installation. If it breaks off in between,
//! the next restore adds what is missing.

mod names;
mod put;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::invalid::Invalid;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_store::{Expect, Loaded, MAX_OPS, Op, Stored};

use super::resource::Item;
use super::section;
use crate::credentials::Sealer;

/// What becomes of one section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) unchanged: u64,
}

/// By the name of the section.
pub(crate) type Tallies = BTreeMap<&'static str, Tally>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) ops: Vec<Op>,
    pub(super) tallies: Tallies,
}

/// What there is now.
struct Present {
    readable: BTreeMap<ResourceRef, Stored>,
    /// Rows that this release cannot read: written over, or deleted.
    unreadable: BTreeSet<ResourceRef>,
}

pub(super) fn make(loaded: Loaded, mut items: Vec<Item>, sealer: &Sealer) -> Result<Plan, Invalid> {
    let present = Present {
        readable: loaded
            .resources
            .into_iter()
            .map(|row| (row.reference.clone(), row))
            .collect(),
        unreadable: loaded.unreadable.into_iter().map(|row| row.reference).collect(),
    };
    items.sort_by_key(|item| place(item.reference.kind()));
    let mut plan = Plan::default();
    let (suffixes, others): (Vec<_>, Vec<_>) = present
        .gone(&items)
        .into_iter()
        .partition(|(reference, _)| reference.kind() == Kind::ImportSuffix);
    plan.delete(others);
    let moved = names::make_way(&mut plan.ops, &items, &present);
    for item in items {
        plan.put(item, &present, &moved, sealer)?;
    }
    // The keys that needed them are gone by now, or need another one.
    plan.delete(suffixes);
    let mut later = plan.ops.iter().skip(MAX_OPS);
    if !later.all(only_adds) {
        let problem = format!(
            "would be {} changes, and one commit holds {MAX_OPS}: restore it into a new installation, where all is added",
            plan.ops.len()
        );
        return Err(Invalid::new("the restore", problem));
    }
    Ok(plan)
}

/// Or says what a model costs, of which a new installation has a list already.
fn only_adds(op: &Op) -> bool {
    match op {
        Op::Put(put) => put.expect == Expect::Absent || put.reference.kind() == Kind::Price,
        Op::Delete { .. } => false,
    }
}

impl Present {
    /// Keys before their users.
    fn gone(&self, items: &[Item]) -> Vec<(ResourceRef, Expect)> {
        let wanted: BTreeSet<&ResourceRef> = items.iter().map(|item| &item.reference).collect();
        let readable = self.readable.values();
        let readable = readable.map(|row| (&row.reference, Expect::Version(row.version)));
        let unreadable = self.unreadable.iter().map(|row| (row, Expect::Any));
        let mut gone: Vec<(ResourceRef, Expect)> = readable
            .chain(unreadable)
            .filter(|(reference, _)| !wanted.contains(reference))
            .map(|(reference, expect)| (reference.clone(), expect))
            .collect();
        gone.sort_by_key(|(reference, _)| (reference.kind() != Kind::Key, place(reference.kind())));
        gone
    }
}

impl Plan {
    /// At least one.
    pub(super) fn commits(self) -> Vec<Vec<Op>> {
        let mut ops = self.ops.into_iter();
        let mut commits = Vec::new();
        loop {
            commits.push(ops.by_ref().take(MAX_OPS).collect());
            if ops.len() == 0 {
                return commits;
            }
        }
    }

    fn delete(&mut self, gone: Vec<(ResourceRef, Expect)>) {
        for (reference, expect) in gone {
            self.tally(reference.kind()).deleted += 1;
            self.ops.push(Op::delete(reference, expect));
        }
    }

    fn put(
        &mut self,
        item: Item,
        present: &Present,
        moved: &BTreeSet<ResourceRef>,
        sealer: &Sealer,
    ) -> Result<(), Invalid> {
        let kind = item.reference.kind();
        let now = present.readable.get(&item.reference);
        let damaged = present.unreadable.contains(&item.reference);
        let expect = match now {
            _ if damaged || moved.contains(&item.reference) => Expect::Any,
            Some(now) => Expect::Version(now.version),
            None => Expect::Absent,
        };
        let put = put::over(item, now, expect, sealer)?;
        let tally = self.tally(kind);
        tally.rows += 1;
        match (&put, now.is_some() || damaged) {
            (None, _) => tally.unchanged += 1,
            (Some(_), false) => tally.created += 1,
            (Some(_), true) => tally.updated += 1,
        }
        self.ops.extend(put.map(Op::from));
        Ok(())
    }

    fn tally(&mut self, kind: Kind) -> &mut Tally {
        self.tallies.entry(section::name_of(kind)).or_default()
    }
}

fn place(kind: Kind) -> usize {
    let found = section::CONFIGURATION.iter().position(|(of, _)| *of == kind);
    found.unwrap_or_default()
}
