//! Questions to the ledger and its answers.

use penstock_core::id::{KeyId, ProviderId, RequestId, UserId};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;

/// What became of a batch of usage records. All of it is committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Records that were not there before.
    pub fresh: u64,
    /// Records that can never be stored, and why. Nothing of them was kept.
    pub refused: Vec<(RequestId, String)>,
}

/// Which calls. None does not restrict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageFilter {
    /// Inclusive.
    pub from: UnixMs,
    /// Exclusive.
    pub to: UnixMs,
    pub user: Option<UserId>,
    pub key: Option<KeyId>,
    pub provider: Option<ProviderId>,
    /// As the caller asked.
    pub model: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageGrouping {
    User,
    Key,
    Provider,
    Model,
    Hour,
}

/// What a group of calls has in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UsageSubject {
    User(UserId),
    Key(KeyId),
    /// None: no provider was asked.
    Provider(Option<ProviderId>),
    Model(String),
    /// Its first millisecond.
    Hour(UnixMs),
}

/// Sums over calls. Tokens in classes that do not overlap, except `reasoning_tokens`, a part of `output_tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageTotals {
    /// Calls that a provider answered.
    pub requests: u64,
    /// Calls refused by Penstock or answered by no provider.
    pub rejected: u64,
    /// Answered calls for models without a price.
    pub unpriced_requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_read_tokens: u64,
    pub cache_write_tokens: u64,
    pub cache_write_1h_tokens: u64,
    pub cache_write_12h_tokens: u64,
    pub reasoning_tokens: u64,
    pub web_searches: u64,
    /// Of the input, and of the output.
    pub audio_input_tokens: u64,
    pub image_input_tokens: u64,
    pub audio_output_tokens: u64,
    pub image_output_tokens: u64,
    pub cost: NanoUsd,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageGroup {
    pub subject: UsageSubject,
    pub totals: UsageTotals,
}

/// Sums over a span of whole hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageSummary {
    /// The span that was summed: the filter's, widened to whole hours.
    pub from: UnixMs,
    pub to: UnixMs,
    pub totals: UsageTotals,
    /// Hours in order, others the dearest first; empty without a grouping.
    pub groups: Vec<UsageGroup>,
    /// There are more groups than [`UsageSummary::MAX_GROUPS`]; the cheapest (or latest hours) are left out.
    pub truncated: bool,
}

impl UsageFilter {
    /// All calls of a span.
    pub fn span(from: UnixMs, to: UnixMs) -> Self {
        Self {
            from,
            to,
            user: None,
            key: None,
            provider: None,
            model: None,
        }
    }
}

impl UsageSummary {
    pub const MAX_GROUPS: u32 = 10_000;
}
