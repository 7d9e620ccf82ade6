//! What one provider wants changed in a body: the model's name, members at the top.
//!
//! An operator's override of a member comes before what the provider's kind wants of it.
//!
//! Everything is a splice of the caller's bytes, so what is not named stays as it came, spaces and order and all. The
//! name of the model stands where inspection found it; for members the top of the body is walked once more, and only
//! when there are any. A member that stands twice (only such that Penstock does not act on can) is changed at both
//! places, so that it does not matter which one the provider reads.

use std::ops::Range;

use bytes::Bytes;
use penstock_core::provider::Override;

use super::{Edited, usage_splice};
use crate::inspect::Inspected;
use crate::json::Members;

/// The changes of one attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edits<'a> {
    /// In place of the model that was asked for.
    pub model: Option<&'a str>,
    /// Members at the top to be set or removed; the model, `stream` and `stream_options` are not among them.
    pub overrides: &'a [Override],
    /// The same, as the provider's kind wants it ([`crate::provider_body::members`]).
    pub of_kind: &'a [Override],
    /// Inside of messages, as the provider's kind wants it.
    pub in_messages: &'a [Splice],
    /// As [`include_usage`](super::include_usage) does.
    pub include_usage: bool,
}

/// One piece of the body and what comes instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    pub(crate) at: Range<usize>,
    pub(crate) text: Bytes,
}

/// A member at the top of the body.
pub(super) struct Place {
    /// From its key to the end of its value.
    pub(super) at: Range<usize>,
    pub(super) value: Range<usize>,
    /// Index of its override.
    pub(super) edit: Option<usize>,
}

/// The body with these changes. None when nothing changes. `inspected` is what this body asks.
pub fn rewrite(body: &Bytes, inspected: &Inspected, edits: &Edits<'_>) -> Option<Edited> {
    let mut splices = Vec::new();
    if let Some(model) = edits.model.filter(|model| *model != inspected.model)
        && let Some(at) = &inspected.model_at
    {
        let quoted = serde_json::Value::from(model).to_string();
        splices.push(Splice {
            at: at.clone(),
            text: quoted.into(),
        });
    }
    if edits.include_usage
        && let Some(splice) = usage_splice(inspected)
    {
        splices.push(Splice {
            at: splice.at.clone(),
            text: Bytes::from_static(splice.text.as_bytes()),
        });
    }
    let overridden = |edit: &&Override| edits.overrides.iter().any(|other| other.path == edit.path);
    let of_kind = edits.of_kind.iter().filter(|edit| !overridden(edit));
    let wanted: Vec<&Override> = edits.overrides.iter().chain(of_kind).collect();
    if !wanted.is_empty() {
        set_members(body, &wanted, &mut splices);
    }
    splices.extend_from_slice(edits.in_messages);
    (!splices.is_empty()).then(|| apply(body, splices))
}

/// The body with these members set or removed; as it is where it is no object.
pub(crate) fn members(body: &Bytes, edits: &[Override]) -> Bytes {
    let mut splices = Vec::new();
    set_members(body, &edits.iter().collect::<Vec<_>>(), &mut splices);
    apply(body, splices).into_bytes()
}

/// What takes a member out of an object that begins at `offset`.
pub(crate) fn without(object: &[u8], name: &[u8], offset: usize) -> Vec<Splice> {
    let named = |key: &[u8]| (key == name).then_some(0);
    let Some((_, places)) = places(object, named) else {
        return Vec::new();
    };
    let cut = |at: Range<usize>| Splice {
        at: at.start + offset..at.end + offset,
        text: Bytes::new(),
    };
    gaps(&places, |place| place.edit.is_some()).map(cut).collect()
}

/// The splices of members. None where the body is no object, which inspection has refused.
fn set_members(body: &Bytes, overrides: &[&Override], splices: &mut Vec<Splice>) {
    let named = |key: &[u8]| overrides.iter().position(|edit| edit.path.as_bytes() == key);
    let Some((begin, places)) = places(body, named) else {
        return;
    };
    let mut new = Vec::new();
    for (index, edit) in overrides.iter().enumerate() {
        if let Some(value) = &edit.value
            && !places.iter().any(|place| place.edit == Some(index))
        {
            // The body is not empty: it names a model.
            let key = serde_json::Value::from(edit.path.as_str());
            new.extend_from_slice(format!("{key}:{value},").as_bytes());
        }
    }
    if !new.is_empty() {
        splices.push(Splice {
            at: begin..begin,
            text: new.into(),
        });
    }
    let value = |place: &Place| -> Option<&Override> { overrides.get(place.edit?).copied() };
    for place in &places {
        if let Some(text) = value(place).and_then(|edit| edit.value.as_ref()) {
            splices.push(Splice {
                at: place.value.clone(),
                text: Bytes::copy_from_slice(text.as_bytes()),
            });
        }
    }
    let goes = |place: &Place| value(place).is_some_and(|edit| edit.value.is_none());
    splices.extend(gaps(&places, goes).map(|at| Splice {
        at,
        text: Bytes::new(),
    }));
}

/// The bytes of members that go, each with one comma: the one behind it, or at the end the one before.
pub(super) fn gaps(places: &[Place], goes: impl Fn(&Place) -> bool) -> impl Iterator<Item = Range<usize>> {
    let last_kept = places.iter().rposition(|place| !goes(place));
    places.iter().enumerate().filter_map(move |(index, place)| {
        if !goes(place) {
            return None;
        }
        match (places.get(index + 1), last_kept) {
            (_, Some(kept)) if index > kept => {
                let before = places.get(index.checked_sub(1)?)?;
                Some(before.at.end..place.at.end)
            }
            (Some(after), _) => Some(place.at.start..after.at.start),
            (None, _) => Some(place.at.clone()),
        }
    })
}

/// The byte after the opening brace, and every member.
fn places(body: &[u8], named: impl Fn(&[u8]) -> Option<usize>) -> Option<(usize, Vec<Place>)> {
    let mut members = Members::open(body).ok()?;
    let begin = members.at();
    let mut places = Vec::new();
    while let Some(member) = members.next().ok()? {
        let name = member.key.name();
        let edit = name.as_deref().and_then(&named);
        places.push(Place {
            at: member.key.span.start..member.value.span.end,
            value: member.value.span,
            edit,
        });
    }
    Some((begin, places))
}

pub(super) fn apply(body: &Bytes, mut splices: Vec<Splice>) -> Edited {
    splices.sort_by_key(|splice| (splice.at.start, splice.at.end));
    let mut parts = Vec::with_capacity(splices.len() * 2 + 1);
    let mut from = 0;
    for Splice { at, text } in splices {
        // Never one inside another, and never behind the end; a body that is not the inspected one stays whole.
        if at.start < from || at.end < at.start || at.end > body.len() {
            continue;
        }
        parts.push(body.slice(from..at.start));
        parts.push(text);
        from = at.end;
    }
    parts.push(body.slice(from..));
    parts.retain(|part| !part.is_empty());
    Edited { parts }
}
