//! One column of a table that is taken along: its type, what it says of people, and what it can hold.
//!
//! What a database would refuse is refused here, before anything is written: a restore that stops at a row has changed the
//! configuration already. So this says what the migrations say, which a test of the conformance suite compares. Numbers
//! have a bound of ours: a database would take one near the end of its range, and every later sum with it would fail.

use penstock_core::invalid::Invalid;
use serde_json::Value;
use uuid::Uuid;

use crate::sql::value::has_nul;

/// Of one hour, one day, one call: 72 million USD. A hundred of them can be summed up. Instants are far below.
const MOST: i64 = 1 << 56;
/// Of all that was ever spent: a thousand million USD, and seven times as much still fits on top.
const MOST_IN_ALL: i64 = 1 << 60;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnKind,
    pub says: Says,
    /// Whether a row can be without it.
    pub optional: bool,
    /// The greatest number, and with a minus the least one.
    most: i64,
    /// The only texts that it can be; none: any.
    words: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Int,
    Bool,
    Text,
    Uuid,
    Json,
}

/// What a sanitised backup does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Nothing about anybody: numbers, instants, words of ours, names of models.
    Nothing,
    /// Who or what: replaced, the same everywhere.
    Identity,
    /// A text that somebody wrote: left out.
    FreeText,
}

impl Column {
    const fn new(name: &'static str, kind: ColumnKind, says: Says) -> Self {
        Self {
            name,
            kind,
            says,
            optional: false,
            most: MOST,
            words: &[],
        }
    }

    pub const fn int(name: &'static str) -> Self {
        Self::new(name, ColumnKind::Int, Says::Nothing)
    }

    /// A sum that nothing ends.
    pub const fn total(name: &'static str) -> Self {
        let mut column = Self::int(name);
        column.most = MOST_IN_ALL;
        column
    }

    /// An instant as somebody gave it. Nothing is ever added to it.
    pub const fn given(name: &'static str) -> Self {
        let mut column = Self::int(name);
        column.most = i64::MAX;
        column
    }

    pub const fn flag(name: &'static str) -> Self {
        Self::new(name, ColumnKind::Bool, Says::Nothing)
    }

    pub const fn word(name: &'static str) -> Self {
        Self::new(name, ColumnKind::Text, Says::Nothing)
    }

    /// A word that is one of these.
    pub const fn one_of(name: &'static str, words: &'static [&'static str]) -> Self {
        let mut column = Self::word(name);
        column.words = words;
        column
    }

    pub const fn text(name: &'static str) -> Self {
        Self::new(name, ColumnKind::Text, Says::FreeText)
    }

    /// A text that names somebody or something.
    pub const fn name(name: &'static str) -> Self {
        Self::new(name, ColumnKind::Text, Says::Identity)
    }

    pub const fn json(name: &'static str) -> Self {
        Self::new(name, ColumnKind::Json, Says::Identity)
    }

    pub const fn id(name: &'static str) -> Self {
        Self::new(name, ColumnKind::Uuid, Says::Identity)
    }

    pub const fn or_null(mut self) -> Self {
        self.optional = true;
        self
    }

    pub(super) fn check(&self, value: &Value) -> Result<(), Invalid> {
        let bad = |problem: String| Err(Invalid::new(self.name, problem));
        let fits = match (self.kind, value) {
            (_, Value::Null) if self.optional => true,
            (_, Value::Null) => return bad("is missing".to_owned()),
            (_, value) if has_nul(value) => return bad("has a NUL character".to_owned()),
            (ColumnKind::Bool, Value::Bool(_)) | (ColumnKind::Json, Value::Object(_)) => true,
            (ColumnKind::Int, Value::Number(number)) => match number.as_i64() {
                Some(number) if number.unsigned_abs() > self.most.unsigned_abs() => {
                    return bad(format!("is {number}, and cannot be beyond {}", self.most));
                }
                number => number.is_some(),
            },
            (ColumnKind::Text, Value::String(text)) => {
                if !self.words.is_empty() && !self.words.contains(&text.as_str()) {
                    return bad(format!("is none of {}", self.words.join(", ")));
                }
                true
            }
            (ColumnKind::Uuid, Value::String(text)) => Uuid::parse_str(text).is_ok(),
            (_, _) => false,
        };
        match fits {
            true => Ok(()),
            false => bad("is not of the column's type".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(column: Column, value: &Value) -> String {
        column.check(value).unwrap_err().problem
    }

    #[test]
    fn g05_what_must_be_there_is_missed_and_what_may_be_missing_is_not() {
        for column in [
            Column::int("a"),
            Column::flag("a"),
            Column::text("a"),
            Column::id("a"),
            Column::json("a"),
        ] {
            assert_eq!(refused(column, &Value::Null), "is missing");
            assert!(column.or_null().check(&Value::Null).is_ok());
        }
    }

    #[test]
    fn g05_a_text_that_a_database_cannot_hold_is_refused_wherever_it_is() {
        assert_eq!(refused(Column::text("a"), &json!("x\0")), "has a NUL character");
        for record in [json!({"a": ["x\0"]}), json!({"x\0": 1})] {
            assert_eq!(refused(Column::json("a"), &record), "has a NUL character");
        }
        assert!(Column::json("a").check(&json!({"a": ["x"]})).is_ok());
    }

    #[test]
    fn g05_a_number_that_leaves_no_room_for_the_next_call_is_refused() {
        for column in [Column::int("a"), Column::total("a")] {
            for number in [i64::MAX, i64::MIN, column.most + 1, -column.most - 1] {
                assert!(
                    refused(column, &json!(number)).contains("cannot be beyond"),
                    "{number}"
                );
            }
            assert!(column.check(&json!(column.most)).is_ok());
            assert_eq!(refused(column, &json!(u64::MAX)), "is not of the column's type");
            assert_eq!(refused(column, &json!(1.5)), "is not of the column's type");
        }
        let hundred = i128::from(MOST) * 100;
        assert!(hundred < i128::from(i64::MAX) && i128::from(MOST_IN_ALL) * 7 < i128::from(i64::MAX));
    }

    #[test]
    fn g05_a_word_that_the_table_does_not_know_is_refused() {
        let column = Column::one_of("a", &["key", "user"]);
        assert!(column.check(&json!("user")).is_ok());
        assert_eq!(refused(column, &json!("team")), "is none of key, user");
    }
}
