//! Settings of the whole installation, pushed to data planes like any other resource.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::price::Rate;
use crate::secret::Secret;

/// One setting. Its name identifies the resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// What happens to a call for a model without a price.
    Unpriced(UnpricedPolicy),
    /// Whether a refusal for want of a provider names the providers and why each was passed over.
    ExplainRefusals(bool),
}

/// What happens to a call for a model without a price. Never silently free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpricedPolicy {
    pub action: UnpricedAction,
    /// For [`UnpricedAction::ChargeDefault`]. Empty: the dearest price of the provider's platform.
    pub default_rates: Vec<Rate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedAction {
    /// Refuse with 503 `MODEL_UNPRICED`.
    Reject,
    ChargeDefault,
    Free,
}

/// A constant that another relay appended to keys before hashing them.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct ImportSuffix {
    pub secret: Secret,
}

impl Default for UnpricedPolicy {
    fn default() -> Self {
        Self {
            action: UnpricedAction::ChargeDefault,
            default_rates: Vec::new(),
        }
    }
}

impl UnpricedAction {
    pub const ALL: [Self; 3] = [Self::Reject, Self::ChargeDefault, Self::Free];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::ChargeDefault => "charge_default",
            Self::Free => "free",
        }
    }
}

impl Setting {
    /// Every setting at its default.
    pub fn defaults() -> [Self; 2] {
        [
            Self::Unpriced(UnpricedPolicy::default()),
            Self::ExplainRefusals(false),
        ]
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Unpriced(_) => "unpriced",
            Self::ExplainRefusals(_) => "explain_refusals",
        }
    }

    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::Unpriced(policy) => Rate::validate_all("unpriced.default_rates", &policy.default_rates),
            Self::ExplainRefusals(_) => Ok(()),
        }
    }
}
