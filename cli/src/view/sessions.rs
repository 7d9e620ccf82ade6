//! Conversations.

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{Row, View, fields, or_dash, yes_no};

/// One session.
#[derive(Debug, Serialize)]
pub(crate) struct Session {
    pub id: String,
    pub user: String,
    pub user_id: String,
    pub key: String,
    pub key_id: String,
    /// That served the last call.
    pub provider: Option<String>,
    pub provider_id: Option<String>,
    /// Of the last call.
    pub model: String,
    pub first_call_at: String,
    pub last_call_at: String,
    pub calls: u64,
    /// In all classes.
    pub tokens: u64,
    pub cost_usd: String,
    pub cost_nanousd: i64,
}

impl From<wire::Session> for Session {
    fn from(session: wire::Session) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            id: session.id,
            user: session.user_name,
            user_id: session.user_id,
            key: session.key_name,
            key_id: session.key_id,
            provider: some(session.provider_name),
            provider_id: some(session.provider_id),
            model: session.model,
            first_call_at: UnixMs(session.first_call_ms).to_string(),
            last_call_at: UnixMs(session.last_call_ms).to_string(),
            calls: session.calls,
            tokens: session.tokens,
            cost_usd: NanoUsd(session.cost_nanousd).to_string(),
            cost_nanousd: session.cost_nanousd,
        }
    }
}

impl Row for Session {
    const COLUMNS: &'static [&'static str] = &[
        "ID",
        "KEY",
        "PROVIDER",
        "MODEL",
        "LAST CALL",
        "CALLS",
        "TOKENS",
        "COST USD",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.key.clone(),
            or_dash(self.provider.as_deref()),
            self.model.clone(),
            self.last_call_at.clone(),
            self.calls.to_string(),
            self.tokens.to_string(),
            self.cost_usd.clone(),
        ]
    }
}

/// `penstock session kick`.
#[derive(Debug, Serialize)]
pub(crate) struct KickedSession {
    pub id: String,
    /// It was bound to a provider.
    pub unbound: bool,
    /// It had a slot among concurrent sessions.
    pub freed: bool,
    /// The data plane that did it.
    pub node_id: String,
}

impl KickedSession {
    pub(crate) fn read(id: String, answer: wire::KickSessionResponse) -> Self {
        Self {
            id,
            unbound: answer.unbound,
            freed: answer.freed,
            node_id: answer.node_id,
        }
    }
}

impl View for KickedSession {
    fn table(&self) -> String {
        fields(&[
            ("session", self.id.clone()),
            ("was bound to a provider", yes_no(self.unbound)),
            ("had a slot", yes_no(self.freed)),
            ("done by", self.node_id.clone()),
        ])
    }
}
