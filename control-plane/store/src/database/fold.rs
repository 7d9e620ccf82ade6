//! Keeping what is spent by minute to the last 35 days.
//!
//! Older minutes are moved to sums of whole UTC days, some thousand at a time, so that no batch of usage waits long. A
//! record that comes very late makes a minute of its own again, which the next folding adds to its day. Nothing is ever
//! in both tables or in none: each step is one transaction, and it is done again when a batch changed the same minutes
//! meanwhile.

use penstock_core::time::UnixMs;

use super::Database;
use crate::api::error::Error;
use crate::api::spend::{first_minute_kept, kept_from};
use crate::sql::fault::{Attempts, Fault};
use crate::sql::query::sql;

/// Minutes of one step; those of one instant more or less.
const STEP: u32 = 5_000;
/// In one call. The next one goes on.
const MAX_STEPS: u32 = 2_000;

impl Database {
    pub(super) async fn fold(&self, now: UnixMs) -> Result<u64, Error> {
        self.forget_marks(kept_from(now).0).await?;
        let before = first_minute_kept(now).0;
        let mut moved = 0;
        for _ in 0..MAX_STEPS {
            let mut attempts = Attempts::default();
            let step = loop {
                match self.fold_some(before).await {
                    Ok(step) => break step,
                    Err(fault) => attempts.again(fault).await?,
                }
            };
            if step == 0 {
                break;
            }
            moved += step;
        }
        Ok(moved)
    }

    /// Moves the oldest minutes. How many.
    async fn fold_some(&self, before: i64) -> Result<u64, Fault> {
        let mut tx = self.pools.write_one_moment().await?;
        let bound =
            sql("SELECT minute FROM spend_minutes WHERE minute < $1 ORDER BY minute LIMIT 1 OFFSET $2");
        let bound: Option<(i64,)> = tx.fetch_optional(bound.bind(before).bind(STEP)).await?;
        // The whole of the last minute goes along, so that each step gets on.
        let end = bound.map_or(before, |(minute,)| minute.saturating_add(1));
        let days = sql(
            "INSERT INTO spend_days (subject_kind, subject_id, day, cost_nanousd) \
             SELECT subject_kind, subject_id, minute - minute % 86400000, CAST(SUM(cost_nanousd) AS BIGINT) \
             FROM spend_minutes WHERE minute < $1 \
             GROUP BY subject_kind, subject_id, minute - minute % 86400000 \
             ON CONFLICT (subject_kind, subject_id, day) \
             DO UPDATE SET cost_nanousd = spend_days.cost_nanousd + excluded.cost_nanousd",
        );
        tx.execute(days.bind(end)).await?;
        let gone = sql("DELETE FROM spend_minutes WHERE minute < $1");
        let moved = tx.execute(gone.bind(end)).await?;
        tx.commit().await?;
        Ok(moved)
    }

    async fn forget_marks(&self, since: i64) -> Result<(), Error> {
        let mut tx = self.pools.write().await?;
        let query = sql("DELETE FROM spool_marks WHERE updated_at < $1");
        tx.execute(query.bind(since)).await?;
        Ok(tx.commit().await?)
    }
}
