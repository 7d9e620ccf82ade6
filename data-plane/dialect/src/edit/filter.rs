//! What a request filter changes in a body: members and elements removed or set, text replaced.
//!
//! One pass over the body, whatever its depth. What the filter does not name stays as it came. The new body is written as
//! the walk goes on, so nothing is kept of what was passed; it may grow by [`MAX_GROWTH`], no more. Text that is no
//! Unicode is read with U+FFFD in its place, and written so if something in it is replaced.

use std::ops::Range;

use bytes::Bytes;
use penstock_core::request_filter::{Action, BodyPath, Compiled, Part, Step};

use super::Edited;
use super::rewrite::Cuts;
use crate::data::{self, Share};
use crate::json::{Token, Tokens, Value};
use crate::text;

/// Of a whole body by one filter, bytes.
const MAX_GROWTH: usize = 16 << 20;

/// What the filter would make of the body is much longer than the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request filter makes the body longer than is sent")]
pub struct TooLong;

/// A container that is open.
struct Open<'a> {
    object: bool,
    /// The byte after its bracket.
    begin: usize,
    /// So many steps of the path lead here; None: the path leads elsewhere.
    steps: Option<usize>,
    /// All text below is meant.
    deep: bool,
    /// Of the next child.
    key: Option<Value<'a>>,
    place: usize,
    /// Of what goes, where the path ends among its children.
    cuts: Cuts,
    /// A child was what the path leads to.
    hit: bool,
    /// Whether it says that its `data` is data, once that was asked.
    says_data: Option<bool>,
}

/// The walk of one filter over one body.
struct Walk<'a> {
    filter: &'a Compiled,
    path: &'a BodyPath,
    body: &'a [u8],
    open: Vec<Open<'a>>,
    output: Output<'a>,
}

/// The new body as far as it was written.
struct Output<'a> {
    body: &'a [u8],
    /// So much of the body was copied or left out.
    from: usize,
    written: Vec<u8>,
    changed: bool,
}

/// The body as the filter leaves it; None: as it is.
pub fn filter(body: &Bytes, filter: &Compiled) -> Result<Option<Edited>, TooLong> {
    let Part::Body(path) = &filter.filter.part else {
        return Ok(None);
    };
    let mut walk = Walk {
        filter,
        path,
        body,
        open: Vec::new(),
        output: Output {
            body,
            from: 0,
            written: Vec::new(),
            changed: false,
        },
    };
    let mut tokens = Tokens::of(body);
    loop {
        match tokens.next() {
            Ok(Some(token)) => walk.take(token, tokens.at()),
            Ok(None) => return Ok(walk.output.finish()),
            // What is no JSON does not come here; if it did, it would stay as it is.
            Err(_) => return Ok(None),
        }
        if walk.output.written.len() > body.len().saturating_add(MAX_GROWTH) {
            return Err(TooLong);
        }
    }
}

impl<'a> Walk<'a> {
    /// `at` is the byte after the token.
    fn take(&mut self, token: Token<'a>, at: usize) {
        match token {
            Token::Object => self.enter(true, at),
            Token::Array => self.enter(false, at),
            Token::Key(key) => {
                if let Some(open) = self.open.last_mut() {
                    open.key = Some(key);
                }
            }
            Token::Scalar(value) => self.scalar(&value),
            Token::Close => self.leave(at),
        }
    }

    fn enter(&mut self, object: bool, begin: usize) {
        let (steps, deep) = match self.open.last() {
            None => (Some(0), false),
            Some(parent) if parent.deep => (None, true),
            Some(parent) => (self.below(parent), false),
        };
        let deep = deep || steps.is_some_and(|steps| self.path.steps().get(steps) == Some(&Step::Deep));
        self.open.push(Open {
            object,
            begin,
            steps,
            deep: deep && !self.is_own_root(),
            key: None,
            place: 0,
            cuts: Cuts::default(),
            hit: false,
            says_data: None,
        });
    }

    /// Whether what begins now is the value of a member that no filter reaches.
    fn is_own_root(&self) -> bool {
        self.open.len() == 1 && self.open.last().is_some_and(Self::at_own)
    }

    fn at_own(open: &Open<'_>) -> bool {
        let name = open.key.as_ref().and_then(Value::name);
        name.is_some_and(|name| BodyPath::is_own(&name))
    }

    /// So many steps lead to the child that begins now.
    fn below(&self, parent: &Open<'_>) -> Option<usize> {
        let steps = parent.steps?;
        let step = self.path.steps().get(steps)?;
        self.is_child(parent, step).then_some(steps + 1)
    }

    fn is_child(&self, parent: &Open<'_>, step: &Step) -> bool {
        match parent.object {
            true => step.is_member(parent.key.as_ref().and_then(Value::name).as_deref()),
            false => step.is_element(parent.place),
        }
    }

