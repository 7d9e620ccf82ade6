//! Rows of whole tables, out and in again, for backups.
//!
//! Statements are put together from the table's description, whose names are literals of ours. Every column is read as
//! text and given the type that the description says, so one reader serves all tables on both databases.

use async_trait::async_trait;
use penstock_core::id::RequestId;
use penstock_core::invalid::Invalid;
use penstock_core::usage::UsageRecord;
use serde_json::Value as Json;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::records::{LedgerRow, columns};
use super::{Database, alerts};
use crate::api::alert::Webhook;
use crate::api::archive::{Archive, ArchiveRow, ArchiveTable, Column, ColumnKind, Merge};
use crate::api::error::Error;
use crate::api::operator::StoredOperator;
use crate::sql::fault::{Attempts, Fault};
use crate::sql::query::{Query, sql};
use crate::sql::tx::Tx;
use crate::sql::value::Value;

/// Of one statement, which SQLite allows 32 766.
const MAX_VALUES: usize = 16_000;
const MAX_ROWS: u32 = 1_000;
/// Of a table and its partitions. What was never analysed has none, which Postgres says as -1.
const ESTIMATE: &str = "SELECT CAST(COALESCE(SUM(GREATEST(reltuples, 0)), 0) AS BIGINT) FROM pg_class \
    WHERE relkind <> 'p' AND (oid = to_regclass($1) \
    OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass($1)))";

/// A row as texts, in the order of the columns.
struct Texts(Vec<Option<String>>);

