//! One update, applied: what is in force afterwards and what the control plane must be told.

use std::sync::Arc;

use penstock_core::resource::ResourceRef;
use penstock_core::snapshot::{Refusal, Snapshot, Update, UpdateError, Upsert};
use penstock_proto::convert::nack_to_wire;
use penstock_proto::sync::v1::Ack;

/// See the module.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) refused: Vec<Refusal>,
    /// What the update named; None: everything.
    pub(crate) touched: Option<Vec<ResourceRef>>,
    pub(crate) removed: Vec<ResourceRef>,
    /// Of a delta.
    pub(crate) from_revision: u64,
}

impl Applied {
    /// Makes the next snapshot. Takes as long as the update is large.
    pub(crate) fn new(held: &Snapshot, update: Update) -> Result<Self, UpdateError> {
        let touched = (!update.full).then(|| update.upserts.iter().map(reference).cloned().collect());
        let removed = match update.full {
            true => Vec::new(),
            false => update.removals.clone(),
        };
        let from_revision = update.from_revision;
        let (snapshot, refused) = held.apply(update)?;
        Ok(Self {
            snapshot: Arc::new(snapshot),
            refused,
            touched,
            removed,
            from_revision,
        })
    }

    pub(crate) fn ack(&self) -> Ack {
        ack(&self.snapshot, &self.refused)
    }
}

/// Says what is in force and what is not.
pub(super) fn ack(snapshot: &Snapshot, refused: &[Refusal]) -> Ack {
    Ack {
        epoch: epoch_text(snapshot),
        revision: snapshot.revision(),
        refused: refused.iter().map(nack_to_wire).collect(),
    }
}

/// Empty when nothing was ever applied.
pub(super) fn epoch_text(snapshot: &Snapshot) -> String {
    snapshot
        .epoch()
        .map(|epoch| epoch.to_string())
        .unwrap_or_default()
}

/// All that is refused now.
pub(super) fn refusals(snapshot: &Snapshot) -> Vec<Refusal> {
    let one = |(reference, refused): (&ResourceRef, &penstock_core::snapshot::RefusedVersion)| Refusal {
        reference: reference.clone(),
        version: refused.version,
        reason: refused.reason.clone(),
    };
    snapshot.refused().map(one).collect()
}

fn reference(upsert: &Upsert) -> &ResourceRef {
    match upsert {
        Upsert::Resource(resource) => &resource.reference,
        Upsert::Unreadable(refusal) => &refusal.reference,
    }
}