    /// The last step, if the path ends among this container's children.
    fn last_step(&self, open: &Open<'_>) -> Option<&'a Step> {
        let (last, before) = self.path.steps().split_last()?;
        (open.steps == Some(before.len()) && *last != Step::Deep).then_some(last)
    }

    fn scalar(&mut self, value: &Value<'a>) {
        let top = self.open.len() == 1;
        let Some(parent) = self.open.last_mut() else {
            return;
        };
        let own = top && Self::at_own(parent);
        if parent.deep && !own {
            let share = parent.text_of(self.body, value);
            self.replace(value, share);
        }
        self.child(value.span.clone(), Some(value));
    }

    /// A child of the innermost container has ended.
    fn child(&mut self, value: Range<usize>, scalar: Option<&Value<'a>>) {
        let Some(parent) = self.open.last() else { return };
        if let Some(step) = self.last_step(parent) {
            let hit = self.is_child(parent, step);
            let begin = parent.key.as_ref().map_or(value.start, |key| key.span.start);
            if hit && let Some(value) = scalar {
                self.replace(value, Share::All);
            }
            self.change(begin..value.end, value, hit);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.place += 1;
        }
    }

    /// Removes or sets a child. `at` begins with its key.
    fn change(&mut self, at: Range<usize>, value: Range<usize>, hit: bool) {
        let Some(parent) = self.open.last_mut() else {
            return;
        };
        parent.hit |= hit;
        match &self.filter.filter.action {
            Action::Replace { .. } => {}
            Action::Remove => {
                if let Some(cut) = parent.cuts.child(at, hit) {
                    self.output.splice(cut, b"");
                }
            }
            Action::Set(set) if hit => self.output.splice(value, set.as_bytes()),
            Action::Set(_) => {}
        }
    }

    fn replace(&mut self, value: &Value<'a>, share: Share) {
        if !matches!(self.filter.filter.action, Action::Replace { .. }) {
            return;
        }
        let (found, at) = match share {
            Share::All => (value.text_lossy(), value.span.clone()),
            Share::Nothing => return,
            Share::Head(length) => {
                let begin = value.span.start + 1;
                (Some(text::head(value, length)), begin..begin + length)
            }
        };
        let Some(found) = found else { return };
        let replaced = self.filter.replace(&found);
        if *replaced == *found {
            return;
        }
        let quoted = serde_json::Value::from(&*replaced).to_string();
        let inner = || quoted.strip_prefix('"')?.strip_suffix('"');
        let text = match share {
            Share::All | Share::Nothing => &*quoted,
            Share::Head(_) => inner().unwrap_or_default(),
        };
        self.output.splice(at, text.as_bytes());
    }

    fn leave(&mut self, end: usize) {
        let Some(mut open) = self.open.pop() else { return };
        if let Some(step) = self.last_step(&open) {
            self.close(&mut open, step);
        }
        // The bracket is one byte before what `begin` says.
        self.child(open.begin.saturating_sub(1)..end, None);
    }

    /// What is left to remove or to set in a container that has ended.
    fn close(&mut self, open: &mut Open<'_>, step: &Step) {
        match &self.filter.filter.action {
            Action::Remove => {
                if let Some(cut) = open.cuts.end() {
                    self.output.splice(cut, b"");
                }
            }
            Action::Set(value) => {
                if let Step::Named(name) = step
                    && open.object
                    && !open.hit
                {
                    let comma = if open.place == 0 { "" } else { "," };
                    let key = serde_json::Value::from(name.as_str());
                    let member = format!("{key}:{value}{comma}");
                    self.output.splice(open.begin..open.begin, member.as_bytes());
                }
            }
            Action::Replace { .. } => {}
        }
    }
}

impl Open<'_> {
    /// What is text of a string among the children.
    fn text_of(&mut self, body: &[u8], value: &Value<'_>) -> Share {
        if !self.object {
            return Share::All;
        }
        let name = self.key.as_ref().and_then(Value::name);
        let (object, said) = (body.get(self.begin.saturating_sub(1)..), &mut self.says_data);
        let beside = || *said.get_or_insert_with(|| data::says_data(object.unwrap_or_default()));
        data::text_of(name.as_deref(), value.inner(), beside)
    }
}

impl Output<'_> {
    /// Splices come in order; what the path leads to is never inside of one another.
    fn splice(&mut self, at: Range<usize>, text: &[u8]) {
        let Some(kept) = self.body.get(self.from..at.start) else {
            return;
        };
        self.written.extend_from_slice(kept);
        self.written.extend_from_slice(text);
        (self.from, self.changed) = (at.end, true);
    }

    fn finish(mut self) -> Option<Edited> {
        if !self.changed {
            return None;
        }
        let rest = self.body.get(self.from..).unwrap_or_default();
        self.written.extend_from_slice(rest);
        Some(Edited {
            parts: vec![self.written.into()],
        })
    }
}
