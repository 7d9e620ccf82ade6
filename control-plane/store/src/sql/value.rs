//! Values to be bound, in the few types that the tables have.
//!
//! NUL characters in text and in JSON are replaced, because Postgres cannot store them: one in a free text of a caller or an
//! operator must not make a whole batch fail.

use penstock_core::time::UnixMs;
use serde::Serialize;
use sqlx::{Arguments, Database, Encode, Type};
use uuid::Uuid;

/// One value of a statement. None is NULL of the same type. Not printable: it may be a hash of a key.
pub(crate) enum Value {
    Bool(bool),
    Int(Option<i64>),
    Text(Option<String>),
    Uuid(Option<Uuid>),
    Bytes(Option<Vec<u8>>),
    Json(Option<serde_json::Value>),
}

/// A value that is bound as JSON.
pub(crate) struct AsJson<T>(pub(crate) T);

/// An enum that is bound as the word that serde has for it.
pub(crate) struct AsWord<T>(pub(crate) T);

impl Value {
    pub(crate) fn add_to<A>(self, arguments: &mut A) -> Result<(), sqlx::error::BoxDynError>
    where
        A: Arguments,
        A::Database: Database,
        bool: for<'q> Encode<'q, A::Database> + Type<A::Database>,
        Option<i64>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
        Option<String>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
        Option<Uuid>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
        Option<Vec<u8>>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
        Option<serde_json::Value>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
    {
        match self {
            Self::Bool(value) => arguments.add(value),
            Self::Int(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value),
            Self::Uuid(value) => arguments.add(value),
            Self::Bytes(value) => arguments.add(value),
            Self::Json(value) => arguments.add(value),
        }
    }
}

/// The text as both databases can hold it.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// The same for all texts in it, names of members too.
fn storable_json(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    if !has_nul(&json) {
        return json;
    }
    match json {
        Value::String(text) => Value::String(storable(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(storable_json).collect()),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(
                members
                    .map(|(name, value)| (storable(&name), storable_json(value)))
                    .collect(),
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => json,
    }
}

/// Whether any text in it has one, names of members too.
pub(crate) fn has_nul(json: &serde_json::Value) -> bool {
    use serde_json::Value;
    match json {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// For columns of counts. Counts come from the database or are checked before; the limit is never met.
pub(crate) fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(Some(int(value)))
    }
}

impl From<Option<u64>> for Value {
    fn from(value: Option<u64>) -> Self {
        Self::Int(value.map(int))
    }
}

impl From<UnixMs> for Value {
    fn from(value: UnixMs) -> Self {
        Self::Int(Some(value.0))
    }
}

impl From<Option<UnixMs>> for Value {
    fn from(value: Option<UnixMs>) -> Self {
        Self::Int(value.map(|at| at.0))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(storable(value)))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::from(value.as_str())
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(storable))
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Uuid(Some(value))
    }
}

impl From<Option<Uuid>> for Value {
    fn from(value: Option<Uuid>) -> Self {
        Self::Uuid(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(Some(value.to_vec()))
    }
}

impl From<Option<&[u8]>> for Value {
    fn from(value: Option<&[u8]>) -> Self {
        Self::Bytes(value.map(<[u8]>::to_vec))
    }
}

impl From<Option<serde_json::Value>> for Value {
    fn from(value: Option<serde_json::Value>) -> Self {
        Self::Json(value.map(storable_json))
    }
}

/// What cannot be written as JSON (a map with keys that are no text) is bound as NULL, which every JSON column that
/// must hold something refuses.
impl<T: Serialize> From<AsJson<T>> for Value {
    fn from(value: AsJson<T>) -> Self {
        let json = serde_json::to_value(value.0).ok();
        Self::Json(json.map(storable_json))
    }
}

impl<T: Serialize> From<AsWord<T>> for Value {
    fn from(value: AsWord<T>) -> Self {
        Self::Text(word(value.0))
    }
}

/// None for what is more than a word.
pub(crate) fn word<T: Serialize>(value: T) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Some(word),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_a_text_becomes_something_that_can_be_stored() {
        let Value::Text(Some(text)) = Value::from("a\0b") else {
            panic!("a text");
        };
        assert_eq!(text, "a\u{FFFD}b");
    }
}
