//! Tokens by class, and the sums of what was reported.
//!
//! Classes are disjoint as a ledger wants them, except `reasoning`, which is a part of `output`. Each dialect
//! turns them into its own counting when it writes an answer.

use serde::Serialize;

/// Tokens of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Without cache reads and writes.
    pub input: u64,
    /// With reasoning.
    pub output: u64,
    pub cache_read: u64,
    /// At the shortest time to live (5 minutes at Anthropic).
    pub cache_write_5m: u64,
    /// Anthropic only; an OpenAI answer adds it to `cache_write_5m`.
    pub cache_write_1h: u64,
    pub reasoning: u64,
}

/// Numbers to report instead of the derived ones; `None` keeps the derived one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageOverride {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write_5m: Option<u64>,
    pub cache_write_1h: Option<u64>,
    pub reasoning: Option<u64>,
}

/// What was reported to callers so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsageTotals {
    /// Whole answers that carried usage.
    pub answers: u64,
    /// The sum over those.
    pub complete: Usage,
    /// Streams that ended early (cut, error event, caller gone) after they had reported some usage.
    pub partial_answers: u64,
    /// The sum of the last numbers that each of those had reported.
    pub partial: Usage,
}

impl Usage {
    /// These numbers with the overridden ones replaced.
    pub(crate) fn overridden(self, by: &UsageOverride) -> Self {
        Self {
            input: by.input.unwrap_or(self.input),
            output: by.output.unwrap_or(self.output),
            cache_read: by.cache_read.unwrap_or(self.cache_read),
            cache_write_5m: by.cache_write_5m.unwrap_or(self.cache_write_5m),
            cache_write_1h: by.cache_write_1h.unwrap_or(self.cache_write_1h),
            reasoning: by.reasoning.unwrap_or(self.reasoning),
        }
    }

    fn add(&mut self, other: &Self) {
        self.input += other.input;
        self.output += other.output;
        self.cache_read += other.cache_read;
        self.cache_write_5m += other.cache_write_5m;
        self.cache_write_1h += other.cache_write_1h;
        self.reasoning += other.reasoning;
    }
}

impl UsageOverride {
    /// True when every number is left to be derived.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl UsageTotals {
    pub(crate) fn add_complete(&mut self, usage: &Usage) {
        self.answers += 1;
        self.complete.add(usage);
    }

    pub(crate) fn add_partial(&mut self, usage: &Usage) {
        self.partial_answers += 1;
        self.partial.add(usage);
    }
}
