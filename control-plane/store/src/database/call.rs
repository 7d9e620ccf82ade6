//! One call of the ledger, with its decision.
//!
//! A decision stands in its row as JSON text. One that cannot be read, since a newer release wrote it, is left out with a
//! line in the log: the record itself is worth more.

use penstock_core::id::RequestId;
use penstock_core::usage::UsageRecord;
use penstock_core::usage::decision::Decision;

use super::Database;
use super::records::{LedgerRow, columns};
use crate::api::error::Error;
use crate::sql::query::sql;

impl Database {
    pub(super) async fn one_record(&self, id: RequestId) -> Result<Option<UsageRecord>, Error> {
        let query = sql(concat!(
            "SELECT ",
            columns!(),
            ", decision FROM usage_records WHERE id = $1"
        ))
        .bind(id.0);
        let mut tx = self.pools.read().await?;
        let row: Option<LedgerRow> = tx.fetch_optional(query).await?;
        tx.commit().await?;
        let damaged = |problem| Error::Corrupt {
            label: format!("usage record {id}"),
            problem,
        };
        row.map(LedgerRow::record).transpose().map_err(damaged)
    }
}

pub(super) fn write(decision: &Decision) -> Option<String> {
    serde_json::to_string(decision).ok()
}

pub(super) fn read(text: &str) -> Option<Box<Decision>> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::warn!(%error, "the decision of a usage record cannot be read"))
        .ok()
}
