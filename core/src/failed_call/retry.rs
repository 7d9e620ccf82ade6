//! Why an attempt was tried again.

use serde::{Deserialize, Serialize};

use crate::failure::{Class, Finding};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RetryReason {
    #[serde(rename = "429_rate_limit")]
    RateLimit,
    #[serde(rename = "529_overloaded")]
    Overloaded,
    #[serde(rename = "5xx_server_error")]
    ServerError,
    #[serde(rename = "timeout")]
    Timeout,
    #[serde(rename = "network")]
    Network,
    /// The provider refused its credential, or wants money.
    #[serde(rename = "credential")]
    Credential,
    /// Anything else that another provider may answer, such as a model that this one does not have.
    #[serde(rename = "other")]
    Other,
}

impl RetryReason {
    /// Of an attempt with this status that failed so.
    pub fn of(finding: &Finding, status: Option<u16>) -> Self {
        if let Some(network) = finding.network {
            return match network.is_timeout() {
                true => Self::Timeout,
                false => Self::Network,
            };
        }
        match (finding.class, status) {
            (Class::RateLimited, _) => Self::RateLimit,
            (Class::Overloaded, _) => Self::Overloaded,
            (Class::Credential | Class::Billing, _) => Self::Credential,
            (_, Some(429)) => Self::RateLimit,
            (_, Some(529)) => Self::Overloaded,
            (_, Some(500..)) => Self::ServerError,
            (Class::Transient, _) => Self::ServerError,
            _ => Self::Other,
        }
    }
}
