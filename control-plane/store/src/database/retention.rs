//! Cleaning: old records go, in steps that nobody waits for.
//!
//! One list, [`KINDS`], says for each kind of records where they are and what tells their age. A step takes away at most
//! [`STEP`] rows in one transaction, the oldest first, by an index; whoever calls makes pauses between the steps. Ingest
//! only ever inserts new rows, so the two wait for each other nowhere (on SQLite for one step, some milliseconds). A step
//! that another transaction is in the way of is done again. Killed anywhere, the next call goes on.
//!
//! On Postgres a month's partition of `usage_records` that holds nothing young is dropped whole
//! ([`crate::postgres::retention`]).
//!
//! Sums (`usage_rollups`, `usage_days`, `usage_traffic`, `usage_outcomes`, `spend_*`) are never touched. How far records
//! are cleaned is written no later than the first of them goes: see [`super::cleaned`].

use penstock_core::time::UnixMs;

use super::Database;
use super::records::first_id;
use crate::api::error::Error;
use crate::api::retention::{Aged, Cleaned, Retained};
use crate::sql::fault::{Attempts, Fault};
use crate::sql::query::sql;
use crate::sql::tx::{Pools, Tx};
use crate::sql::value::{Value, int};

/// Rows of one step.
const STEP: u64 = 2_000;

/// A kind of records: its statements, which all end with a bound of age.
struct Kind {
    kind: Retained,
    age: Age,
    /// The age of the row after so many of the oldest.
    bound: &'static str,
    delete: &'static str,
    count: &'static str,
}

/// What tells how old a row is.
enum Age {
    /// The time inside its id, a UUIDv7.
    Id,
    /// A column of Unix milliseconds.
    Column,
}

#[derive(Clone, Copy)]
struct Moment {
    /// What is older goes.
    before: UnixMs,
    now: UnixMs,
}

macro_rules! kind {
    ($kind:ident, $age:ident, $table:literal, $column:literal) => {
        Kind {
            kind: Retained::$kind,
            age: Age::$age,
            bound: concat!(
                "SELECT ",
                $column,
                " FROM ",
                $table,
                " WHERE ",
                $column,
                " < $1 ORDER BY ",
                $column,
                " LIMIT 1 OFFSET $2"
            ),
            delete: concat!("DELETE FROM ", $table, " WHERE ", $column, " < "),
            count: concat!("SELECT 1 FROM ", $table, " WHERE ", $column, " < "),
        }
    };
}

/// Every kind: its table, and the column that tells the age.
const KINDS: [Kind; 3] = [
    kind!(UsageRecords, Id, "usage_records", "id"),
    kind!(FailedCalls, Column, "failed_calls", "started_at"),
    kind!(AuditLog, Column, "audit_log", "at"),
];

impl Kind {
    fn of(kind: Retained) -> Result<&'static Self, Error> {
        let found = KINDS.iter().find(|known| known.kind == kind);
        found.ok_or_else(|| Error::NotFound {
            label: kind.as_str().to_owned(),
        })
    }

    fn age(&self, at: UnixMs) -> Value {
        match self.age {
            Age::Id => first_id(at.0).into(),
            Age::Column => at.into(),
        }
    }
}

impl Database {
    pub(super) async fn clean_some(
        &self,
        kind: Retained,
        before: UnixMs,
        now: UnixMs,
    ) -> Result<Cleaned, Error> {
        let kind = Kind::of(kind)?;
        let at = Moment { before, now };
        if let (Pools::Postgres(pool), Retained::UsageRecords) = (&self.pools, kind.kind) {
            self.mark_cleaned(kind, at, 0).await?;
            if let Some(dropped) = crate::postgres::retention::drop_oldest(pool, before).await? {
                self.mark_cleaned(kind, at, dropped).await?;
                return Ok(Cleaned {
                    rows: dropped,
                    partitions: 1,
                    more: true,
                });
            }
        }
        let mut attempts = Attempts::default();
        let rows = loop {
            match self.delete_some(kind, at).await {
                Ok(rows) => break rows,
                Err(fault) => attempts.again(fault).await?,
            }
        };
        Ok(Cleaned {
            rows,
            partitions: 0,
            more: rows >= STEP,
        })
    }

