//! Tables that backups take along row by row, described as data.
//!
//! What is configuration goes through commits and is not here. A table is here when its rows can be written again as
//! they were: sums, marks, notes of what was done. To take another table along, describe it in a file below `archive/`
//! and name it in [`TABLES`](crate::TABLES). What stays behind, or goes along in another way, is in
//! [`OTHER_TABLES`](crate::OTHER_TABLES): a test holds both against the databases.

mod column;

use async_trait::async_trait;
use penstock_core::id::RequestId;
use penstock_core::invalid::Invalid;
use penstock_core::usage::UsageRecord;
use serde_json::{Map, Value};

pub use self::column::{Column, ColumnKind, Says};
use super::alert::Webhook;
use super::error::Error;
use super::operator::StoredOperator;

/// One row: its columns by name. Ids and bytes are text (hyphenated, hexadecimal), JSON is JSON.
pub type ArchiveRow = Map<String, Value>;

/// A table and how its rows come back.
#[derive(Debug)]
pub struct ArchiveTable {
    /// As the database names it; also the name of the backup's section.
    pub name: &'static str,
    /// Those of the primary key first, in its order.
    pub columns: &'static [Column],
    /// How many of the columns are the primary key's.
    pub key: usize,
    pub merge: Merge,
    /// Whether it belongs to the ledger and the logs, which backups take along only when asked.
    pub ledger: bool,
}

/// What becomes of a table that no [`ArchiveTable`] describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its rows are in this section of a backup, in a form of their own.
    Section(&'static str),
    /// It stays behind, for this reason.
    Left(&'static str),
}

/// What happens to a row that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// It stays.
    Keep,
    /// Of each number the greater one stays. For numbers that only grow: however often rows are written again, and
    /// whatever was counted meanwhile, nothing is counted twice.
    Greatest,
}

impl ArchiveTable {
    /// Whether a row can be written, into either database. A restore asks this of all rows before it writes the first.
    pub fn check(&self, row: &ArchiveRow) -> Result<(), Invalid> {
        let mut columns = self.columns.iter();
        columns.try_for_each(|column| column.check(row.get(column.name).unwrap_or(&Value::Null)))
    }

    /// Those of the primary key.
    pub fn key_columns(&self) -> &'static [Column] {
        self.columns.get(..self.key).unwrap_or_default()
    }

    /// All others.
    pub fn other_columns(&self) -> &'static [Column] {
        self.columns.get(self.key..).unwrap_or_default()
    }
}

/// The part of the store that backups are made from, beside the configuration. Calls are bounded in time as those of
/// [`Store`](crate::Store) are.
#[async_trait]
pub trait Archive {
    /// About how many rows the table of this name has: counted up to `counted`, beyond it as Postgres estimates them
    /// (SQLite does not: there it is `counted` then). So it is quick, whatever the table's size.
    async fn about_rows(&self, table: &'static str, counted: u32) -> Result<u64, Error>;

    /// Rows of a table behind that of `after`, in the order of its key, at most `limit` (at most 1000).
    async fn archive_rows(
        &self,
        table: &'static ArchiveTable,
        after: Option<&ArchiveRow>,
        limit: u32,
    ) -> Result<Vec<ArchiveRow>, Error>;

    /// Writes rows again, as [`Merge`] says, in one transaction. How many were not there, or grew. [`Error::Invalid`]
    /// for a row that does not fit the table.
    async fn restore_rows(&self, table: &'static ArchiveTable, rows: &[ArchiveRow]) -> Result<u64, Error>;

    /// Usage records with ids above `after`, by id, at most `limit` (at most 1000), with their decisions.
    async fn usage_with_decisions(
        &self,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<UsageRecord>, Error>;

    /// Writes an account that comes back, as it was, and tells other replicas. False, and nothing is written: its id, its
    /// name or its token is there already.
    async fn restore_operator(&self, operator: &StoredOperator) -> Result<bool, Error>;

    /// Writes a webhook that comes back, as it was. False, and nothing is written: its id or its name is there already.
    async fn restore_webhook(&self, webhook: &Webhook) -> Result<bool, Error>;
}
