//! One record of a dump.
//!
//! The same field is a number in JSON, a text in CSV and in Redis, and written `is_enabled` or `isEnabled`; here it is one
//! field. Whatever is read is remembered, so that what is left over can be told. Empty texts, nulls, empty lists and zeros
//! say nothing. What says something and cannot be read is given as if it said nothing, and remembered too: whoever makes
//! something of the record asks for [`unreadable`](Record::unreadable) in the end.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use serde_json::{Map, Value};

use super::number;
use super::tables::plain;

/// See the module.
pub(crate) struct Record {
    /// What it is called in messages: `keys 17`.
    pub(crate) source: String,
    fields: Map<String, Value>,
    read: RefCell<BTreeSet<String>>,
    unreadable: RefCell<BTreeSet<String>>,
}

impl Record {
    pub(crate) fn new(source: impl Into<String>, fields: Map<String, Value>) -> Self {
        Self {
            source: source.into(),
            fields,
            read: RefCell::default(),
            unreadable: RefCell::default(),
        }
    }

    /// None when it says nothing.
    pub(crate) fn value(&self, field: &str) -> Option<&Value> {
        self.present(field).filter(|value| says_something(value))
    }

    pub(crate) fn text(&self, field: &str) -> Option<String> {
        self.value(field).map(plain)
    }

    /// `true`, `t`, `1` and their kin.
    pub(crate) fn flag(&self, field: &str, absent: bool) -> bool {
        match self.present(field) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "t" | "1" | "yes" => true,
                "false" | "f" | "0" | "no" => false,
                "" | "null" | "undefined" => absent,
                _ => self.cannot_read(field, absent),
            },
            Some(Value::Array(_) | Value::Object(_)) => self.cannot_read(field, absent),
            Some(Value::Null) | None => absent,
        }
    }

    /// 0 when it says nothing, or no number above it.
    pub(crate) fn count(&self, field: &str) -> u64 {
        self.parsed(field, number::count).unwrap_or_default()
    }

    /// An amount in USD, rounded to nano-USD; 0 when it says nothing, or no amount above it.
    pub(crate) fn usd(&self, field: &str) -> NanoUsd {
        self.parsed(field, number::usd).unwrap_or_default()
    }

    /// Also of a list that is written as JSON in a text, or as words between commas.
    pub(crate) fn list(&self, field: &str) -> Vec<Value> {
        let split = |text: &str| {
            let words = text.split(',').map(str::trim);
            let words = words.filter(|word| !word.is_empty());
            words.map(|word| Value::String(word.to_owned())).collect()
        };
        match self.json(field) {
            Some(Value::Array(items)) => items,
            Some(Value::String(text)) if text.trim_start().starts_with(['[', '{']) => {
                self.cannot_read(field, Vec::new())
            }
            Some(Value::String(text)) => split(&text),
            // A word that looks like one.
            Some(Value::Number(_) | Value::Bool(_)) => split(&self.text(field).unwrap_or_default()),
            Some(Value::Object(_)) => self.cannot_read(field, Vec::new()),
            Some(Value::Null) | None => Vec::new(),
        }
    }

    pub(crate) fn words(&self, field: &str) -> Vec<String> {
        let words = self.list(field).into_iter();
        let words = words.filter_map(|value| match value {
            Value::String(word) => Some(word.trim().to_owned()),
            Value::Bool(_) | Value::Number(_) => Some(plain(&value)),
            Value::Array(_) | Value::Object(_) => self.cannot_read(field, None),
            Value::Null => None,
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
        self.parsed(field, instant)
    }

    /// The fields that were asked for, say something and could not be read.
    pub(crate) fn unreadable(&self) -> Vec<String> {
        self.unreadable.borrow().iter().cloned().collect()
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

    fn parsed<T>(&self, field: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(field)?;
        parse(text.trim()).or_else(|| self.cannot_read(field, None))
    }

    pub(crate) fn cannot_read<T>(&self, field: &str, instead: T) -> T {
        self.unreadable.borrow_mut().insert(field.to_owned());
        instead
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

fn instant(text: &str) -> Option<UnixMs> {
    if let Some(ms) = number::millis(text) {
        return Some(UnixMs(ms));
    }
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    });
    at.map(|at| UnixMs(at.as_millisecond()))
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
            !number::is_zero(text) && !["", "null", "undefined", "false", "f", "[]", "{}"].contains(&text)
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
    fn a03_what_says_something_and_cannot_be_read_is_remembered() {
        let record = record(json!({
            "daily": "$5", "rpm": 1.5, "expires_at": "Thu Dec 31 2026", "is_enabled": "maybe", "groups": "[\"a\",",
            "models": [{"id": "x"}], "fine": "1e-7", "nothing": "null", "until": 1_798_675_200_000.0_f64,
        }));
        assert_eq!(record.usd("daily"), NanoUsd(0));
        assert_eq!(record.count("rpm"), 0);
        assert_eq!(record.instant("expires_at"), None);
        assert!(record.flag("is_enabled", true));
        assert!(record.words("groups").is_empty() && record.words("models").is_empty());
        let unreadable = ["daily", "expires_at", "groups", "is_enabled", "models", "rpm"];
        assert_eq!(record.unreadable(), unreadable);
        assert_eq!(record.usd("fine"), NanoUsd(100));
        assert_eq!((record.count("nothing"), record.usd("absent")), (0, NanoUsd(0)));
        assert_eq!(record.instant("until"), Some(UnixMs(1_798_675_200_000)));
        assert_eq!(
            record.unreadable(),
            unreadable,
            "nothing said is nothing unreadable"
        );
    }

    #[test]
    fn a03_words_that_look_like_numbers_are_words() {
        let record = record(json!({"group": "2024", "groups": "[2024, \"cli\"]", "flag": "true"}));
        assert_eq!(record.words("group"), ["2024"]);
        assert_eq!(record.words("groups"), ["2024", "cli"]);
        assert_eq!(record.words("flag"), ["true"]);
    }

    #[test]
    fn a03_an_instant_without_a_zone_is_in_utc() {
        let record = record(json!({"at": "2026-12-31 00:00:00"}));
        assert_eq!(record.instant("at"), Some(UnixMs(1_798_675_200_000)));
    }
}
