//! What the records say, before they are sealed.
//!
//! A group is one state or one change: parts of an update, of which the last says so, then an end with what is refused.
//! A group counts only when its end is there. The base is a group whose update is full.
//!
//! Refusals are replayed as they arose: the resource in force first, then the refusal on top of it, which keeps the last
//! good version of a provider and denies a user or key.

use penstock_core::resource::{Resource, ResourceRef};
use penstock_core::snapshot::{Snapshot, Update, Upsert};
use penstock_core::time::UnixMs;
use penstock_proto::convert::{nack_from_wire, reference_to_wire, resource_to_wire};
use penstock_proto::sync::v1 as wire;
use prost::Message;
use zeroize::Zeroizing;

use crate::snapshot::applied::{self, Applied};
use crate::snapshot::collect::Collector;

/// Resources of one record, encoded, before it is closed.
const PART_BYTES: usize = 512 * 1024;

const PART: u8 = 1;
const END: u8 = 2;

/// The records cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Reads records back into a snapshot, group by group.
#[derive(Debug, Default)]
pub(super) struct Replay {
    snapshot: Snapshot,
    collector: Collector,
    whole: Option<Update>,
    saved_at: Option<UnixMs>,
}

/// Gives the records of a base, one after the other, to `write`.
pub(super) fn base<E>(
    snapshot: &Snapshot,
    saved_at: UnixMs,
    write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let update = empty_update(snapshot, true, 0);
    let refused = applied::ack(snapshot, &applied::refusals(snapshot));
    group(update, snapshot.resources(), &[], &refused, saved_at, write)
}

/// Gives the records of one change to `write`.
pub(super) fn change<E>(
    change: &Applied,
    touched: &[ResourceRef],
    saved_at: UnixMs,
    write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let snapshot = &change.snapshot;
    let update = empty_update(snapshot, false, change.from_revision);
    // What is in force now, which of a refused resource is its last good version.
    let resources = touched
        .iter()
        .filter_map(|reference| snapshot.resource(reference));
    group(update, resources, &change.removed, &change.ack(), saved_at, write)
}

fn empty_update(snapshot: &Snapshot, full: bool, from_revision: u64) -> wire::Update {
    wire::Update {
        epoch: applied::epoch_text(snapshot),
        full,
        from_revision,
        to_revision: snapshot.revision(),
        ..wire::Update::default()
    }
}

fn group<E>(
    head: wire::Update,
    resources: impl Iterator<Item = Resource>,
    removed: &[ResourceRef],
    refused: &wire::Ack,
    saved_at: UnixMs,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut part = wire::Update {
        upserts: Vec::new(),
        removals: removed.iter().map(reference_to_wire).collect(),
        ..head.clone()
    };
    let mut bytes = 0;
    for resource in resources {
        let resource = resource_to_wire(&resource);
        bytes += resource.encoded_len();
        part.upserts.push(resource);
        if bytes >= PART_BYTES {
            write(&record(PART, saved_at, &part))?;
            part.upserts.clear();
            part.removals.clear();
            bytes = 0;
        }
    }
    part.last = true;
    write(&record(PART, saved_at, &part))?;
    write(&record(END, saved_at, refused))
}

/// Kind, moment, message. Wiped after use, for it holds credentials.
fn record(kind: u8, saved_at: UnixMs, message: &impl Message) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(9 + message.encoded_len()));
    bytes.push(kind);
    bytes.extend(saved_at.0.to_le_bytes());
    let mut encoded = Zeroizing::new(message.encode_to_vec());
    bytes.append(&mut encoded);
    bytes
}

impl Replay {
    /// Takes one record; true: a group is whole.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<bool, Unreadable> {
        let (kind, rest) = bytes.split_first().ok_or(Unreadable)?;
        let (saved_at, message) = rest.split_first_chunk().ok_or(Unreadable)?;
        match (*kind, self.whole.take()) {
            (PART, None) => {
                let part = wire::Update::decode(message).map_err(|_| Unreadable)?;
                self.whole = self.collector.take(part).map_err(|_| Unreadable)?;
                Ok(false)
            }
            (END, Some(update)) => {
                let refused = wire::Ack::decode(message).map_err(|_| Unreadable)?;
                self.apply(update, refused)?;
                self.saved_at = Some(UnixMs(i64::from_le_bytes(*saved_at)));
                Ok(true)
            }
            (_, _) => Err(Unreadable),
        }
    }

    fn apply(&mut self, update: Update, refused: wire::Ack) -> Result<(), Unreadable> {
        let refusals = Update {
            epoch: update.epoch,
            full: false,
            from_revision: update.to_revision,
            to_revision: update.to_revision,
            upserts: refused
                .refused
                .into_iter()
                .map(|nack| nack_from_wire(nack).map(Upsert::Unreadable))
                .collect::<Result<_, _>>()
                .map_err(|_| Unreadable)?,
            removals: Vec::new(),
        };
        let (next, _) = self.snapshot.apply(update).map_err(|_| Unreadable)?;
        self.snapshot = next;
        if !refusals.upserts.is_empty() {
            let (next, _) = self.snapshot.apply(refusals).map_err(|_| Unreadable)?;
            self.snapshot = next;
        }
        Ok(())
    }

    /// What the whole groups make; None before the base was whole.
    pub(super) fn finish(self) -> Option<(Snapshot, UnixMs)> {
        let saved_at = self.saved_at?;
        Some((self.snapshot, saved_at))
    }
}
