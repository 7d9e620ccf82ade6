//! What an exchange gives: an access token, and what the next one is obtained with.

use penstock_core::secret::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Sealed as one text.
#[expect(missing_debug_implementations, reason = "tokens must not be printable")]
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSet {
    pub access: Secret,
    /// None: none was given, and a new login is needed once the access token is over.
    pub refresh: Option<Secret>,
}

#[derive(Serialize, Deserialize)]
struct Plain {
    access: Zeroizing<String>,
    refresh: Option<Zeroizing<String>>,
}

impl TokenSet {
    /// To be sealed.
    pub fn to_text(&self) -> Secret {
        let hidden = |secret: &Secret| Zeroizing::new(secret.expose().to_owned());
        let plain = Plain {
            access: hidden(&self.access),
            refresh: self.refresh.as_ref().map(hidden),
        };
        // Plain strings in a plain form.
        Secret::new(Zeroizing::new(serde_json::to_string(&plain).unwrap_or_default()).as_str())
    }

    /// What was sealed. None: a newer release wrote it.
    pub fn from_text(text: &Secret) -> Option<Self> {
        let plain: Plain = serde_json::from_str(text.expose()).ok()?;
        let shown = |secret: Zeroizing<String>| Secret::new(secret.as_str());
        Some(Self {
            access: shown(plain.access),
            refresh: plain.refresh.map(shown),
        })
    }
}