impl<'r> FromRow<'r, PgRow> for Texts {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        (0..row.len())
            .map(|i| row.try_get(i))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl<'r> FromRow<'r, SqliteRow> for Texts {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        (0..row.len())
            .map(|i| row.try_get(i))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[async_trait]
impl Archive for Database {
    async fn usage_with_decisions(
        &self,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<UsageRecord>, Error> {
        let query = sql(concat!(
            "SELECT ",
            columns!(),
            ", decision FROM usage_records WHERE id > $1 ORDER BY id LIMIT "
        ))
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .push_bind(limit.min(MAX_ROWS));
        let mut tx = self.pools.read().await?;
        let rows: Vec<LedgerRow> = tx.fetch_all(query).await?;
        tx.commit().await?;
        let damaged = |problem| Error::Corrupt {
            label: "a usage record".to_owned(),
            problem,
        };
        rows.into_iter()
            .map(|row| row.record().map_err(damaged))
            .collect()
    }

    async fn about_rows(&self, table: &'static str, counted: u32) -> Result<u64, Error> {
        let mut tx = self.pools.read().await?;
        let query = sql("SELECT COUNT(*) FROM (SELECT 1 FROM ")
            .push(table)
            .push(" LIMIT ");
        let (rows,): (i64,) = tx
            .fetch_one(query.push_bind(counted).push(") AS counted"))
            .await?;
        let estimated = match &tx {
            Tx::Postgres(_) if rows == i64::from(counted) => {
                let (rows,): (i64,) = tx.fetch_one(sql(ESTIMATE).bind(table)).await?;
                rows
            }
            Tx::Postgres(_) | Tx::Sqlite(_) => 0,
        };
        tx.commit().await?;
        Ok(rows.max(estimated).unsigned_abs())
    }

    async fn archive_rows(
        &self,
        table: &'static ArchiveTable,
        after: Option<&ArchiveRow>,
        limit: u32,
    ) -> Result<Vec<ArchiveRow>, Error> {
        let mut tx = self.pools.read().await?;
        let query = select(table, &tx, after)?.push_bind(limit.min(MAX_ROWS));
        let rows: Vec<Texts> = tx.fetch_all(query).await?;
        tx.commit().await?;
        rows.into_iter().map(|row| read(table, row)).collect()
    }

    async fn restore_operator(&self, operator: &StoredOperator) -> Result<bool, Error> {
        self.bring_operator_back(operator).await
    }

    async fn restore_webhook(&self, webhook: &Webhook) -> Result<bool, Error> {
        alerts::bring_webhook_back(&self.pools, webhook).await
    }

    async fn restore_rows(&self, table: &'static ArchiveTable, rows: &[ArchiveRow]) -> Result<u64, Error> {
        rows.iter().try_for_each(|row| table.check(row))?;
        let mut attempts = Attempts::default();
        loop {
            match self.attempt_table(table, rows).await {
                Ok(changed) => return Ok(changed),
                Err(fault) => attempts.again(fault).await?,
            }
        }
    }
}

impl Database {
    async fn attempt_table(&self, table: &'static ArchiveTable, rows: &[ArchiveRow]) -> Result<u64, Fault> {
        let mut tx = self.pools.write().await?;
        let mut changed = 0;
        for rows in rows.chunks(MAX_VALUES / table.columns.len().max(1)) {
            changed += tx.execute(insert(table, rows)?).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }
}

/// Ends before the number of rows.
fn select(table: &'static ArchiveTable, tx: &Tx, after: Option<&ArchiveRow>) -> Result<Query, Error> {
    let mut query = sql("SELECT ");
    for (i, column) in table.columns.iter().enumerate() {
        let hex = column.kind == ColumnKind::Uuid && matches!(tx, Tx::Sqlite(_));
        let (open, close) = if hex {
            ("hex(", ")")
        } else {
            ("CAST(", " AS TEXT)")
        };
        query = query
            .push(if i == 0 { "" } else { ", " })
            // hex() of NULL is an empty text.
            .push(if hex { "nullif(" } else { "" })
            .push(open)
            .push(column.name)
            .push(close)
            .push(if hex { ", '')" } else { "" });
    }
    query = query.push(" FROM ").push(table.name);
    if let Some(after) = after {
        query = names(query.push(" WHERE "), table.key_columns()).push(" > ");
        query = query.push_list(values(table.key_columns(), after)?);
    }
    query = query.push(" ORDER BY ");
    for (i, column) in table.key_columns().iter().enumerate() {
        query = query.push(if i == 0 { "" } else { ", " }).push(column.name);
    }
    Ok(query.push(" LIMIT "))
}

fn insert(table: &'static ArchiveTable, rows: &[ArchiveRow]) -> Result<Query, Error> {
    let mut query = sql("INSERT INTO ").push(table.name).push(" AS t ");
    query = names(query, table.columns).push(" VALUES ");
    for (i, row) in rows.iter().enumerate() {
        query = query.push(if i == 0 { "" } else { ", " });
        query = query.push_list(values(table.columns, row)?);
    }
    query = names(query.push(" ON CONFLICT "), table.key_columns());
    if table.merge == Merge::Keep {
        return Ok(query.push(" DO NOTHING"));
    }
    query = query.push(" DO UPDATE SET ");
    for (i, Column { name, .. }) in table.other_columns().iter().enumerate() {
        query = query.push(if i == 0 { "" } else { ", " }).push(name);
        query = query
            .push(" = CASE WHEN excluded.")
            .push(name)
            .push(" > t.")
            .push(name);
        query = query
            .push(" THEN excluded.")
            .push(name)
            .push(" ELSE t.")
            .push(name);
        query = query.push(" END");
    }
    for (i, Column { name, .. }) in table.other_columns().iter().enumerate() {
        query = query.push(if i == 0 {
            " WHERE excluded."
        } else {
            " OR excluded."
        });
        query = query.push(name).push(" > t.").push(name);
    }
    Ok(query)
}

/// `(a, b)`
fn names(query: Query, columns: &'static [Column]) -> Query {
    let mut query = query;
    for (i, column) in columns.iter().enumerate() {
        query = query.push(if i == 0 { "(" } else { ", " }).push(column.name);
    }
    query.push(")")
}

fn values(columns: &[Column], row: &ArchiveRow) -> Result<Vec<Value>, Error> {
    columns.iter().map(|column| value(column, row)).collect()
}

fn value(column: &Column, row: &ArchiveRow) -> Result<Value, Error> {
    let bad = || Error::from(Invalid::new(column.name, "is not of the column's type"));
    let json = row.get(column.name).unwrap_or(&Json::Null);
    Ok(match (column.kind, json) {
        (ColumnKind::Int, Json::Null) => Value::Int(None),
        (ColumnKind::Text, Json::Null) => Value::Text(None),
        (ColumnKind::Uuid, Json::Null) => Value::Uuid(None),
        (ColumnKind::Bool, Json::Bool(flag)) => Value::Bool(*flag),
        (ColumnKind::Json, Json::Object(_)) => Value::Json(Some(json.clone())),
        (ColumnKind::Int, Json::Number(number)) => Value::Int(Some(number.as_i64().ok_or_else(bad)?)),
        (ColumnKind::Text, Json::String(text)) => Value::from(text),
        (ColumnKind::Uuid, Json::String(text)) => Value::from(Uuid::parse_str(text).map_err(|_| bad())?),
        (_, _) => return Err(bad()),
    })
}

fn read(table: &ArchiveTable, row: Texts) -> Result<ArchiveRow, Error> {
    let mut read = ArchiveRow::new();
    for (column, text) in table.columns.iter().zip(row.0) {
        let Some(text) = text else { continue };
        let damaged = |problem: String| Error::Corrupt {
            label: format!("a row of {}", table.name),
            problem,
        };
        let json = match column.kind {
            ColumnKind::Int => Json::from(text.parse::<i64>().map_err(|e| damaged(e.to_string()))?),
            ColumnKind::Text => Json::String(text),
            // Postgres says it in a word, SQLite by a number.
            ColumnKind::Bool => Json::Bool(matches!(text.as_str(), "true" | "1")),
            ColumnKind::Json => serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?,
            ColumnKind::Uuid => {
                let id = Uuid::parse_str(&text).map_err(|e| damaged(e.to_string()))?;
                Json::String(id.to_string())
            }
        };
        read.insert(column.name.to_owned(), json);
    }
    Ok(read)
}
