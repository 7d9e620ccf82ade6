//! Statements that run on both databases.
//!
//! The SQL that Postgres and SQLite have in common is enough for nearly everything here, placeholders included (`$1`),
//! so each statement is written once as a `Query` and each row is read once by `sqlx::FromRow`. A `Tx` carries it
//! to the database that is there. What only one of them can do is in `postgres/` and `sqlite/`.
//!
//! Text is put together from `&'static str` only and values are always bound: a caller's text cannot become SQL.

pub(crate) mod fault;
pub(crate) mod query;
pub(crate) mod tx;
pub(crate) mod value;
