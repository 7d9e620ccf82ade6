//! Reads a request strictly: whoever opens an object takes the members that he knows, and what is left is refused with
//! its path. So a field that nobody thought of is never dropped.
//!
//! null, "", [] and {} ask for nothing and count as absent. A member that stands twice is an error where it is taken.
//! Text that is carried over as it is (schemas, arguments, numbers) is not looked into; it is a part of the body, whose
//! depth the parser has bounded.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Provider;
use super::dropped::Dropped;
use super::problem::{Untranslatable, shown};
use crate::json::{Fault, Kind, Members, Problem, Value};

/// Text of the caller's, borrowed from the body where it has no escapes.
pub(super) type Text<'a> = Cow<'a, str>;
/// JSON that is carried over as it was written.
pub(super) type Json<'a> = Cow<'a, RawValue>;

/// Of an object that is looked into; no dialect knows so many.
const MAX_MEMBERS: usize = 256;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Field<'a> {
    pub(super) path: String,
    provider: Provider,
    value: Value<'a>,
}

/// The members of an object that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Object<'a> {
    pub(super) path: String,
    provider: Provider,
    members: Vec<(Text<'a>, Value<'a>)>,
}

// === impl Object ===

impl<'a> Object<'a> {
    /// The whole body.
    pub(super) fn body(body: &'a [u8], provider: Provider) -> Result<Self, Untranslatable> {
        if std::str::from_utf8(body).is_err() {
            return Err(Untranslatable::NotJson(Problem::NotUnicode));
        }
        let not_json = |fault: Fault| Untranslatable::NotJson(fault.problem);
        let mut members = Members::open(body).map_err(not_json)?;
        let object = Self::read(&mut members, String::new(), provider).map_err(not_json)?;
        members.finish().map_err(not_json)?;
        Ok(object)
    }

    fn read(members: &mut Members<'a>, path: String, provider: Provider) -> Result<Self, Fault> {
        let mut object = Self {
            path,
            provider,
            members: Vec::new(),
        };
        while let Some(member) = members.next()? {
            let key = match member.key.text() {
                Some(text) => text?,
                None => Cow::Borrowed(""),
            };
            if object.members.len() == MAX_MEMBERS {
                return Err(Fault {
                    at: member.key.span.start,
                    problem: Problem::TooManyMembers,
                });
            }
            object.members.push((key, member.value));
        }
        Ok(object)
    }

    /// Takes a member out. None when it is absent or empty.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<Field<'a>>, Untranslatable> {
        Ok(self
            .take_even_empty(name)?
            .filter(|field| !field.value.is_empty()))
    }

    /// Takes a member out that means something when it is empty, too. None when it is absent or null.
    pub(super) fn take_even_empty(&mut self, name: &str) -> Result<Option<Field<'a>>, Untranslatable> {
        let mut found = None;
        while let Some(at) = self.members.iter().position(|(key, _)| *key == name) {
            let (_, value) = self.members.swap_remove(at);
            if found.replace(value).is_some() {
                return Err(Untranslatable::Invalid {
                    path: self.child(name),
                    expected: "given once",
                });
            }
        }
        Ok(found.filter(|value| !value.is_null()).map(|value| Field {
            path: self.child(name),
            provider: self.provider,
            value,
        }))
    }

    pub(super) fn need(&mut self, name: &str) -> Result<Field<'a>, Untranslatable> {
        let missing = Untranslatable::Invalid {
            path: self.child(name),
            expected: "given",
        };
        self.take_even_empty(name)?.ok_or(missing)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<Text<'a>>, Untranslatable> {
        self.take(name)?.map(|field| field.text()).transpose()
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Untranslatable> {
        self.take(name)?.map(|field| field.boolean()).transpose()
    }

    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Untranslatable> {
        self.take(name)?.map(|field| field.count()).transpose()
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<Json<'a>>, Untranslatable> {
        self.take(name)?.map(|field| field.number()).transpose()
    }

    /// The value of `type`, empty when there is none.
    pub(super) fn kind(&mut self) -> Result<Text<'a>, Untranslatable> {
        Ok(self.text("type")?.unwrap_or_default())
    }

    /// Leaves out what the list says has no effect, and refuses everything else that is left.
    pub(super) fn finish(mut self, harmless: &[&[Dropped]]) -> Result<(), Untranslatable> {
        let dropped = |key: &str, value: &Value<'_>| {
            let mut lists = harmless.iter().flat_map(|list| list.iter());
            lists.any(|entry| entry.field == key && entry.covers(value.raw()))
        };
        let left = self.members.drain(..);
        match left
            .into_iter()
            .find(|(key, value)| !value.is_empty() && !dropped(key, value))
        {
            None => Ok(()),
            Some((key, value)) => Err(Field {
                path: child(&self.path, &shown(&key)),
                provider: self.provider,
                value,
            }
            .refuse()),
        }
    }

    /// A refusal of the object as a whole, naming what it is.
    pub(super) fn refuse(&self, kind: &str) -> Untranslatable {
        Untranslatable::Refused {
            path: self.path.clone(),
            value: (!kind.is_empty()).then(|| shown(kind)),
            provider: self.provider.into(),
        }
    }

    pub(super) fn provider(&self) -> Provider {
        self.provider
    }

    fn child(&self, name: &str) -> String {
        child(&self.path, name)
    }
}

