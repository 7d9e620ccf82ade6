//! Connections and transactions of the one or the other database.
//!
//! Every statement runs in a transaction. Reads see one moment (Postgres: REPEATABLE READ; SQLite: a deferred
//! transaction on the write-ahead log). Writes on SQLite take the one write lock at their start.
//!
//! Postgres ends a statement that takes too long by itself; a Postgres that went away without a word (a lost network)
//! says nothing for as long as TCP believes in it. So statements there are bounded on this side, too.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use super::query::Query;

/// The connections to the database.
#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Postgres(PgPool),
    /// One connection writes; of the others any number read meanwhile. In memory both are the same one connection.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
}

/// An open transaction. Dropped without [`Tx::commit`], it is rolled back.
pub(crate) enum Tx {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

/// A row that both databases can give.
pub(crate) trait Row:
    for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}

impl<T> Row for T where T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}

/// Longer than any statement may take on the server (`statement_timeout`).
const ANSWER: Duration = Duration::from_secs(35);

/// Waits for Postgres, but not for ever.
pub(crate) async fn answered<T>(
    asking: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(ANSWER, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            "no answer; the connection may be broken",
        ))),
    }
}

impl Pools {
    /// A consistent read.
    pub(crate) async fn read(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Postgres(pool) => {
                let begin = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
                Tx::Postgres(answered(begin).await?)
            }
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
        })
    }

    pub(crate) async fn write(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Postgres(pool) => Tx::Postgres(answered(pool.begin()).await?),
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
        })
    }

    /// Writes that see one moment, as reads do: on Postgres they fail when a row of theirs was changed after it.
    pub(crate) async fn write_one_moment(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Postgres(pool) => {
                let begin = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ");
                Tx::Postgres(answered(begin).await?)
            }
            Self::Sqlite { .. } => self.write().await?,
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

impl Tx {
    /// How many rows the statement touched.
    pub(crate) async fn execute(&mut self, query: Query) -> Result<u64, sqlx::Error> {
        match self {
            Self::Postgres(tx) => {
                let q = query.for_postgres()?;
                let run = sqlx::query_with(q.text, q.arguments).persistent(q.keep);
                Ok(answered(run.execute(&mut **tx)).await?.rows_affected())
            }
            Self::Sqlite(tx) => {
                let q = query.for_sqlite()?;
                let run = sqlx::query_with(q.text, q.arguments).persistent(q.keep);
                Ok(run.execute(&mut **tx).await?.rows_affected())
            }
        }
    }

    pub(crate) async fn fetch_all<R: Row>(&mut self, query: Query) -> Result<Vec<R>, sqlx::Error> {
        match self {
            Self::Postgres(tx) => {
                let q = query.for_postgres()?;
                let run = sqlx::query_as_with(q.text, q.arguments).persistent(q.keep);
                answered(run.fetch_all(&mut **tx)).await
            }
            Self::Sqlite(tx) => {
                let q = query.for_sqlite()?;
                let run = sqlx::query_as_with(q.text, q.arguments).persistent(q.keep);
                run.fetch_all(&mut **tx).await
            }
        }
    }

    /// The first row, for statements that give at most one.
    pub(crate) async fn fetch_optional<R: Row>(&mut self, query: Query) -> Result<Option<R>, sqlx::Error> {
        Ok(self.fetch_all(query).await?.into_iter().next())
    }

    /// For statements that always give one row.
    pub(crate) async fn fetch_one<R: Row>(&mut self, query: Query) -> Result<R, sqlx::Error> {
        self.fetch_optional(query).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Whether a `SELECT 1 …` finds anything.
    pub(crate) async fn exists(&mut self, query: Query) -> Result<bool, sqlx::Error> {
        Ok(!self.fetch_all::<(i32,)>(query).await?.is_empty())
    }

    /// Also the polite end of a read.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(tx) => answered(tx.commit()).await,
            Self::Sqlite(tx) => tx.commit().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn g03_a_database_that_never_answers_is_not_waited_for_for_ever() {
        let silence = std::future::pending::<Result<(), sqlx::Error>>();
        let error = answered(silence).await.unwrap_err();
        assert!(error.to_string().contains("no answer"), "{error}");
        let error = crate::api::error::Error::from(error);
        assert!(error.is_retryable());
    }
}
