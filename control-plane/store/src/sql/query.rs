//! One statement with its values, for whichever database is there.

use std::borrow::Cow;
use std::fmt::Write;

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

use super::value::Value;

/// A statement and its values.
pub(crate) struct Query {
    text: Cow<'static, str>,
    values: Vec<Value>,
    /// The text depends on how many values there are, so it is not worth keeping prepared.
    varies: bool,
}

/// A statement, perhaps to be continued with [`Query::push`].
pub(crate) fn sql(text: &'static str) -> Query {
    Query {
        text: Cow::Borrowed(text),
        values: Vec::new(),
        varies: false,
    }
}

impl Query {
    /// The value of the next placeholder in a text that has them: `$1`, `$2`, ….
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    pub(crate) fn push(mut self, text: &'static str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Adds a placeholder and its value.
    pub(crate) fn push_bind(mut self, value: impl Into<Value>) -> Self {
        self.placeholder(value.into());
        self
    }

    /// Adds `text` and a placeholder when there is a value.
    pub(crate) fn push_some(self, text: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.push(text).push_bind(value),
            None => self,
        }
    }

    /// Only rows whose column contains the text, as it is written; an empty text is in all.
    pub(crate) fn containing(self, column: &'static str, text: Option<&str>) -> Self {
        match text.filter(|text| !text.is_empty()) {
            // Postgres and SQLite have no other test for this in common that heeds case.
            Some(text) => self
                .push(" AND REPLACE(")
                .push(column)
                .push(", ")
                .push_bind(text)
                .push(", '') <> ")
                .push(column),
            None => self,
        }
    }

    /// Adds `(…, …)` with a placeholder for each value. Not for an empty list.
    pub(crate) fn push_list(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.varies = true;
        for (i, value) in values.into_iter().enumerate() {
            self.text.to_mut().push(if i == 0 { '(' } else { ',' });
            self.placeholder(value);
        }
        self.text.to_mut().push(')');
        self
    }

    fn placeholder(&mut self, value: Value) {
        self.values.push(value);
        let number = self.values.len();
        // Writing to a String cannot fail.
        write!(self.text.to_mut(), "${number}").ok();
    }

    pub(super) fn for_postgres(self) -> Result<Bound<PgArguments>, sqlx::Error> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            value.add_to(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        Ok(Bound::new(self.text, arguments, self.varies))
    }

    pub(super) fn for_sqlite(self) -> Result<Bound<SqliteArguments>, sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            value.add_to(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        Ok(Bound::new(self.text, arguments, self.varies))
    }
}

/// A statement for one database.
pub(super) struct Bound<A> {
    /// Made of literals only, see [`Query`].
    pub(super) text: AssertSqlSafe<Cow<'static, str>>,
    pub(super) arguments: A,
    pub(super) keep: bool,
}

impl<A> Bound<A> {
    fn new(text: Cow<'static, str>, arguments: A, varies: bool) -> Self {
        Self {
            text: AssertSqlSafe(text),
            arguments,
            keep: !varies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_get_the_numbers_of_their_placeholders() {
        let query = sql("SELECT 1 WHERE a = $1 AND b = $2")
            .bind(1_i64)
            .bind("x")
            .push_some(" AND c = ", Some(3_i64))
            .push_some(" AND d = ", None::<i64>)
            .push(" AND e IN ")
            .push_list([Value::from("p"), Value::from("q")]);
        assert_eq!(
            query.text,
            "SELECT 1 WHERE a = $1 AND b = $2 AND c = $3 AND e IN ($4,$5)"
        );
        assert_eq!(query.values.len(), 5);
    }
}