// === impl Field ===

impl<'a> Field<'a> {
    pub(super) fn is_text(&self) -> bool {
        self.value.is_string()
    }

    pub(super) fn is_array(&self) -> bool {
        self.value.kind == Kind::Array
    }

    pub(super) fn text(&self) -> Result<Text<'a>, Untranslatable> {
        match self.value.text() {
            Some(Ok(text)) => Ok(text),
            Some(Err(_)) | None => Err(self.invalid("a string")),
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, Untranslatable> {
        match self.value.kind {
            Kind::True => Ok(true),
            Kind::False => Ok(false),
            Kind::Object | Kind::Array | Kind::String { .. } | Kind::Number | Kind::Null => {
                Err(self.invalid("true or false"))
            }
        }
    }

    pub(super) fn count(&self) -> Result<u64, Untranslatable> {
        self.value.count().ok_or_else(|| self.invalid("a whole number"))
    }

    pub(super) fn number(&self) -> Result<Json<'a>, Untranslatable> {
        match self.value.kind {
            Kind::Number => self.json(),
            Kind::Object | Kind::Array | Kind::String { .. } | Kind::True | Kind::False | Kind::Null => {
                Err(self.invalid("a number"))
            }
        }
    }

    pub(super) fn object(&self) -> Result<Object<'a>, Untranslatable> {
        let mut members = Members::open(self.value.raw()).map_err(|_| self.invalid("an object"))?;
        Object::read(&mut members, self.path.clone(), self.provider).map_err(|_| self.invalid("an object"))
    }

    /// An object that is carried over as it was written.
    pub(super) fn raw_object(&self) -> Result<Json<'a>, Untranslatable> {
        match self.value.kind {
            Kind::Object => self.json(),
            Kind::Array | Kind::String { .. } | Kind::Number | Kind::True | Kind::False | Kind::Null => {
                Err(self.invalid("an object"))
            }
        }
    }

    /// Any value as it was written.
    pub(super) fn json(&self) -> Result<Json<'a>, Untranslatable> {
        let text = std::str::from_utf8(self.value.raw()).ok();
        let raw = text.and_then(|text| serde_json::from_str(text).ok());
        raw.map(Cow::Borrowed).ok_or_else(|| self.invalid("JSON"))
    }

    /// One after the other, as they are asked for.
    pub(super) fn elements(&self) -> Result<impl Iterator<Item = Field<'a>> + use<'a>, Untranslatable> {
        if self.value.kind != Kind::Array {
            return Err(self.invalid("an array"));
        }
        let (path, provider) = (self.path.clone(), self.provider);
        let mut elements = self.value.elements();
        let values = std::iter::from_fn(move || elements.next());
        Ok(values.enumerate().map(move |(at, value)| Self {
            path: format!("{path}[{at}]"),
            provider,
            value,
        }))
    }

    /// The provider's dialect has no word for this.
    pub(super) fn refuse(&self) -> Untranslatable {
        let value = match self.value.kind {
            Kind::Object | Kind::Array | Kind::Null => None,
            Kind::String { .. } => self.value.short_text(256).map(|text| shown(&text)),
            Kind::Number | Kind::True | Kind::False => {
                Some(shown(&String::from_utf8_lossy(self.value.raw())))
            }
        };
        Untranslatable::Refused {
            path: self.path.clone(),
            value,
            provider: self.provider.into(),
        }
    }

    pub(super) fn invalid(&self, expected: &'static str) -> Untranslatable {
        Untranslatable::Invalid {
            path: self.path.clone(),
            expected,
        }
    }
}

fn child(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}
