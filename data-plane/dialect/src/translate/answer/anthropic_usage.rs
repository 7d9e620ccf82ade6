//! Anthropic's usage, as it is told and as we tell it.

use serde::{Deserialize, Serialize};

use super::Usage;

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct UsageTold {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
}

/// What Anthropic's callers are told.
#[derive(Serialize)]
pub(super) struct UsageOut {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<DetailsOut>,
}

#[derive(Serialize)]
struct DetailsOut {
    thinking_tokens: u64,
}

impl UsageTold {
    /// Takes over what is said.
    pub(super) fn merge(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens = later
            .cache_creation_input_tokens
            .or(self.cache_creation_input_tokens);
        self.cache_creation = later.cache_creation.or(self.cache_creation);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details);
    }

    pub(super) fn read(self) -> Usage {
        let details = self.output_tokens_details;
        let reasoning = details.and_then(|details| details.thinking_tokens.or(details.reasoning_tokens));
        Usage {
            input: self.input_tokens.unwrap_or_default(),
            cache_read: self.cache_read_input_tokens.unwrap_or_default(),
            cache_write: self.cache_creation_input_tokens.unwrap_or_default(),
            cache_write_1h: self
                .cache_creation
                .and_then(|split| split.ephemeral_1h_input_tokens)
                .unwrap_or_default(),
            output: self.output_tokens.unwrap_or_default(),
            reasoning: reasoning.unwrap_or_default(),
        }
    }
}

impl From<Usage> for UsageOut {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input,
            cache_creation_input_tokens: usage.cache_write,
            cache_read_input_tokens: usage.cache_read,
            output_tokens: usage.output,
            output_tokens_details: (usage.reasoning > 0).then_some(DetailsOut {
                thinking_tokens: usage.reasoning,
            }),
        }
    }
}
