//! Taking in usage records, each once.
//!
//! One transaction inserts what is not there yet, adds exactly that to the hourly sums and to what its subjects have
//! spent, and raises the mark of the spool. Whoever sends a batch twice,
//! also at the same time through two replicas, changes nothing the second time: the second insert waits for the first
//! and then finds the ids taken. Rows are written in the order of their ids and sums in the order of their subjects,
//! so that batches rarely get in each other's way; when they do, the loser does its batch again. The sums that most
//! batches share (a provider's total) come last, so that batches wait for each other only for the end of a transaction.
//!
//! A record that cleaning took away is not known by its id any more: one that is sent again after so long is known by its
//! number in its spool ([`super::cleaned`]).

use std::collections::HashSet;

use penstock_core::usage::UsageRecord;
use uuid::Uuid;

use super::Database;
use super::cleaned;
use super::records::LedgerRow;
use super::rollup::Rollup;
use super::spend::{self, Spent};
use crate::api::error::Error;
use crate::api::spend::Delivered;
use crate::api::usage::Ingested;
use crate::sql::fault::{Attempts, Fault};
use crate::sql::tx::Tx;

/// A record that can be stored.
struct Entry {
    row: LedgerRow,
    answered: bool,
    /// Its number in its spool, or a little more.
    number: u64,
}

impl Database {
    pub(super) async fn ingest(
        &self,
        records: &[UsageRecord],
        delivered: Delivered,
    ) -> Result<Ingested, Error> {
        let mut refused = Vec::new();
        let mut entries = Vec::with_capacity(records.len());
        for (after, record) in (0_u64..).zip(records.iter().rev()) {
            match LedgerRow::new(record) {
                Ok(row) => entries.push(Entry {
                    row,
                    answered: record.outcome.answered(),
                    number: delivered.through.saturating_sub(after),
                }),
                Err(problem) => refused.push((record.id, problem)),
            }
        }
        entries.sort_by_key(|entry| entry.row.id);
        entries.dedup_by_key(|entry| entry.row.id);
        let mut attempts = Attempts::default();
        loop {
            match self.attempt_ingest(&entries, delivered).await {
                Ok(fresh) => return Ok(Ingested { fresh, refused }),
                Err(fault) => attempts.again(fault).await?,
            }
        }
    }

    async fn attempt_ingest(&self, entries: &[Entry], delivered: Delivered) -> Result<u64, Fault> {
        let mut tx = self.pools.write().await?;
        let known_to =
            cleaned::counted_to(&mut tx, entries.first().map(|entry| entry.row.id), delivered).await?;
        let entries = entries
            .iter()
            .filter(|entry| !known_to.holds(entry.row.id, entry.number));
        let rows = entries.clone().map(|entry| &entry.row);
        let fresh: HashSet<Uuid> = match &mut tx {
            Tx::Postgres(tx) => crate::postgres::ledger::insert(tx, rows).await?,
            Tx::Sqlite(tx) => crate::sqlite::ledger::insert(tx, rows).await?,
        };
        let (mut rollup, mut spent) = (Rollup::default(), Spent::default());
        for entry in entries.filter(|entry| fresh.contains(&entry.row.id)) {
            rollup.add(&entry.row, entry.answered);
            spent.add(&entry.row);
        }
        rollup.write(&mut tx).await?;
        spent.write(&mut tx).await?;
        rollup.write_shared(&mut tx).await?;
        spend::raise_mark(&mut tx, delivered).await?;
        tx.commit().await?;
        Ok(u64::try_from(fresh.len()).unwrap_or(u64::MAX))
    }
}
