//! Costs counted again.
//!
//! One batch is one transaction: each record is changed only if it still costs what it cost when it was read, so two
//! backfills, or one that is done twice, never count a difference twice; the differences of those that changed go into the
//! hourly sums and into what subjects have spent, at the minute at which the call is booked. A minute that was folded
//! into its day long ago stands by itself until the next folding, as that of a late record does.

use penstock_core::id::{ProviderId, RequestId};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use uuid::Uuid;

use super::Database;
use super::records::{LedgerRow, in_range};
use super::rollup::Rollup;
use super::spend::Spent;
use crate::api::error::Error;
use crate::api::recharge::{PriceBackfill, Recharge};
use crate::api::usage::UsageFilter;
use crate::sql::fault::{Attempts, Fault};
use crate::sql::query::sql;
use crate::sql::tx::Tx;

const MAX_RECORDS: u32 = 1000;

/// A record before and after, both as rows.
struct Change {
    old: LedgerRow,
    new: LedgerRow,
}

#[derive(sqlx::FromRow)]
struct BackfillRow {
    id: Uuid,
    actor: String,
    reason: String,
    started_at: i64,
    finished_at: Option<i64>,
    range_from: i64,
    range_to: i64,
    model: Option<String>,
    provider_id: Option<Uuid>,
    through_id: Option<Uuid>,
    scanned: i64,
    changed: i64,
    skipped: i64,
    before_nanousd: i64,
    after_nanousd: i64,
}

impl Database {
    pub(super) async fn records_after(
        &self,
        filter: &UsageFilter,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<UsageRecord>, Error> {
        let query = in_range(
            sql(concat!(
                "SELECT ",
                super::records::columns!(),
                ", NULL AS decision FROM usage_records WHERE started_at >= $1 AND started_at < $2"
            )),
            filter,
        )
        .push_some(" AND id > ", after.map(|id| id.0))
        .push(" ORDER BY id LIMIT ")
        .push_bind(limit.min(MAX_RECORDS));
        let mut tx = self.pools.read().await?;
        let rows: Vec<LedgerRow> = tx.fetch_all(query).await?;
        tx.commit().await?;
        Ok(rows.into_iter().filter_map(LedgerRow::readable).collect())
    }

    pub(super) async fn count_records(&self, filter: &UsageFilter) -> Result<u64, Error> {
        let query = in_range(
            sql("SELECT COUNT(*) FROM usage_records WHERE started_at >= $1 AND started_at < $2"),
            filter,
        );
        let mut tx = self.pools.read().await?;
        let (count,): (i64,) = tx.fetch_one(query).await?;
        tx.commit().await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    pub(super) async fn recharge_records(
        &self,
        recharges: &[Recharge],
        progress: &PriceBackfill,
    ) -> Result<u64, Error> {
        let mut changes = Vec::with_capacity(recharges.len());
        for Recharge { record, charge } in recharges {
            let after = UsageRecord {
                cost: charge.cost,
                price: charge.price.clone(),
                unpriced: charge.unpriced,
                ..record.clone()
            };
            // A cost that cannot be stored stays what it was.
            if let (Ok(old), Ok(new)) = (LedgerRow::new(record), LedgerRow::new(&after)) {
                changes.push(Change { old, new });
            }
        }
        changes.sort_by_key(|change| change.old.id);
        let mut attempts = Attempts::default();
        loop {
            match self.attempt_recharge(&changes, progress).await {
                Ok(changed) => return Ok(changed),
                Err(fault) => attempts.again(fault).await?,
            }
        }
    }

    async fn attempt_recharge(&self, changes: &[Change], progress: &PriceBackfill) -> Result<u64, Fault> {
        let mut tx = self.pools.write().await?;
        let (mut rollup, mut spent) = (Rollup::default(), Spent::default());
        let mut changed = 0;
        for change in changes {
            if write_one(&mut tx, change).await? {
                changed += 1;
                rollup.adjust(&change.old, &change.new);
                spent.adjust(&change.old, &change.new);
            }
        }
        rollup.write(&mut tx).await?;
        spent.write(&mut tx).await?;
        rollup.write_shared(&mut tx).await?;
        write_progress(&mut tx, progress, changed).await?;
        tx.commit().await?;
        Ok(changed)
    }

    pub(super) async fn newest_backfills(&self, limit: u32) -> Result<Vec<PriceBackfill>, Error> {
        let query = sql(
            "SELECT id, actor, reason, started_at, finished_at, range_from, range_to, model, provider_id, through_id, \
             scanned, changed, skipped, before_nanousd, after_nanousd FROM price_backfills \
             ORDER BY started_at DESC, id DESC LIMIT ",
        );
        let mut tx = self.pools.read().await?;
        let rows: Vec<BackfillRow> = tx.fetch_all(query.push_bind(limit)).await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(BackfillRow::backfill).collect())
    }
}

/// False: it does not cost any more what it did.
async fn write_one(tx: &mut Tx, change: &Change) -> Result<bool, sqlx::Error> {
    let Change { old, new } = change;
    let query = sql(
        "UPDATE usage_records SET cost_nanousd = $3, price_name = $4, price_version = $5, unpriced = $6 \
         WHERE id = $1 AND cost_nanousd = $2",
    );
    let query = query
        .bind(old.id)
        .bind(old.cost_nanousd)
        .bind(new.cost_nanousd)
        .bind(new.price_name.as_deref())
        .bind(new.price_version)
        .bind(new.unpriced.as_deref());
    Ok(tx.execute(query).await? == 1)
}

async fn write_progress(tx: &mut Tx, backfill: &PriceBackfill, changed: u64) -> Result<(), sqlx::Error> {
    let query = sql(
        "INSERT INTO price_backfills (id, actor, reason, started_at, finished_at, range_from, range_to, model, \
         provider_id, through_id, scanned, changed, skipped, before_nanousd, after_nanousd) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT (id) DO UPDATE SET finished_at = excluded.finished_at, through_id = excluded.through_id, \
         scanned = excluded.scanned, changed = excluded.changed, skipped = excluded.skipped, \
         before_nanousd = excluded.before_nanousd, after_nanousd = excluded.after_nanousd",
    );
    let query = query
        .bind(backfill.id)
        .bind(&backfill.actor)
        .bind(&backfill.reason)
        .bind(backfill.started_at)
        .bind(backfill.finished_at)
        .bind(backfill.from)
        .bind(backfill.to)
        .bind(backfill.model.as_deref())
        .bind(backfill.provider.map(|id| id.0))
        .bind(backfill.through.map(|id| id.0))
        .bind(backfill.scanned)
        .bind(backfill.changed.saturating_add(changed))
        .bind(backfill.skipped)
        .bind(backfill.before.0)
        .bind(backfill.after.0);
    tx.execute(query).await?;
    Ok(())
}

impl BackfillRow {
    fn backfill(self) -> PriceBackfill {
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        PriceBackfill {
            id: self.id,
            actor: self.actor,
            reason: self.reason,
            started_at: UnixMs(self.started_at),
            finished_at: self.finished_at.map(UnixMs),
            from: UnixMs(self.range_from),
            to: UnixMs(self.range_to),
            model: self.model,
            provider: self.provider_id.map(ProviderId),
            through: self.through_id.map(RequestId),
            scanned: count(self.scanned),
            changed: count(self.changed),
            skipped: count(self.skipped),
            before: NanoUsd(self.before_nanousd),
            after: NanoUsd(self.after_nanousd),
        }
    }
}
