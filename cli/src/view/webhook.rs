//! Webhooks and their deliveries.

use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{Notification, Row, View, fields, instant, joined, or_dash, yes_no};

#[derive(Debug, Serialize)]
pub(crate) struct Webhook {
    pub id: String,
    pub name: String,
    pub enabled: bool,
    pub preset: String,
    /// Empty: all.
    pub rules: Vec<String>,
    /// Scheme and host; the rest of the URL may be a secret.
    pub host: String,
    pub signed: bool,
    pub version: u64,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
}

/// How a test went.
#[derive(Debug, Serialize)]
pub(crate) struct WebhookTest {
    pub webhook: String,
    pub delivered: bool,
    /// Of the answer; null: there was none.
    pub status: Option<u32>,
    pub failure: Option<String>,
}

/// A notification on its way to a webhook.
#[derive(Debug, Serialize)]
pub(crate) struct Delivery {
    pub notification: Notification,
    pub webhook_id: String,
    pub webhook: String,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    pub attempts: u32,
    /// While waiting.
    pub next_at: Option<String>,
    pub status: Option<u32>,
    pub error: Option<String>,
    pub updated_at: Option<String>,
}

impl Webhook {
    pub(crate) fn read(webhook: wire::Webhook) -> Self {
        let spec = webhook.spec.unwrap_or_default();
        Self {
            id: webhook.id,
            name: webhook.name,
            enabled: spec.enabled,
            preset: spec.preset,
            rules: spec.rules,
            host: webhook.host,
            signed: webhook.signed,
            version: webhook.version,
            created_at: instant(webhook.created_at_ms),
            updated_at: instant(webhook.updated_at_ms),
        }
    }

    fn rules(&self) -> String {
        match self.rules.is_empty() {
            true => "all".to_owned(),
            false => joined(&self.rules),
        }
    }
}

impl WebhookTest {
    pub(crate) fn read(webhook: String, answer: wire::TestWebhookResponse) -> Self {
        Self {
            webhook,
            delivered: answer.delivered,
            status: some(answer.status),
            failure: given(answer.failure),
        }
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

impl Delivery {
    pub(crate) fn read(delivery: wire::Delivery, webhooks: &[wire::Webhook]) -> Self {
        let webhook = webhooks.iter().find(|webhook| webhook.id == delivery.webhook_id);
        Self {
            notification: Notification::read(delivery.notification.unwrap_or_default()),
            webhook: webhook.map_or_else(String::new, |webhook| webhook.name.clone()),
            webhook_id: delivery.webhook_id,
            state: delivery.state,
            attempts: delivery.attempts,
            next_at: instant(delivery.next_at_ms),
            status: some(delivery.status),
            error: given(delivery.error),
            updated_at: instant(delivery.updated_at_ms),
        }
    }
}

fn some(status: u32) -> Option<u32> {
    (status > 0).then_some(status)
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl View for Webhook {
    fn table(&self) -> String {
        fields(&[
            ("id", self.id.clone()),
            ("name", self.name.clone()),
            ("enabled", yes_no(self.enabled)),
            ("preset", self.preset.clone()),
            ("rules", self.rules()),
            ("host", self.host.clone()),
            ("signed", yes_no(self.signed)),
            ("version", self.version.to_string()),
        ])
    }
}

impl Row for Webhook {
    const COLUMNS: &'static [&'static str] = &["NAME", "ENABLED", "PRESET", "RULES", "HOST", "SIGNED"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            yes_no(self.enabled),
            self.preset.clone(),
            self.rules(),
            self.host.clone(),
            yes_no(self.signed),
        ]
    }
}

impl View for WebhookTest {
    fn table(&self) -> String {
        let status = self
            .status
            .map_or_else(|| "-".to_owned(), |status| status.to_string());
        fields(&[
            ("webhook", self.webhook.clone()),
            ("delivered", yes_no(self.delivered)),
            ("status", status),
            ("failure", or_dash(self.failure.as_deref())),
        ])
    }
}

impl Row for Delivery {
    const COLUMNS: &'static [&'static str] = &[
        "TOLD AT", "WEBHOOK", "STATE", "ATTEMPTS", "STATUS", "TITLE", "ERROR",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            or_dash(self.notification.at.as_deref()),
            self.webhook.clone(),
            self.state.clone(),
            self.attempts.to_string(),
            self.status
                .map_or_else(|| "-".to_owned(), |status| status.to_string()),
            self.notification.title.clone(),
            or_dash(self.error.as_deref()),
        ]
    }
}
