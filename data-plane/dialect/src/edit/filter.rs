//! What a request filter changes in a body: members and elements removed or set, text replaced.
//!
//! One pass over the body, whatever its depth; everything is a splice, so what the filter does not name stays as it came.

use bytes::Bytes;
use penstock_core::request_filter::{Action, BodyPath, Compiled, Part, Step};

use super::Edited;
use super::rewrite::{Place, Splice, apply, gaps};
use crate::json::{Token, Tokens, Value};
use crate::text::is_data;

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
    /// Its children, where the path ends among them.
    children: Vec<Place>,
}

/// The walk of one filter over one body.
struct Walk<'a> {
    filter: &'a Compiled,
    path: &'a BodyPath,
    open: Vec<Open<'a>>,
    splices: Vec<Splice>,
}

/// The body as the filter leaves it; None: as it is.
pub fn filter(body: &Bytes, filter: &Compiled) -> Option<Edited> {
    let Part::Body(path) = &filter.filter.part else {
        return None;
    };
    let mut walk = Walk {
        filter,
        path,
        open: Vec::new(),
        splices: Vec::new(),
    };
    let mut tokens = Tokens::of(body);
    // What is no JSON does not come here; if it did, it would stay as it is.
    while let Some(token) = tokens.next().ok()? {
        walk.take(token, tokens.at());
    }
    (!walk.splices.is_empty()).then(|| apply(body, walk.splices))
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
            children: Vec::new(),
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
        let Some(parent) = self.open.last() else { return };
        let name = parent.key.as_ref().and_then(Value::name);
        let own = self.open.len() == 1 && Self::at_own(parent);
        if parent.deep && !own && !is_data(name.as_deref(), value.inner()) {
            self.replace(value);
        }
        self.child(value.span.start, value.span.end, Some(value));
    }

    /// A child of the innermost container has ended.
    fn child(&mut self, start: usize, end: usize, scalar: Option<&Value<'a>>) {
        let Some(parent) = self.open.last() else { return };
        if let Some(step) = self.last_step(parent) {
            let hit = self.is_child(parent, step);
            let begin = parent.key.as_ref().map_or(start, |key| key.span.start);
            if hit && let Some(value) = scalar {
                self.replace(value);
            }
            let place = Place {
                at: begin..end,
                value: start..end,
                edit: hit.then_some(0),
            };
            if let Some(parent) = self.open.last_mut() {
                parent.children.push(place);
            }
        }
        if let Some(parent) = self.open.last_mut() {
            parent.place += 1;
        }
    }

    fn replace(&mut self, value: &Value<'a>) {
        if !matches!(self.filter.filter.action, Action::Replace { .. }) {
            return;
        }
        let Some(Ok(text)) = value.text() else { return };
        let replaced = self.filter.replace(&text);
        if *replaced != *text {
            self.splices.push(Splice {
                at: value.span.clone(),
                text: serde_json::Value::from(&*replaced).to_string().into(),
            });
        }
    }

    fn leave(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        if let Some(step) = self.last_step(&open) {
            self.edit(&open, step);
        }
        // The bracket is one byte before what `begin` says.
        self.child(open.begin.saturating_sub(1), end, None);
    }

    /// Removes or sets among a container's children.
    fn edit(&mut self, open: &Open<'_>, step: &Step) {
        let hit = |place: &Place| place.edit.is_some();
        match &self.filter.filter.action {
            Action::Replace { .. } => {}
            Action::Remove => {
                let gone = gaps(&open.children, hit).map(|at| Splice {
                    at,
                    text: Bytes::new(),
                });
                self.splices.extend(gone);
            }
            Action::Set(value) => {
                let places = open.children.iter().filter(|place| hit(place));
                self.splices.extend(places.map(|place| Splice {
                    at: place.value.clone(),
                    text: Bytes::copy_from_slice(value.as_bytes()),
                }));
                if let Step::Named(name) = step
                    && open.object
                    && !open.children.iter().any(hit)
                {
                    let comma = if open.children.is_empty() { "" } else { "," };
                    let key = serde_json::Value::from(name.as_str());
                    self.splices.push(Splice {
                        at: open.begin..open.begin,
                        text: format!("{key}:{value}{comma}").into(),
                    });
                }
            }
        }
    }
}
