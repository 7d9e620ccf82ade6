//! Parts of an update on their way to being one.
//!
//! Parts of one update arrive in order, and nothing of another update lies between them. Each is read as it comes, so
//! that a large update costs its memory once. A part that contradicts those before it, or cannot be named, means that
//! the two ends are out of step.

use penstock_core::id::Epoch;
use penstock_core::snapshot::Update;
use penstock_proto::convert::{reference_from_wire, upsert_from_wire};
use penstock_proto::sync::v1 as wire;

/// More resources than this in one update are not collected.
const MAX_RESOURCES: usize = 20_000_000;

/// The two ends are out of step; the stream must begin anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the control plane sent an update that cannot be read: {0}")]
pub(crate) struct BadPart(String);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Collector(Option<Update>);

impl Collector {
    /// Takes one part; gives the update back when it is whole.
    pub(crate) fn take(&mut self, part: wire::Update) -> Result<Option<Update>, BadPart> {
        let last = part.last;
        let head = head(&part)?;
        let mut update = match self.0.take() {
            None => head,
            Some(update) if same(&update, &head) => update,
            Some(_) => return Err(BadPart("its parts do not belong together".to_owned())),
        };
        for resource in part.upserts {
            let upsert = upsert_from_wire(resource).map_err(|e| BadPart(e.to_string()))?;
            update.upserts.push(upsert);
        }
        for reference in &part.removals {
            let reference = reference_from_wire(reference).map_err(|e| BadPart(e.to_string()))?;
            update.removals.push(reference);
        }
        if update.upserts.len().saturating_add(update.removals.len()) > MAX_RESOURCES {
            return Err(BadPart(format!("it has more than {MAX_RESOURCES} resources")));
        }
        if last {
            return Ok(Some(update));
        }
        self.0 = Some(update);
        Ok(None)
    }
}

fn head(part: &wire::Update) -> Result<Update, BadPart> {
    let epoch: Epoch = part
        .epoch
        .parse()
        .map_err(|_| BadPart("its epoch is not an id".to_owned()))?;
    Ok(Update {
        epoch,
        full: part.full,
        from_revision: part.from_revision,
        to_revision: part.to_revision,
        upserts: Vec::new(),
        removals: Vec::new(),
    })
}

fn same(a: &Update, b: &Update) -> bool {
    (a.epoch, a.full, a.from_revision, a.to_revision) == (b.epoch, b.full, b.from_revision, b.to_revision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use penstock_core::resource::ResourceRef;
    use penstock_proto::convert::reference_to_wire;

    fn part(to_revision: u64, last: bool) -> wire::Update {
        let gone = ResourceRef::Price(format!("p{to_revision}").into());
        wire::Update {
            epoch: Epoch::from_parts(1, &[1; 10]).to_string(),
            full: false,
            from_revision: 1,
            to_revision,
            last,
            upserts: Vec::new(),
            removals: vec![reference_to_wire(&gone)],
        }
    }

    #[test]
    fn an_update_is_whole_when_its_last_part_has_come() {
        let mut collector = Collector::default();
        assert!(collector.take(part(3, false)).unwrap().is_none());
        let update = collector.take(part(3, true)).unwrap().unwrap();
        assert_eq!((update.to_revision, update.removals.len()), (3, 2));
    }

    #[test]
    fn parts_of_two_updates_are_not_mixed() {
        let mut collector = Collector::default();
        collector.take(part(3, false)).unwrap();
        assert!(collector.take(part(4, true)).is_err());
    }

    #[test]
    fn what_cannot_be_named_is_an_error_of_the_stream() {
        let nameless = wire::Update {
            epoch: "x".to_owned(),
            ..part(3, true)
        };
        assert!(Collector::default().take(nameless).is_err());
        let mut nothing = part(3, true);
        nothing.upserts.push(Default::default());
        assert!(Collector::default().take(nothing).is_err());
    }
}
