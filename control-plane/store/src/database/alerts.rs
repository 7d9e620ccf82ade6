//! Telling operators of trouble: leases, webhooks, watches, what is told and its deliveries.

mod call_facts;
mod deliveries;
mod lease;
mod look;
mod webhooks;

use async_trait::async_trait;
use penstock_core::alert::Rule;
use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::Database;
use crate::api::alert::{
    AlertRow, Alerts, Attempted, CallFacts, Delivery, DeliveryFilter, Looked, Notification, Webhook,
    WebhookWritten,
};
use crate::api::error::Error;

pub(super) use webhooks::bring_back as bring_webhook_back;

/// The most of a listing.
const MOST: u32 = 1_000;

#[async_trait]
impl Alerts for Database {
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: UnixMs,
        until: UnixMs,
    ) -> Result<Option<u64>, Error> {
        lease::take(&self.pools, name, owner, (now, until)).await
    }

    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), Error> {
        lease::release(&self.pools, name, owner).await
    }

    async fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        webhooks::all(&self.pools).await
    }

    async fn put_webhook(&self, webhook: &Webhook) -> Result<WebhookWritten, Error> {
        webhooks::put(&self.pools, webhook).await
    }

    async fn delete_webhook(&self, id: Uuid) -> Result<bool, Error> {
        webhooks::delete(&self.pools, id).await
    }

    async fn alerts(&self) -> Result<Vec<AlertRow>, Error> {
        look::watches(&self.pools).await
    }

    async fn write_look(&self, lease: (&str, u64), looked: &Looked) -> Result<bool, Error> {
        look::write(&self.pools, lease, looked).await
    }

    async fn notifications_told(&self, limit: u32, before: Option<Uuid>) -> Result<Vec<Notification>, Error> {
        look::told(&self.pools, limit.min(MOST), before).await
    }

    async fn due_deliveries(&self, now: UnixMs, limit: u32) -> Result<Vec<Delivery>, Error> {
        deliveries::due(&self.pools, now, limit.min(MOST)).await
    }

    async fn delivery_attempted(&self, attempted: &Attempted, at: UnixMs) -> Result<(), Error> {
        deliveries::attempted(&self.pools, attempted, at).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter, limit: u32) -> Result<Vec<Delivery>, Error> {
        deliveries::list(&self.pools, filter, limit.min(MOST)).await
    }

    async fn forget_notifications(&self, before: UnixMs) -> Result<u64, Error> {
        deliveries::forget(&self.pools, before).await
    }

    async fn call_facts(
        &self,
        now: UnixMs,
        in_a_row: u32,
        suspected: &[ProviderId],
    ) -> Result<CallFacts, Error> {
        call_facts::read(&self.pools, now, in_a_row, suspected).await
    }
}

/// A rule of a newer release is left out with a line in the log.
fn rule(word: &str) -> Option<Rule> {
    let rule = Rule::from_word(word);
    if rule.is_none() {
        tracing::warn!(rule = word, "this release does not know the rule of an alert");
    }
    rule
}
