//! One record of a dump.
//!
//! The same field is a number in JSON, a text in CSV and in Redis, and written `is_enabled` or `isEnabled`; here it is one
//! field. Whatever is read is remembered, so that what is left over can be told. Empty texts, nulls, empty lists and zeros
//! say nothing.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use serde_json::{Map, Value};

use super::tables::plain;

/// See the module.
pub(crate) struct Record {
    /// What it is called in messages: `keys 17`.
    pub(crate) source: String,
    fields: Map<String, Value>,
    read: RefCell<BTreeSet<String>>,
}

impl Record {
    pub(crate) fn new(source: impl Into<String>, fields: Map<String, Value>) -> Self {
        Self {
            source: source.into(),
            fields,
            read: RefCell::default(),
        }
    }

    /// None when it says nothing.
    pub(crate) fn value(&self, field: &str) -> Option<&Value> {
        let camel = camel(field);
        let found = self.fields.get_key_value(field);
        let (name, value) = found.or_else(|| self.fields.get_key_value(&camel))?;
        self.read.borrow_mut().insert(name.clone());
        says_something(value).then_some(value)
    }

    pub(crate) fn text(&self, field: &str) -> Option<String> {
        self.value(field).map(plain)
    }

    /// `true`, `t`, `1` and their kin.
    pub(crate) fn flag(&self, field: &str, absent: bool) -> bool {
        match self.present(field) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::Number(number)) => number.as_i64() != Some(0),
            Some(Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "t" | "1" | "yes" => true,
                "false" | "f" | "0" | "no" => false,
                _ => absent,
            },
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => absent,
        }
    }

    /// 0 when it says nothing, or no whole number above it.
    pub(crate) fn count(&self, field: &str) -> u64 {
        let text = self.text(field).unwrap_or_default();
        let text = text.trim();
        let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
        whole.parse().unwrap_or_default()
    }

    /// An amount in USD; 0 when it says nothing. Negative and unreadable ones are none.
    pub(crate) fn usd(&self, field: &str) -> NanoUsd {
        let text = self.text(field).unwrap_or_default();
        let amount: NanoUsd = text.trim().parse().unwrap_or_default();
        match amount.0 > 0 {
            true => amount,
            false => NanoUsd::default(),
        }
    }

    /// Also of a list that is written as JSON in a text, or as words between commas.
    pub(crate) fn list(&self, field: &str) -> Vec<Value> {
        match self.json(field) {
            Some(Value::Array(items)) => items,
            Some(Value::String(text)) => text
                .split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .map(|word| Value::String(word.to_owned()))
                .collect(),
            Some(Value::Object(_) | Value::Number(_) | Value::Bool(_) | Value::Null) | None => Vec::new(),
        }
    }

    pub(crate) fn words(&self, field: &str) -> Vec<String> {
        let words = self.list(field).into_iter();
        let words = words.filter_map(|value| match value {
            Value::String(word) => Some(word.trim().to_owned()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        });
        words.filter(|word| !word.is_empty()).collect()
    }

    /// Also of JSON that is written as a text.
    pub(crate) fn json(&self, field: &str) -> Option<Value> {
        let value = self.value(field)?;
        let Value::String(text) = value else {
            return Some(value.clone());
        };
        let parsed = serde_json::from_str(text).ok();
        let parsed = parsed.unwrap_or_else(|| Value::String(text.clone()));
        says_something(&parsed).then_some(parsed)
    }

    /// ISO 8601 (without a zone: UTC), Postgres' own form, or milliseconds.
    pub(crate) fn instant(&self, field: &str) -> Option<UnixMs> {
        let text = self.text(field)?;
        let text = text.trim();
        if let Ok(ms) = text.parse::<i64>() {
            return Some(UnixMs(ms));
        }
        let at = text.parse::<Timestamp>().ok().or_else(|| {
            let civil: DateTime = text.parse().ok()?;
            let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
            Some(zoned.timestamp())
        });
        at.map(|at| UnixMs(at.as_millisecond()))
    }

    /// These are dealt with: they are not left over.
    pub(crate) fn note_seen(&self, fields: &[&str]) {
        for field in fields {
            self.present(field);
        }
    }

    /// Fields that say something and were not asked for, but for those that say nothing worth keeping.
    pub(crate) fn left_over(&self, of_no_interest: &[&str]) -> Vec<String> {
        let read = self.read.borrow();
        let boring = |name: &str| {
            of_no_interest
                .iter()
                .any(|field| *field == name || camel(field) == name)
        };
        let fields = self.fields.iter();
        let left = fields.filter(|(name, value)| {
            says_something(value) && !is_default(value) && !read.contains(*name) && !boring(name)
        });
        left.map(|(name, _)| name.clone()).collect()
    }

    /// As it is, also when it says nothing.
    fn present(&self, field: &str) -> Option<&Value> {
        let camel = camel(field);
        let found = self.fields.get_key_value(field);
        let (name, value) = found.or_else(|| self.fields.get_key_value(&camel))?;
        self.read.borrow_mut().insert(name.clone());
        Some(value)
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(text) => {
            let text = text.trim();
            let zero = text.parse::<f64>().is_ok_and(|number| number == 0.0);
            !zero && !["", "null", "undefined", "false", "f", "[]", "{}"].contains(&text)
        }
    }
}

/// Words with which both gateways say that a setting is not set.
fn is_default(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|word| ["none", "inherit", "auto"].contains(&word))
}

/// `limit_5h_usd` as `limit5hUsd`.
fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(fields: Value) -> Record {
        Record::new("keys 1", fields.as_object().unwrap().clone())
    }

    #[test]
    fn a03_a_field_is_one_field_however_it_is_written() {
        for fields in [
            json!({"is_enabled": "f", "limit_5h_usd": "2.50", "tags": "[\"a\",\"b\"]", "expires_at": "2026-12-31 00:00:00+00"}),
            json!({"isEnabled": false, "limit5hUsd": 2.5, "tags": ["a", "b"], "expiresAt": "2026-12-31T00:00:00.000Z"}),
            json!({"isEnabled": "false", "limit5hUsd": "2.5", "tags": "a, b", "expiresAt": "1798675200000"}),
        ] {
            let record = record(fields);
            assert!(!record.flag("is_enabled", true));
            assert_eq!(record.usd("limit_5h_usd"), NanoUsd(2_500_000_000));
            assert_eq!(record.words("tags"), ["a", "b"]);
            assert_eq!(record.instant("expires_at"), Some(UnixMs(1_798_675_200_000)));
            assert!(record.left_over(&[]).is_empty());
        }
    }

    #[test]
    fn a03_what_says_nothing_is_nothing_and_what_was_not_read_is_left_over() {
        let record = record(
            json!({"a": "", "b": null, "c": "0.00", "d": [], "e": "[]", "f": "x", "g": "x", "h": "none", "note": "x"}),
        );
        assert_eq!(record.text("a"), None);
        assert_eq!(record.count("c"), 0);
        assert_eq!(record.text("f").unwrap(), "x");
        assert_eq!(record.left_over(&["note"]), ["g"]);
    }

    #[test]
    fn a03_an_instant_without_a_zone_is_in_utc() {
        let record = record(json!({"at": "2026-12-31 00:00:00"}));
        assert_eq!(record.instant("at"), Some(UnixMs(1_798_675_200_000)));
    }
}
