//! What subjects have spent: what a batch of new records adds to it, and how far its spool is delivered.
//!
//! Each call counts for its key, its user and its provider: in the minute at which it is booked, and in the total. The
//! totals hold everything that was ever spent, so they need no look at the past.

use std::collections::BTreeMap;

use penstock_core::limits::Level;
use uuid::Uuid;

use super::records::LedgerRow;
use crate::api::spend::Delivered;
use crate::sql::query::sql;
use crate::sql::tx::Tx;
use crate::sql::value::Value;

pub(super) const MINUTE_MS: i64 = 60_000;

/// How many rows one statement writes on SQLite, which allows 32 766 values in one.
const CHUNK: usize = 500;

/// Whose row. The order is that in which rows are locked, the same in every batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    pub(crate) kind: &'static str,
    pub(crate) id: Uuid,
}

/// The spend of some records, by minute.
#[derive(Default)]
pub(super) struct Spent {
    by_minute: BTreeMap<(Subject, i64), i64>,
}

/// What is added to spend by minute and to the totals, in the order of locking.
pub(crate) struct Additions {
    pub(crate) minutes: Vec<(Subject, i64, i64)>,
    pub(crate) totals: Vec<(Subject, i64)>,
}

impl Spent {
    pub(super) fn add(&mut self, row: &LedgerRow) {
        self.book(row, row.cost_nanousd);
    }

    /// The same record costs something else.
    pub(super) fn adjust(&mut self, old: &LedgerRow, new: &LedgerRow) {
        self.book(old, new.cost_nanousd - old.cost_nanousd);
    }

    fn book(&mut self, row: &LedgerRow, amount: i64) {
        if amount == 0 {
            return;
        }
        let booked = row.booked_at();
        let minute = booked - booked.rem_euclid(MINUTE_MS);
        let subjects = [
            (Level::Key, Some(row.key_id)),
            (Level::User, Some(row.user_id)),
            (Level::Provider, row.provider_id),
        ];
        for (level, id) in subjects {
            if let Some(id) = id {
                let kind = level.as_str();
                *self.by_minute.entry((Subject { kind, id }, minute)).or_default() += amount;
            }
        }
    }

    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        let mut totals: BTreeMap<Subject, i64> = BTreeMap::new();
        for ((subject, _), cost) in &self.by_minute {
            *totals.entry(*subject).or_default() += cost;
        }
        let minutes = self.by_minute.into_iter();
        let additions = Additions {
            minutes: minutes
                .map(|((subject, minute), cost)| (subject, minute, cost))
                .collect(),
            totals: totals.into_iter().collect(),
        };
        if additions.minutes.is_empty() {
            return Ok(());
        }
        match tx {
            Tx::Postgres(tx) => crate::postgres::spend::add(tx, &additions).await,
            Tx::Sqlite(_) => add_in_chunks(tx, &additions).await,
        }
    }
}

async fn add_in_chunks(tx: &mut Tx, additions: &Additions) -> Result<(), sqlx::Error> {
    for chunk in additions.minutes.chunks(CHUNK) {
        let mut query =
            sql("INSERT INTO spend_minutes (subject_kind, subject_id, minute, cost_nanousd) VALUES ");
        for (i, (subject, minute, cost)) in chunk.iter().enumerate() {
            let row: [Value; 4] = [
                subject.kind.into(),
                subject.id.into(),
                (*minute).into(),
                (*cost).into(),
            ];
            query = query.push(if i == 0 { "" } else { ", " }).push_list(row);
        }
        let query = query.push(
            " ON CONFLICT (subject_kind, subject_id, minute) \
             DO UPDATE SET cost_nanousd = spend_minutes.cost_nanousd + excluded.cost_nanousd",
        );
        tx.execute(query).await?;
    }
    for chunk in additions.totals.chunks(CHUNK) {
        let mut query = sql("INSERT INTO spend_totals (subject_kind, subject_id, total_nanousd) VALUES ");
        for (i, (subject, cost)) in chunk.iter().enumerate() {
            let row: [Value; 3] = [subject.kind.into(), subject.id.into(), (*cost).into()];
            query = query.push(if i == 0 { "" } else { ", " }).push_list(row);
        }
        let query = query.push(
            " ON CONFLICT (subject_kind, subject_id) \
             DO UPDATE SET total_nanousd = spend_totals.total_nanousd + excluded.total_nanousd",
        );
        tx.execute(query).await?;
    }
    Ok(())
}

/// A batch that is sent again never lowers the mark.
pub(super) async fn raise_mark(tx: &mut Tx, delivered: Delivered) -> Result<(), sqlx::Error> {
    let query = sql(
        "INSERT INTO spool_marks (spool_id, through_sequence, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (spool_id) DO UPDATE SET updated_at = excluded.updated_at, \
         through_sequence = CASE WHEN spool_marks.through_sequence < excluded.through_sequence \
         THEN excluded.through_sequence ELSE spool_marks.through_sequence END",
    );
    let query = query.bind(delivered.spool).bind(delivered.through);
    tx.execute(query.bind(delivered.at)).await?;
    Ok(())
}
