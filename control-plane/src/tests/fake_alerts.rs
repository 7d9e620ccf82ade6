//! The fake store tells nobody of anything.

use async_trait::async_trait;
use penstock_core::time::UnixMs;
use penstock_store::*;
use uuid::Uuid;

use super::fake_store::FakeStore;

impl FakeStore {
    /// Who asks for the lease on alerts has it with this fence.
    pub(crate) fn set_fence(&self, fence: Option<u64>) {
        self.lock().fence = fence;
    }
}

#[async_trait]
impl Alerts for FakeStore {
    async fn take_lease(&self, _: &str, _: &str, _: UnixMs, _: UnixMs) -> Result<Option<u64>, Error> {
        Ok(self.here()?.fence)
    }

    async fn release_lease(&self, _: &str, _: &str) -> Result<(), Error> {
        Ok(())
    }

    async fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        Ok(Vec::new())
    }

    async fn put_webhook(&self, _: &Webhook) -> Result<WebhookWritten, Error> {
        Ok(WebhookWritten::Conflict)
    }

    async fn delete_webhook(&self, _: Uuid) -> Result<bool, Error> {
        Ok(false)
    }

    async fn alerts(&self) -> Result<Vec<AlertRow>, Error> {
        Ok(Vec::new())
    }

    async fn write_look(&self, _: (&str, u64), _: &Looked) -> Result<bool, Error> {
        Ok(false)
    }

    async fn notifications_told(&self, _: u32, _: Option<Uuid>) -> Result<Vec<Notification>, Error> {
        Ok(Vec::new())
    }

    async fn due_deliveries(&self, _: UnixMs, _: u32) -> Result<Vec<Delivery>, Error> {
        Ok(Vec::new())
    }

    async fn delivery_attempted(&self, _: &Attempted, _: UnixMs) -> Result<(), Error> {
        Ok(())
    }

    async fn deliveries(&self, _: &DeliveryFilter, _: u32) -> Result<Vec<Delivery>, Error> {
        Ok(Vec::new())
    }

    async fn forget_notifications(&self, _: UnixMs) -> Result<u64, Error> {
        Ok(0)
    }

    async fn call_facts(
        &self,
        _: UnixMs,
        _: u32,
        _: &[penstock_core::id::ProviderId],
    ) -> Result<CallFacts, Error> {
        Ok(CallFacts::default())
    }
}
