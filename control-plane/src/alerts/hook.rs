//! What of a webhook is secret: its URL, and what it signs with.

use penstock_core::secret::Secret;
use penstock_store::Webhook;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credentials::{SealError, Sealer, UnsealError};

/// Kept sealed as one.
#[derive(Serialize, Deserialize)]
struct Kept {
    url: String,
    secret: Option<String>,
}

/// Where a webhook's messages go, and what signs them.
pub(crate) struct Hook {
    pub(crate) url: Secret,
    pub(crate) secret: Option<Secret>,
}

/// Why a webhook cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    #[error("what was kept of it cannot be read")]
    Unreadable,
}

impl Hook {
    pub(crate) fn of(sealer: &Sealer, webhook: &Webhook) -> Result<Self, HookError> {
        let plain = sealer.unseal_webhook(webhook.id, &webhook.sealed)?;
        let kept: Kept = serde_json::from_str(plain.expose()).map_err(|_| HookError::Unreadable)?;
        Ok(Self {
            url: Secret::new(Zeroizing::new(kept.url).as_str()),
            secret: kept
                .secret
                .map(|secret| Secret::new(Zeroizing::new(secret).as_str())),
        })
    }

    pub(crate) fn seal(&self, sealer: &Sealer, id: uuid::Uuid) -> Result<penstock_store::Sealed, SealError> {
        let kept = Kept {
            url: self.url.expose().to_owned(),
            secret: self.secret.as_ref().map(|secret| secret.expose().to_owned()),
        };
        let plain = Zeroizing::new(serde_json::json!(kept).to_string());
        sealer.seal_webhook(id, &Secret::new(plain.as_str()))
    }
}
