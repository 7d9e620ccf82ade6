//! Webhooks and what was told, for operators.

use penstock_core::alert::Scope;
use penstock_proto::admin::v1 as wire;
use penstock_store::{AlertRow, Delivery, DeliveryState, Notification, Webhook};

pub(super) fn webhook(webhook: &Webhook) -> wire::Webhook {
    wire::Webhook {
        id: webhook.id.to_string(),
        name: webhook.name.clone(),
        version: webhook.version,
        spec: Some(wire::WebhookSpec {
            enabled: webhook.enabled,
            preset: webhook.preset.as_str().to_owned(),
            rules: webhook
                .rules
                .iter()
                .map(|rule| rule.as_str().to_owned())
                .collect(),
        }),
        host: webhook.host.clone(),
        signed: webhook.signed,
        created_at_ms: webhook.created_at.0,
        updated_at_ms: webhook.updated_at.0,
    }
}

pub(super) fn notification(notification: Notification) -> wire::Notification {
    wire::Notification {
        id: notification.id.to_string(),
        rule: notification.rule.as_str().to_owned(),
        subject: notification.subject,
        event: notification.event.as_str().to_owned(),
        title: notification.title,
        detail: notification.detail,
        at_ms: notification.at.0,
    }
}

pub(super) fn delivery(delivery: Delivery) -> wire::Delivery {
    let waits = delivery.state == DeliveryState::Waiting;
    wire::Delivery {
        notification: Some(notification(delivery.notification)),
        webhook_id: delivery.webhook.to_string(),
        state: delivery.state.as_str().to_owned(),
        attempts: delivery.attempts,
        next_at_ms: if waits { delivery.next_at.0 } else { 0 },
        status: delivery.status.map_or(0, u32::from),
        error: delivery.error,
        updated_at_ms: delivery.updated_at.0,
    }
}

/// None: the condition does not hold any more.
pub(super) fn alert(row: AlertRow) -> Option<wire::Alert> {
    let scope = match row.rule.scope() {
        Scope::Callers => "callers",
        Scope::Provider => "provider",
        Scope::Ledger => "ledger",
    };
    Some(wire::Alert {
        rule: row.rule.as_str().to_owned(),
        since_ms: row.watch.since?.0,
        subject: row.subject,
        title: row.title,
        told: row.watch.told,
        scope: scope.to_owned(),
    })
}
