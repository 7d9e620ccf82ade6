//! Webhooks, and what was told of trouble.
//!
//! Webhooks are rows of their own and no configuration: only control planes read them, so a change makes no revision. URL
//! and secret go in and never come back.

mod reply;
mod spec;

use std::sync::Arc;

use penstock_core::alert::{Event, Rule};
use penstock_core::invalid::Invalid;
use penstock_core::secret::Secret;
use penstock_outbound::{Clients, Tracked};
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::notification_service_server::NotificationService;
use penstock_store::{DeliveryFilter, DeliveryState, Notification, Webhook, WebhookWritten};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::status;
use crate::alerts::{Hook, send};
use crate::clock;
use crate::context::Context;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;
/// More would be a mistake.
const MAX_WEBHOOKS: usize = 200;

pub(super) struct Notifications(pub(super) Context);

#[tonic::async_trait]
impl NotificationService for Notifications {
    async fn create_webhook(
        &self,
        request: Request<wire::CreateWebhookRequest>,
    ) -> Result<Response<wire::CreateWebhookResponse>, Status> {
        let request = request.into_inner();
        let (id, now) = (Uuid::now_v7(), clock::now());
        if self.webhooks().await?.len() >= MAX_WEBHOOKS {
            return Err(Status::failed_precondition(
                "there are 200 webhooks already; delete some",
            ));
        }
        let (url, host) = spec::url(&request.url, self.0.tokens.trusted())?;
        let secret = (!request.secret.is_empty()).then(|| Secret::new(request.secret.as_str()));
        let hook = Hook { url, secret };
        let sealed = hook
            .seal(&self.0.sealer, id)
            .map_err(|error| Status::internal(error.to_string()))?;
        let mut webhook = Webhook {
            id,
            name: spec::name(&request.name)?,
            enabled: true,
            preset: penstock_core::alert::Preset::Generic,
            rules: Vec::new(),
            host,
            sealed,
            signed: hook.secret.is_some(),
            version: 0,
            created_at: now,
            updated_at: now,
        };
        spec::apply(status::required("spec", request.spec)?, &mut webhook)?;
        self.write(&webhook).await?;
        let webhook = Some(reply::webhook(&Webhook {
            version: 1,
            ..webhook
        }));
        Ok(Response::new(wire::CreateWebhookResponse { webhook }))
    }

    async fn list_webhooks(
        &self,
        _: Request<wire::ListWebhooksRequest>,
    ) -> Result<Response<wire::ListWebhooksResponse>, Status> {
        let webhooks = self.webhooks().await?.iter().map(reply::webhook).collect();
        Ok(Response::new(wire::ListWebhooksResponse { webhooks }))
    }

    async fn update_webhook(
        &self,
        request: Request<wire::UpdateWebhookRequest>,
    ) -> Result<Response<wire::UpdateWebhookResponse>, Status> {
        let request = request.into_inner();
        let mut webhook = self.find(&request.webhook).await?;
        webhook.version = status::expected_version(request.expected_version)?;
        if !request.new_name.is_empty() {
            webhook.name = spec::name(&request.new_name)?;
        }
        spec::apply(status::required("spec", request.spec)?, &mut webhook)?;
        if !request.url.is_empty() || request.secret.is_some() {
            self.reseal(&mut webhook, &request.url, request.secret)?;
        }
        webhook.updated_at = clock::now();
        self.write(&webhook).await?;
        webhook.version += 1;
        let webhook = Some(reply::webhook(&webhook));
        Ok(Response::new(wire::UpdateWebhookResponse { webhook }))
    }

    async fn delete_webhook(
        &self,
        request: Request<wire::DeleteWebhookRequest>,
    ) -> Result<Response<wire::DeleteWebhookResponse>, Status> {
        let webhook = self.find(&request.into_inner().webhook).await?;
        let deleted = self.0.store.delete_webhook(webhook.id).await;
        deleted.map_err(status::from_store)?;
        Ok(Response::new(wire::DeleteWebhookResponse {}))
    }

    async fn test_webhook(
        &self,
        request: Request<wire::TestWebhookRequest>,
    ) -> Result<Response<wire::TestWebhookResponse>, Status> {
        let webhook = self.find(&request.into_inner().webhook).await?;
        let stop = CancellationToken::new();
        let clients = Clients::new(Tracked::new(TaskTracker::new(), stop.clone()));
        let clients = Arc::new(clients.map_err(|error| Status::internal(error.to_string()))?);
        let sent = send(&self.0, &clients, &webhook, &test_notification()).await;
        stop.cancel();
        Ok(Response::new(wire::TestWebhookResponse {
            delivered: sent.failure.is_none(),
            status: sent.status.map_or(0, u32::from),
            failure: sent.failure.unwrap_or_default(),
        }))
    }