    async fn delete_some(&self, kind: &'static Kind, at: Moment) -> Result<u64, Fault> {
        let before = at.before;
        let mut tx = self.pools.write().await?;
        let bound = sql(kind.bound).bind(kind.age(before)).bind(int(STEP));
        let bound = match kind.age {
            Age::Id => {
                let found: Option<(uuid::Uuid,)> = tx.fetch_optional(bound).await?;
                found.map(|(id,)| Value::from(id))
            }
            Age::Column => {
                let found: Option<(i64,)> = tx.fetch_optional(bound).await?;
                // Those of its own millisecond go along, so that each step gets on.
                found.map(|(at,)| Value::from(at.saturating_add(1).min(before.0)))
            }
        };
        let rows = tx
            .execute(sql(kind.delete).push_bind(bound.unwrap_or_else(|| kind.age(before))))
            .await?;
        mark(&mut tx, kind, at, rows).await?;
        tx.commit().await?;
        Ok(rows)
    }

    async fn mark_cleaned(&self, kind: &Kind, at: Moment, rows: u64) -> Result<(), Error> {
        let mut tx = self.pools.write().await?;
        mark(&mut tx, kind, at, rows).await?;
        Ok(tx.commit().await?)
    }

    /// What is older than each of these instants.
    pub(super) async fn count_aged(&self, ages: &[(Retained, UnixMs)]) -> Result<Vec<Aged>, Error> {
        let mut aged = Vec::with_capacity(ages.len());
        for (kind, before) in ages {
            let kind = Kind::of(*kind)?;
            let partitions = match (&self.pools, kind.kind) {
                (Pools::Postgres(pool), Retained::UsageRecords) => {
                    crate::postgres::retention::count_old(pool, *before).await?
                }
                (Pools::Postgres(_) | Pools::Sqlite { .. }, _) => 0,
            };
            let mut tx = self.pools.read().await?;
            let rows = sql("SELECT COUNT(*) FROM (")
                .push(kind.count)
                .push_bind(kind.age(*before))
                .push(" LIMIT ")
                .push_bind(int(Aged::MAX_COUNT))
                .push(") AS old");
            let (rows,): (i64,) = tx.fetch_one(rows).await?;
            let mark = sql("SELECT cleaned_at, deleted FROM retention_marks WHERE kind = $1");
            let mark: Option<(i64, i64)> = tx.fetch_optional(mark.bind(kind.kind.as_str())).await?;
            tx.commit().await?;
            aged.push(Aged {
                kind: kind.kind,
                rows: rows.unsigned_abs(),
                partitions,
                cleaned_at: mark.map(|(at, _)| UnixMs(at)),
                deleted: mark.map_or(0, |(_, deleted)| deleted.unsigned_abs()),
            });
        }
        Ok(aged)
    }
}

/// Never lower: records that are gone stay gone when more days are kept.
async fn mark(tx: &mut Tx, kind: &Kind, at: Moment, rows: u64) -> Result<(), sqlx::Error> {
    let query = sql(
        "INSERT INTO retention_marks (kind, cleaned_before, cleaned_at, deleted) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind) DO UPDATE SET deleted = retention_marks.deleted + excluded.deleted, \
         cleaned_at = excluded.cleaned_at, cleaned_before = CASE \
         WHEN retention_marks.cleaned_before < excluded.cleaned_before THEN excluded.cleaned_before \
         ELSE retention_marks.cleaned_before END",
    );
    let query = query
        .bind(kind.kind.as_str())
        .bind(at.before)
        .bind(at.now)
        .bind(rows);
    tx.execute(query).await?;
    Ok(())
}
