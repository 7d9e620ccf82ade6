//! The [`FakeStore`] has nothing to be archived beside its configuration.

use async_trait::async_trait;
use penstock_core::id::RequestId;
use penstock_core::usage::UsageRecord;
use penstock_store::*;

use super::fake_store::FakeStore;

#[async_trait]
impl Archive for FakeStore {
    async fn count_rows(&self, _: &'static ArchiveTable) -> Result<u64, Error> {
        Ok(0)
    }

    async fn archive_rows(
        &self,
        _: &'static ArchiveTable,
        _: Option<&ArchiveRow>,
        _: u32,
    ) -> Result<Vec<ArchiveRow>, Error> {
        Ok(Vec::new())
    }

    async fn restore_rows(&self, _: &'static ArchiveTable, _: &[ArchiveRow]) -> Result<u64, Error> {
        Ok(0)
    }

    async fn restore_operator(&self, _: &StoredOperator) -> Result<bool, Error> {
        Ok(false)
    }

    async fn restore_webhook(&self, _: &Webhook) -> Result<bool, Error> {
        Ok(false)
    }

    async fn usage_with_decisions(&self, _: Option<RequestId>, _: u32) -> Result<Vec<UsageRecord>, Error> {
        Ok(Vec::new())
    }
}