    async fn list_deliveries(
        &self,
        request: Request<wire::ListDeliveriesRequest>,
    ) -> Result<Response<wire::ListDeliveriesResponse>, Status> {
        let request = request.into_inner();
        let webhook = match request.webhook.is_empty() {
            true => None,
            false => Some(self.find(&request.webhook).await?.id),
        };
        let filter = DeliveryFilter {
            webhook,
            state: state(&request.state)?,
            before: before(&request.before)?,
        };
        let found = self.0.store.deliveries(&filter, limit(request.limit)).await;
        let deliveries = found
            .map_err(status::from_store)?
            .into_iter()
            .map(reply::delivery);
        Ok(Response::new(wire::ListDeliveriesResponse {
            deliveries: deliveries.collect(),
        }))
    }

    async fn list_alerts(
        &self,
        _: Request<wire::ListAlertsRequest>,
    ) -> Result<Response<wire::ListAlertsResponse>, Status> {
        let watched = self.0.store.alerts().await.map_err(status::from_store)?;
        let alerts = watched.into_iter().filter_map(reply::alert).collect();
        Ok(Response::new(wire::ListAlertsResponse { alerts }))
    }

    async fn list_notifications(
        &self,
        request: Request<wire::ListNotificationsRequest>,
    ) -> Result<Response<wire::ListNotificationsResponse>, Status> {
        let request = request.into_inner();
        let told = self
            .0
            .store
            .notifications_told(limit(request.limit), before(&request.before)?);
        let notifications = told
            .await
            .map_err(status::from_store)?
            .into_iter()
            .map(reply::notification);
        Ok(Response::new(wire::ListNotificationsResponse {
            notifications: notifications.collect(),
        }))
    }
}

impl Notifications {
    async fn webhooks(&self) -> Result<Vec<Webhook>, Status> {
        self.0.store.webhooks().await.map_err(status::from_store)
    }

    /// By id or name.
    async fn find(&self, name: &str) -> Result<Webhook, Status> {
        let mut all = self.webhooks().await?.into_iter();
        let found = all.find(|webhook| webhook.name == name || webhook.id.to_string() == name);
        found.ok_or_else(|| status::not_found(&format!("webhook {name:?}")))
    }

    async fn write(&self, webhook: &Webhook) -> Result<(), Status> {
        let name = &webhook.name;
        match self
            .0
            .store
            .put_webhook(webhook)
            .await
            .map_err(status::from_store)?
        {
            WebhookWritten::Written => Ok(()),
            WebhookWritten::NameTaken => Err(Status::already_exists(format!(
                "there is another webhook called {name:?}"
            ))),
            WebhookWritten::Conflict => Err(Status::aborted(format!(
                "webhook {name:?} was changed meanwhile: read it again and repeat the change"
            ))),
        }
    }

    /// With another URL, another secret, or both.
    fn reseal(&self, webhook: &mut Webhook, url: &str, secret: Option<String>) -> Result<(), Status> {
        let kept = Hook::of(&self.0.sealer, webhook);
        let mut hook = kept.map_err(|error| Status::data_loss(error.to_string()))?;
        if !url.is_empty() {
            (hook.url, webhook.host) = spec::url(url, self.0.tokens.trusted())?;
        }
        if let Some(secret) = secret {
            hook.secret = (!secret.is_empty()).then(|| Secret::new(secret.as_str()));
        }
        let sealed = hook.seal(&self.0.sealer, webhook.id);
        webhook.sealed = sealed.map_err(|error| Status::internal(error.to_string()))?;
        webhook.signed = hook.secret.is_some();
        Ok(())
    }
}

fn test_notification() -> Notification {
    Notification {
        id: Uuid::now_v7(),
        rule: Rule::DailySummary,
        subject: "test".to_owned(),
        event: Event::Fired,
        title: "A test of this webhook".to_owned(),
        detail: "Nothing is wrong. Somebody ran `penstock webhook test`.".to_owned(),
        at: clock::now(),
    }
}

fn limit(asked: u32) -> u32 {
    match asked {
        0 => DEFAULT_LIMIT,
        asked => asked.min(MAX_LIMIT),
    }
}

fn before(id: &str) -> Result<Option<Uuid>, Status> {
    if id.is_empty() {
        return Ok(None);
    }
    let id = id
        .parse()
        .map_err(|_| status::invalid(&Invalid::new("before", "is not an id")))?;
    Ok(Some(id))
}

fn state(word: &str) -> Result<Option<DeliveryState>, Status> {
    if word.is_empty() {
        return Ok(None);
    }
    let problem = || status::invalid(&Invalid::new("state", "is none of waiting, delivered, failed"));
    DeliveryState::from_word(word).map(Some).ok_or_else(problem)
}
