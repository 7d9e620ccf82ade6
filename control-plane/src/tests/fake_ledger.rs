//! The fake store remembers which records it was given, and answers no questions about them.

use async_trait::async_trait;
use penstock_core::id::RequestId;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_store::*;

use super::fake_store::FakeStore;

#[async_trait]
impl Ledger for FakeStore {
    async fn summarize_usage(
        &self,
        _: &UsageFilter,
        _: Option<UsageGrouping>,
    ) -> Result<UsageSummary, Error> {
        panic!("not faked")
    }

    async fn top_usage(
        &self,
        _: &UsageFilter,
        _: UsageGrouping,
        _: UsageOrder,
        _: u32,
    ) -> Result<UsageSummary, Error> {
        panic!("not faked")
    }

    async fn sessions(&self, _: &UsageFilter, _: u32) -> Result<Vec<SessionUsage>, Error> {
        panic!("not faked")
    }

    async fn usage_trends(&self, _: &TrendFilter) -> Result<Trends, Error> {
        panic!("not faked")
    }

    async fn usage_record(&self, _: RequestId) -> Result<Option<UsageRecord>, Error> {
        panic!("not faked")
    }

    async fn usage_records(
        &self,
        _: &UsageFilter,
        _: u32,
        _: Option<RequestId>,
    ) -> Result<Vec<UsageRecord>, Error> {
        panic!("not faked")
    }

    async fn usage_after(
        &self,
        _: &UsageFilter,
        _: Option<RequestId>,
        _: u32,
    ) -> Result<Vec<UsageRecord>, Error> {
        panic!("not faked")
    }

    async fn count_usage(&self, _: &UsageFilter) -> Result<u64, Error> {
        panic!("not faked")
    }

    async fn clean(&self, _: Retained, _: UnixMs, _: UnixMs) -> Result<Cleaned, Error> {
        self.here().map(|_| Cleaned::default())
    }

    async fn aged(&self, _: &[(Retained, UnixMs)]) -> Result<Vec<Aged>, Error> {
        self.here().map(|_| Vec::new())
    }
}

/// The log, of failure records alone; of the filter only its times count.
pub(super) fn page(
    records: &[FailedCallRow],
    filter: &LogFilter,
    limit: u32,
    before: Option<RequestId>,
) -> LogPage {
    let since = filter.ended_since.unwrap_or(UnixMs(0));
    let mut found: Vec<_> = records
        .iter()
        .filter(|row| row.started_at >= filter.usage.from && row.started_at < filter.usage.to)
        .filter(|row| row.started_at.plus_ms(row.duration_ms.into()) >= since)
        .filter(|row| before.is_none_or(|before| row.id < before))
        .collect();
    found.sort_by_key(|row| std::cmp::Reverse(row.id));
    found.truncate(usize::try_from(limit).unwrap());
    let full = found.len() == usize::try_from(limit).unwrap();
    let call = |row: &FailedCallRow| LoggedCall {
        id: row.id,
        usage: None,
        failure: Some(row.clone()),
    };
    LogPage {
        older: found.last().filter(|_| full).map(|row| row.id),
        calls: found.into_iter().map(call).collect(),
    }
}
