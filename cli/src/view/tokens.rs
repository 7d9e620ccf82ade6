//! Tokens by class, as they stand in sums and in single records.

use penstock_core::usage::TokenUsage;
use penstock_proto::admin::v1::UsageTotals;
use serde::Serialize;

/// Classes that do not overlap, except parts of the input and the output: reasoning, sound, pictures.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Tokens {
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub cache_write_1h_tokens: u64,
    pub cache_write_12h_tokens: u64,
    pub reasoning_tokens: u64,
    pub audio_input_tokens: u64,
    pub image_input_tokens: u64,
    pub audio_output_tokens: u64,
    pub image_output_tokens: u64,
}

impl Tokens {
    /// Written to a cache, for however long.
    pub(crate) fn written(&self) -> u64 {
        [
            self.cache_write_tokens,
            self.cache_write_1h_tokens,
            self.cache_write_12h_tokens,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

impl From<&UsageTotals> for Tokens {
    fn from(totals: &UsageTotals) -> Self {
        Self {
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            cache_read_tokens: totals.cache_read_tokens,
            cache_write_tokens: totals.cache_write_tokens,
            cache_write_1h_tokens: totals.cache_write_1h_tokens,
            cache_write_12h_tokens: totals.cache_write_12h_tokens,
            reasoning_tokens: totals.reasoning_tokens,
            audio_input_tokens: totals.audio_input_tokens,
            image_input_tokens: totals.image_input_tokens,
            audio_output_tokens: totals.audio_output_tokens,
            image_output_tokens: totals.image_output_tokens,
        }
    }
}

impl From<&TokenUsage> for Tokens {
    fn from(usage: &TokenUsage) -> Self {
        Self {
            input_tokens: usage.input,
            output_tokens: usage.output,
            cache_read_tokens: usage.cache_read,
            cache_write_tokens: usage.cache_write,
            cache_write_1h_tokens: usage.cache_write_1h,
            cache_write_12h_tokens: usage.cache_write_12h,
            reasoning_tokens: usage.reasoning,
            audio_input_tokens: usage.audio_input,
            image_input_tokens: usage.image_input,
            audio_output_tokens: usage.audio_output,
            image_output_tokens: usage.image_output,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_writes_of_every_duration_are_written_tokens() {
        let usage = TokenUsage {
            cache_write: 1,
            cache_write_1h: 2,
            cache_write_12h: 4,
            cache_read: 99,
            ..TokenUsage::default()
        };
        assert_eq!(Tokens::from(&usage).written(), 7);
    }
}
