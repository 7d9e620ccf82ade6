//! [`Ledger`] for both databases.

use async_trait::async_trait;
use penstock_core::id::RequestId;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;

use super::Database;
use crate::api::error::Error;
use crate::api::ledger::Ledger;
use crate::api::retention::{Aged, Cleaned, Retained};
use crate::api::trends::{TrendFilter, Trends};
use crate::api::usage::{SessionUsage, UsageFilter, UsageGrouping, UsageOrder, UsageSummary};

#[async_trait]
impl Ledger for Database {
    async fn summarize_usage(
        &self,
        filter: &UsageFilter,
        group_by: Option<UsageGrouping>,
    ) -> Result<UsageSummary, Error> {
        let (order, limit) = (UsageOrder::default(), UsageSummary::MAX_GROUPS);
        self.summarize(filter, group_by, order, limit).await
    }

    async fn top_usage(
        &self,
        filter: &UsageFilter,
        group_by: UsageGrouping,
        order: UsageOrder,
        limit: u32,
    ) -> Result<UsageSummary, Error> {
        self.summarize(filter, Some(group_by), order, limit).await
    }

    async fn sessions(&self, filter: &UsageFilter, limit: u32) -> Result<Vec<SessionUsage>, Error> {
        self.newest_sessions(filter, limit).await
    }

    async fn usage_trends(&self, filter: &TrendFilter) -> Result<Trends, Error> {
        self.read_trends(filter).await
    }

    async fn usage_record(&self, id: RequestId) -> Result<Option<UsageRecord>, Error> {
        self.one_record(id).await
    }

    async fn usage_records(
        &self,
        filter: &UsageFilter,
        limit: u32,
        before: Option<RequestId>,
    ) -> Result<Vec<UsageRecord>, Error> {
        self.newest_records(filter, limit, before).await
    }

    async fn usage_after(
        &self,
        filter: &UsageFilter,
        after: Option<RequestId>,
        limit: u32,
    ) -> Result<Vec<UsageRecord>, Error> {
        self.records_after(filter, after, limit).await
    }

    async fn count_usage(&self, filter: &UsageFilter) -> Result<u64, Error> {
        self.count_records(filter).await
    }

    async fn clean(&self, kind: Retained, before: UnixMs, now: UnixMs) -> Result<Cleaned, Error> {
        self.clean_some(kind, before, now).await
    }

    async fn aged(&self, ages: &[(Retained, UnixMs)]) -> Result<Vec<Aged>, Error> {
        self.count_aged(ages).await
    }
}
