//! What is no configuration and of which there are few: read at once, with the configuration, and kept until it is
//! written.

use std::collections::VecDeque;

use penstock_core::backup::BackupKind;
use penstock_core::id::ProviderId;
use penstock_store::{Error, Store, StoredOperator, StoredProvider, Webhook};
use serde::Serialize;

use super::operator::OperatorRow;
use super::section::Rest;
use super::token::TokenRow;
use super::webhook::WebhookRow;
use crate::credentials::Sealer;

/// One of them.
pub(super) enum Held {
    /// A provider that has an access token.
    Token(ProviderId, Box<StoredProvider>),
    Operator(Box<StoredOperator>),
    Webhook(Box<Webhook>),
}

/// As it is written.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum HeldRow {
    Token(TokenRow),
    Operator(OperatorRow),
    Webhook(WebhookRow),
}

/// In the order of the sections.
pub(super) async fn read(
    store: &dyn Store,
    tokens: Vec<(ProviderId, Box<StoredProvider>)>,
) -> Result<VecDeque<Held>, Error> {
    let tokens = tokens.into_iter().map(|(id, provider)| Held::Token(id, provider));
    let operators = store.operators().await?.operators.into_iter();
    let webhooks = store.webhooks().await?.into_iter();
    Ok(tokens
        .chain(operators.map(|operator| Held::Operator(Box::new(operator))))
        .chain(webhooks.map(|webhook| Held::Webhook(Box::new(webhook))))
        .collect())
}

impl Held {
    pub(super) fn section(&self) -> Rest {
        match self {
            Self::Token(..) => Rest::Tokens,
            Self::Operator(_) => Rest::Operators,
            Self::Webhook(_) => Rest::Webhooks,
        }
    }

    /// What it is, for people and for the names of its replacement in a sanitised backup.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Token(..) => "provider",
            Self::Operator(_) => "operator",
            Self::Webhook(_) => "webhook",
        }
    }

    /// Whose secret it is, as operators call it.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Token(_, stored) => format!("provider {:?}", stored.provider.name),
            Self::Operator(operator) => format!("operator {:?}", operator.operator.name),
            Self::Webhook(webhook) => format!("webhook {:?}", webhook.name),
        }
    }

    /// None: a token that is worth nothing, or that may not be told.
    pub(super) fn row(self, sealer: &Sealer, kind: BackupKind) -> Option<HeldRow> {
        match self {
            Self::Token(id, provider) => TokenRow::of(sealer, id, &provider, kind).map(HeldRow::Token),
            Self::Operator(operator) => Some(HeldRow::Operator(OperatorRow::of(*operator, kind))),
            Self::Webhook(webhook) => Some(HeldRow::Webhook(WebhookRow::of(sealer, &webhook, kind))),
        }
    }
}
