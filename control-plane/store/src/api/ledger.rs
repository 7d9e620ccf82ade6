//! The part of the store that answers questions to the ledger, and cleans old records.

use async_trait::async_trait;
use penstock_core::id::RequestId;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;

use super::error::Error;
use super::retention::{Aged, Cleaned, Retained};
use super::trends::{TrendFilter, Trends};
use super::usage::{SessionUsage, UsageFilter, UsageGrouping, UsageOrder, UsageSummary};

/// What was used, and how long it is remembered call by call. Calls are bounded in time as those of
/// [`Store`](crate::Store) are.
#[async_trait]
pub trait Ledger {
    // === Sums ===

    /// Sums, from the hourly rollups; the span is widened to whole hours.
    async fn summarize_usage(
        &self,
        filter: &UsageFilter,
        group_by: Option<UsageGrouping>,
    ) -> Result<UsageSummary, Error>;

    /// The same with at most `limit` groups, in another order. Sums of sessions, and those of a filter that
    /// [needs records](UsageFilter::needs_records), are of the records that are kept.
    async fn top_usage(
        &self,
        filter: &UsageFilter,
        group_by: UsageGrouping,
        order: UsageOrder,
        limit: u32,
    ) -> Result<UsageSummary, Error>;

    /// Sessions with calls of the filter, the newest first, at most `limit` (at most 1000).
    async fn sessions(&self, filter: &UsageFilter, limit: u32) -> Result<Vec<SessionUsage>, Error>;

    /// How calls ended and how long they took, from hourly sums.
    async fn usage_trends(&self, filter: &TrendFilter) -> Result<Trends, Error>;

    // === Single records ===

    /// One record with its decision; None when the ledger does not hold it.
    async fn usage_record(&self, id: RequestId) -> Result<Option<UsageRecord>, Error>;

    /// Single records, newest first, at most `limit` (at most 1000), with ids below `before`, without their decisions. A record whose
    /// `started_at` is more than a day away from the time inside its id may be missed.
    async fn usage_records(
        &self,
        filter: &UsageFilter,
        limit: u32,
        before: Option<RequestId>,
    ) -> Result<Vec<UsageRecord>, Error>;

    /// Records of the filter with ids above `after`, by id, at most `limit` (at most 1000), without their decisions.
    async fn usage_after(
        &self,
        filter: &UsageFilter,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<UsageRecord>, Error>;

    /// How many records the filter has.
    async fn count_usage(&self, filter: &UsageFilter) -> Result<u64, Error>;

    // === Retention ===

    /// Takes away some of the records of a kind that are older than `before`, in one short transaction: call it until
    /// there are no more, with pauses. Sums are not touched, nobody waits, and whoever does the same at the same time is no harm.
    async fn clean(&self, kind: Retained, before: UnixMs, now: UnixMs) -> Result<Cleaned, Error>;

    /// How many records are older than these instants.
    async fn aged(&self, ages: &[(Retained, UnixMs)]) -> Result<Vec<Aged>, Error>;
}
