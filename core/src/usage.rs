//! What a call used, and the record of it.

pub mod decision;
pub mod series;
pub mod times;

use serde::{Deserialize, Serialize};

use crate::id::{KeyId, ProviderId, RequestId, UserId};
use crate::money::{Millionths, NanoUsd};
use crate::price::ServiceTier;
use crate::setting::UnpricedAction;
use crate::time::UnixMs;
use decision::Decision;

/// Tokens of one call in classes that do not overlap, except those that are parts of `input` or `output`: `reasoning`, sound
/// and pictures.
///
/// Dialects count differently; whoever reads usage from an answer makes the classes disjoint (OpenAI's
/// `prompt_tokens` include cached ones, Anthropic's `input_tokens` do not).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Without cache reads and writes.
    pub input: u64,
    /// With reasoning.
    pub output: u64,
    pub cache_read: u64,
    /// At the vendor's shortest time to live.
    pub cache_write: u64,
    pub cache_write_1h: u64,
    pub cache_write_12h: u64,
    /// Of `output`.
    pub reasoning: u64,
    /// Of `input`: what came as sound, and as pictures.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_input: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_input: u64,
    /// Of `output`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audio_output: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub image_output: u64,
    pub web_searches: u32,
    pub tier: ServiceTier,
    /// Names of price factors that the answer stated: `us`, `fast`. At most [`MAX_FACTORS`].
    pub factors: Vec<String>,
}

/// More factors than this in one answer are not read.
pub const MAX_FACTORS: usize = 4;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider answered and the answer reached the caller whole.
    Succeeded,
    /// The provider answered with an error, which the caller got.
    UpstreamError,
    /// The answer broke off after content had reached the caller.
    Interrupted,
    /// The caller went away.
    ClientAbort,
    /// Refused by Penstock.
    Rejected,
    /// No provider gave an answer.
    Failed,
}

/// One call, once. The unit of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    pub id: RequestId,
    pub started_at: UnixMs,
    /// When its limits were taken, by the clock that counts them; its cost is booked then. None: [`Self::started_at`].
    pub admitted_at: Option<UnixMs>,
    pub user_id: UserId,
    pub key_id: KeyId,
    /// None when no provider was asked.
    pub provider_id: Option<ProviderId>,
    pub dialect: String,
    /// As the caller asked. At most [`crate::model::MAX_NAME`] bytes; empty when the call named none.
    pub model: String,
    /// As the provider was asked.
    pub model_served: String,
    pub stream: bool,
    /// What the caller saw.
    pub status: u16,
    pub outcome: Outcome,
    /// The business code when the caller got an error of ours.
    pub code: Option<String>,
    pub tokens: TokenUsage,
    /// The tokens, or a part of them, were estimated.
    pub estimated: bool,
    pub cost: NanoUsd,
    /// The price that was used and its version.
    pub price: Option<(String, u64)>,
    pub cost_multiplier: Millionths,
    pub duration_ms: u32,
    /// Until the first answer byte went to the caller.
    pub first_byte_ms: Option<u32>,
    pub attempts: u32,
    /// Hash of the session id scoped to the key, hex; None when unknown.
    pub session: Option<String>,
    /// Of the snapshot that decided the call.
    pub revision: u64,
    pub node_id: String,
    pub upstream_request_id: Option<String>,
    /// The model had no price, and this decided.
    pub unpriced: Option<UnpricedAction>,
    /// Why it went where it went. None: not known, or left out of a list.
    pub decision: Option<Box<Decision>>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl TokenUsage {
    /// All prompt tokens: what long-context tiers compare with.
    pub fn prompt(&self) -> u64 {
        [
            self.input,
            self.cache_read,
            self.cache_write,
            self.cache_write_1h,
            self.cache_write_12h,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    pub fn is_empty(&self) -> bool {
        self.prompt() == 0 && self.output == 0 && self.web_searches == 0
    }
}

impl Outcome {
    /// Whether a provider answered, so that the call counts as a request in the ledger.
    pub fn answered(self) -> bool {
        match self {
            Self::Succeeded | Self::UpstreamError | Self::Interrupted | Self::ClientAbort => true,
            Self::Rejected | Self::Failed => false,
        }
    }

    pub const ALL: [Self; 6] = [
        Self::Succeeded,
        Self::UpstreamError,
        Self::Interrupted,
        Self::ClientAbort,
        Self::Rejected,
        Self::Failed,
    ];

    /// Whether it went wrong on the providers' side: what error rates count.
    pub fn failed(self) -> bool {
        match self {
            Self::UpstreamError | Self::Interrupted | Self::Failed => true,
            Self::Succeeded | Self::ClientAbort | Self::Rejected => false,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::UpstreamError => "upstream_error",
            Self::Interrupted => "interrupted",
            Self::ClientAbort => "client_abort",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_what_went_in_cached_or_not() {
        let usage = TokenUsage {
            input: 1,
            cache_read: 2,
            cache_write: 4,
            cache_write_1h: 8,
            output: 99,
            ..TokenUsage::default()
        };
        assert_eq!(usage.prompt(), 15);
        assert!(TokenUsage::default().is_empty());
    }
}
