//! Expiry that counts from the first use.
//!
//! The first use is a fact, not a wish: data planes see it, the control plane stamps it once, and nobody writes it by
//! hand. Until it is stamped the key works. Whoever takes the activation away and gives it again starts anew.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::time::UnixMs;

/// More than a hundred years is a slip of the keyboard.
const LONGEST_MS: u64 = 100 * 366 * 86_400_000;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// From the first use on.
    pub expires_after_ms: u64,
    /// None: it was not used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_used_at: Option<UnixMs>,
    /// When it was given to somebody who existed before: earlier uses do not count. None: with its making.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_at: Option<UnixMs>,
}

impl Activation {
    /// One that waits for the first use.
    pub fn after(expires_after_ms: u64) -> Self {
        Self {
            expires_after_ms,
            first_used_at: None,
            granted_at: None,
        }
    }

    /// None until the first use.
    pub fn expires_at(&self) -> Option<UnixMs> {
        self.first_used_at.map(|at| at.plus_ms(self.expires_after_ms))
    }

    /// What was written, with the facts that are known. Where there was none before it is granted now.
    #[must_use]
    pub fn with_facts_of(self, known: Option<Self>, now: UnixMs) -> Self {
        Self {
            first_used_at: known.and_then(|known| known.first_used_at),
            granted_at: known.map_or(Some(now), |known| known.granted_at),
            ..self
        }
    }

    /// What was written, for somebody new.
    #[must_use]
    pub fn without_facts(self) -> Self {
        Self::after(self.expires_after_ms)
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if self.expires_after_ms == 0 || self.expires_after_ms > LONGEST_MS {
            let problem = "must be longer than nothing and shorter than a hundred years";
            return Err(Invalid::new("access.activation.expires_after_ms", problem));
        }
        Ok(())
    }
}
