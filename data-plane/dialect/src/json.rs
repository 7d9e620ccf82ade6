//! Reads JSON without building it: members and elements one by one, the rest skipped.
//!
//! A request body is megabytes of which a few fields matter, and a place in the bytes matters as much as a value,
//! since edits are splices. serde's visitors give no places, and its fast skipping has no limit of depth, so this is
//! our own. Grammar and depth are `serde_json`'s (a property test holds the two together), with one difference: text
//! that is skipped is not checked for UTF-8.
//!
//! Every step either moves forward or fails; a [`Fault`] says where. Nothing is allocated but decoded text.

mod lossy;
mod skip;
mod tokens;

use std::borrow::Cow;
use std::ops::Range;

use skip::Skipper;
pub(crate) use tokens::{Token, Tokens};

/// Containers inside containers, the outermost included. The same as `serde_json`'s.
pub(crate) const MAX_DEPTH: u32 = 127;
/// Keys that are longer than this and escaped are not compared with anything: no key of ours is that long.
const MAX_ESCAPED_KEY: usize = 256;

/// What is wrong with a text that should be JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing follows where something must.
    #[error("the text ends too early")]
    Ended,
    /// Neither a string, number, object, array, true, false nor null.
    #[error("a value is expected here")]
    ExpectedValue,
    /// A member does not begin with a string.
    #[error("a key in double quotes is expected here")]
    ExpectedKey,
    /// No colon after a key.
    #[error("a colon is expected here")]
    ExpectedColon,
    /// Neither a comma nor the right closing bracket after a value.
    #[error("a comma or a closing bracket is expected here")]
    ExpectedComma,
    /// A raw control character inside a string.
    #[error("a control character in a string must be escaped")]
    ControlCharacter,
    /// A backslash that begins no known escape.
    #[error("an unknown escape in a string")]
    UnknownEscape,
    /// Text that is decoded has bytes or escapes that are no Unicode.
    #[error("a string is not valid Unicode")]
    NotUnicode,
    /// More than 127 containers inside each other.
    #[error("nested deeper than 127 levels")]
    TooDeep,
    /// Something follows the value.
    #[error("something follows the end of the JSON value")]
    Trailing,
    /// More members than an object of a request has.
    #[error("an object has more members than any dialect knows")]
    TooManyMembers,
    /// The value is not an object.
    #[error("an object is expected here")]
    NotAnObject,
}

/// A problem and the byte it is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String { escaped: bool },
    Number,
    True,
    False,
    Null,
}

/// A value that was skipped, and where it lies.
#[derive(Clone, Debug)]
pub(crate) struct Value<'a> {
    bytes: &'a [u8],
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
    /// Direct children of an object or array.
    pub(crate) items: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) key: Value<'a>,
    pub(crate) value: Value<'a>,
}

/// The members of one object, in order.
#[derive(Debug)]
pub(crate) struct Members<'a>(Children<'a>);

/// The elements of one array, in order.
#[derive(Debug)]
pub(crate) struct Elements<'a>(Children<'a>);

#[derive(Debug)]
struct Children<'a> {
    skip: Skipper<'a>,
    close: u8,
    begun: bool,
    done: bool,
}

impl<'a> Members<'a> {
    /// Opens the object that `bytes` begin with, space apart.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut skip = Skipper::new(bytes);
        match skip.need()? {
            b'{' => Ok(Self(Children::open(skip, b'}'))),
            _ => Err(skip.fault(Problem::NotAnObject)),
        }
    }

    /// The next member; None after the closing brace.
    pub(crate) fn next(&mut self) -> Result<Option<Member<'a>>, Fault> {
        if !self.0.step()? {
            return Ok(None);
        }
        let key = self.0.skip.key()?;
        let value = self.0.skip.value(MAX_DEPTH - 1)?;
        Ok(Some(Member { key, value }))
    }

    /// The byte after what was read so far; after the last member, after the closing brace.
    pub(crate) fn at(&self) -> usize {
        self.0.skip.at
    }

    /// Fails unless only space follows the object, all members of which were read.
    pub(crate) fn finish(mut self) -> Result<(), Fault> {
        match self.0.skip.space() {
            None => Ok(()),
            Some(_) => Err(self.0.skip.fault(Problem::Trailing)),
        }
    }
}

impl<'a> Elements<'a> {
    pub(crate) fn next(&mut self) -> Option<Value<'a>> {
        match self.0.step() {
            Ok(true) => self.0.skip.value(MAX_DEPTH - 1).ok(),
            Ok(false) | Err(_) => None,
        }
    }
}

