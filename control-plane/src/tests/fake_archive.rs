//! The [`FakeStore`] has nothing to be archived beside its configuration.

use async_trait::async_trait;
use penstock_core::id::RequestId;
use penstock_core::usage::UsageRecord;
use penstock_store::*;

use super::fake_store::FakeStore;

#[async_trait]
impl Archive for FakeStore {
    /// As one that is asked too much.
    async fn about_rows(&self, _: &'static str, _: u32) -> Result<u64, Error> {
        Err(Error::Unavailable {
            source: std::io::Error::other("statement timeout").into(),
        })
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
