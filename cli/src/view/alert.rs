//! What is wrong, and what was told.

use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{Row, instant, or_dash, yes_no};

/// A condition that holds.
#[derive(Debug, Serialize)]
pub(crate) struct Alert {
    pub rule: String,
    /// `callers`, `provider` or `ledger`: whose view the rule takes.
    pub scope: String,
    pub subject: String,
    pub title: String,
    pub since: Option<String>,
    /// False: it came again within an hour of having been told.
    pub told: bool,
}

/// Something that was told.
#[derive(Debug, Serialize)]
pub(crate) struct Notification {
    pub id: String,
    pub rule: String,
    pub subject: String,
    /// `fired` or `recovered`.
    pub event: String,
    pub title: String,
    pub detail: String,
    pub at: Option<String>,
}

impl Alert {
    pub(crate) fn read(alert: wire::Alert) -> Self {
        Self {
            rule: alert.rule,
            scope: alert.scope,
            subject: alert.subject,
            title: alert.title,
            since: instant(alert.since_ms),
            told: alert.told,
        }
    }
}

impl Notification {
    pub(crate) fn read(notification: wire::Notification) -> Self {
        Self {
            id: notification.id,
            rule: notification.rule,
            subject: notification.subject,
            event: notification.event,
            title: notification.title,
            detail: notification.detail,
            at: instant(notification.at_ms),
        }
    }
}

impl Row for Alert {
    const COLUMNS: &'static [&'static str] = &["SINCE", "RULE", "TOLD", "TITLE"];

    fn cells(&self) -> Vec<String> {
        vec![
            or_dash(self.since.as_deref()),
            self.rule.clone(),
            yes_no(self.told),
            self.title.clone(),
        ]
    }
}

impl Row for Notification {
    const COLUMNS: &'static [&'static str] = &["AT", "RULE", "EVENT", "TITLE"];

    fn cells(&self) -> Vec<String> {
        vec![
            or_dash(self.at.as_deref()),
            self.rule.clone(),
            self.event.clone(),
            self.title.clone(),
        ]
    }
}