impl<'a> Children<'a> {
    /// `skip` is at the opening bracket.
    fn open(mut skip: Skipper<'a>, close: u8) -> Self {
        skip.at += 1;
        Self {
            skip,
            close,
            begun: false,
            done: false,
        }
    }

    /// Moves to the next child; false at the end.
    fn step(&mut self) -> Result<bool, Fault> {
        if self.done {
            return Ok(false);
        }
        let next = self.skip.need()?;
        if next == self.close {
            self.done = true;
            self.skip.at += 1;
            return Ok(false);
        }
        if self.begun {
            if next != b',' {
                return Err(self.skip.fault(Problem::ExpectedComma));
            }
            self.skip.at += 1;
        }
        self.begun = true;
        Ok(true)
    }
}

impl<'a> Value<'a> {
    /// The value as it was written.
    pub(crate) fn raw(&self) -> &'a [u8] {
        self.bytes.get(self.span.clone()).unwrap_or_default()
    }

    pub(crate) fn is_string(&self) -> bool {
        matches!(self.kind, Kind::String { .. })
    }

    pub(crate) fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// null, "", [] or {}.
    pub(crate) fn is_empty(&self) -> bool {
        match self.kind {
            Kind::Null => true,
            Kind::String { .. } => self.span.len() == 2,
            Kind::Object | Kind::Array => self.items == 0,
            Kind::Number | Kind::True | Kind::False => false,
        }
    }

    /// A string between its quotes, as it was written.
    pub(crate) fn inner(&self) -> &'a [u8] {
        self.raw()
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""))
            .unwrap_or_default()
    }

    /// The text of a string; None for other kinds.
    pub(crate) fn text(&self) -> Option<Result<Cow<'a, str>, Fault>> {
        let Kind::String { escaped } = self.kind else {
            return None;
        };
        let text = match escaped {
            false => std::str::from_utf8(self.inner()).ok().map(Cow::Borrowed),
            true => serde_json::from_slice::<String>(self.raw()).ok().map(Cow::Owned),
        };
        Some(text.ok_or(Fault {
            at: self.span.start,
            problem: Problem::NotUnicode,
        }))
    }

    /// The text of a string, U+FFFD in the place of what is no Unicode; None for other kinds.
    pub(crate) fn text_lossy(&self) -> Option<Cow<'a, str>> {
        let text = self.text()?;
        Some(text.unwrap_or_else(|_| Cow::Owned(lossy::decode(self.inner()))))
    }

    /// The text of a string of at most `max` bytes; None for anything else.
    pub(crate) fn short_text(&self, max: usize) -> Option<Cow<'a, str>> {
        // An escape is at most six times as long as what it stands for.
        if self.span.len() > max.saturating_mul(6).saturating_add(2) {
            return None;
        }
        self.text()?.ok().filter(|text| text.len() <= max)
    }

    /// A key's name, to compare with known ones. None for keys that cannot be one of ours.
    pub(crate) fn name(&self) -> Option<Cow<'a, [u8]>> {
        match self.kind {
            Kind::String { escaped: false } => Some(Cow::Borrowed(self.inner())),
            Kind::String { escaped: true } if self.span.len() <= MAX_ESCAPED_KEY => match self.text()? {
                Ok(text) => Some(Cow::Owned(text.into_owned().into_bytes())),
                Err(_) => None,
            },
            Kind::String { .. }
            | Kind::Object
            | Kind::Array
            | Kind::Number
            | Kind::True
            | Kind::False
            | Kind::Null => None,
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn count(&self) -> Option<u64> {
        match self.kind {
            Kind::Number => std::str::from_utf8(self.raw()).ok()?.parse().ok(),
            Kind::Object | Kind::Array | Kind::String { .. } | Kind::True | Kind::False | Kind::Null => None,
        }
    }

    /// Calls `each` with the name and value of every member; nothing for other kinds.
    pub(crate) fn each_member(&self, mut each: impl FnMut(&[u8], Value<'a>)) {
        let Ok(mut members) = Members::open(self.raw()) else {
            return;
        };
        while let Ok(Some(member)) = members.next() {
            if let Some(name) = member.key.name() {
                each(&name, member.value);
            }
        }
    }

    /// The elements of an array; none for other kinds.
    pub(crate) fn elements(&self) -> Elements<'a> {
        let mut elements = Elements(Children::open(Skipper::new(self.raw()), b']'));
        elements.0.done = self.kind != Kind::Array;
        elements
    }
}
