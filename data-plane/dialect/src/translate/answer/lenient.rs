//! Reads what an answer says beside its content: no answer is lost over a number that is written oddly.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::usage::read_count;

/// Usage: `7.0`, `1e3` and `"12"` are counts; what cannot be read counts as absent.
pub(super) fn usage<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Value::Object(mut told) = counts(Value::deserialize(deserializer)?) else {
        return Ok(None);
    };
    // What is no count, or no group of counts where one should be, spoils none of the others.
    told.retain(|name, value| {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        serde_json::from_value::<T>(alone.into()).is_ok()
    });
    Ok(serde_json::from_value(told.into()).ok())
}

/// A text; anything else counts as absent.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

fn counts(told: Value) -> Value {
    let read = |text: &str| read_count(text).map_or(Value::Null, Value::from);
    match told {
        Value::Object(members) => {
            let members = members.into_iter();
            members.map(|(name, value)| (name, counts(value))).collect()
        }
        Value::Number(number) => read(&number.to_string()),
        Value::String(text) => read(text.trim()),
        Value::Null | Value::Bool(_) | Value::Array(_) => Value::Null,
    }
}
