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

/// What goes out of a container as its children are walked over, each with one comma: the one behind it, or at the end
/// the one before.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// Children that go, next to each other.
    run: Option<Range<usize>>,
    /// Where the last child ends that stays.
    kept: Option<usize>,
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
    let (mut cuts, mut splices) = (Cuts::default(), Vec::new());
    let Ok(mut members) = Members::open(object) else {
        return splices;
    };
    let mut cut =
        |at: Option<Range<usize>>| splices.extend(at.map(|at| gone(at.start + offset..at.end + offset)));
    while let Ok(Some(member)) = members.next() {
        let goes = member.key.name().as_deref() == Some(name);
        cut(cuts.child(member.key.span.start..member.value.span.end, goes));
    }
    cut(cuts.end());
    splices
}

/// The splices of members. Nothing where the body is no object, which inspection has refused.
fn set_members(body: &Bytes, overrides: &[&Override], splices: &mut Vec<Splice>) {
    let (mut cuts, mut found) = (Cuts::default(), vec![false; overrides.len()]);
    let Ok(mut members) = Members::open(body) else {
        return;
    };
    let begin = members.at();
    while let Ok(Some(member)) = members.next() {
        let name = member.key.name();
        let index = overrides
            .iter()
            .position(|edit| name.as_deref() == Some(edit.path.as_bytes()));
        if let Some(found) = index.and_then(|index| found.get_mut(index)) {
            *found = true;
        }
        let edit = index.and_then(|index| overrides.get(index));
        let goes = edit.is_some_and(|edit| edit.value.is_none());
        let at = member.key.span.start..member.value.span.end;
        splices.extend(cuts.child(at, goes).map(gone));
        if let Some(text) = edit.and_then(|edit| edit.value.as_ref()) {
            splices.push(Splice {
                at: member.value.span,
                text: Bytes::copy_from_slice(text.as_bytes()),
            });
        }
    }
    splices.extend(cuts.end().map(gone));
    let mut new = Vec::new();
    for (edit, found) in overrides.iter().zip(found) {
        if let Some(value) = edit.value.as_ref().filter(|_| !found) {
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
}

fn gone(at: Range<usize>) -> Splice {
    Splice {
        at,
        text: Bytes::new(),
    }
}

impl Cuts {
    /// The next child. What is to be cut in front of it, if anything is.
    pub(super) fn child(&mut self, at: Range<usize>, goes: bool) -> Option<Range<usize>> {
        if goes {
            let start = self.run.as_ref().map_or(at.start, |run| run.start);
            self.run = Some(start..at.end);
            return None;
        }
        self.kept = Some(at.end);
        let run = self.run.take()?;
        Some(run.start..at.start)
    }

    /// There are no more children. What is to be cut at the end, if anything is.
    pub(super) fn end(&mut self) -> Option<Range<usize>> {
        let run = self.run.take()?;
        Some(self.kept.take().unwrap_or(run.start)..run.end)
    }
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
