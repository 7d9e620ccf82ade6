//! Questions to the ledger and its answers.

use penstock_core::id::{KeyId, ProviderId, RequestId, UserId};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::Outcome;

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
    /// Of one of these users or keys.
    pub among: Option<Among>,
    /// Asked of single records, as all below: those that are cleaned are not in the sums.
    pub session: Option<String>,
    /// What the caller saw, from and to, both inclusive.
    pub status: Option<(u16, u16)>,
    pub outcome: Option<Outcome>,
}

/// Users and keys. A call is one of theirs if its user or its key is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Among {
    /// At most [`Self::MAX`] of both together.
    pub users: Vec<UserId>,
    pub keys: Vec<KeyId>,
}

/// Which groups come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsageOrder {
    /// The dearest.
    #[default]
    Cost,
    /// Those with the most tokens in all classes.
    Tokens,
    /// Those with the most answered calls.
    Requests,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageGrouping {
    User,
    Key,
    Provider,
    Model,
    Hour,
    /// Of single records: those that are cleaned are not in the sums.
    Session,
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
    Session(String),
}

/// A session with calls in a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionUsage {
    pub id: String,
    pub user: UserId,
    pub key: KeyId,
    /// That served the last call. None: none did.
    pub provider: Option<ProviderId>,
    /// Of the last call.
    pub model: String,
    pub first_call: UnixMs,
    pub last_call: UnixMs,
    pub calls: u64,
    /// In all classes.
    pub tokens: u64,
    pub cost: NanoUsd,
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

impl std::ops::AddAssign for UsageTotals {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.rejected += other.rejected;
        self.unpriced_requests += other.unpriced_requests;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.cache_write_1h_tokens += other.cache_write_1h_tokens;
        self.cache_write_12h_tokens += other.cache_write_12h_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.web_searches += other.web_searches;
        self.audio_input_tokens += other.audio_input_tokens;
        self.image_input_tokens += other.image_input_tokens;
        self.audio_output_tokens += other.audio_output_tokens;
        self.image_output_tokens += other.image_output_tokens;
        self.cost += other.cost;
    }
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
    /// Hours in order, others as asked, the dearest first by default; empty without a grouping.
    pub groups: Vec<UsageGroup>,
    /// There are more groups than were asked for; the last ones are left out.
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
            among: None,
            session: None,
            status: None,
            outcome: None,
        }
    }

    /// Only single records tell.
    pub fn needs_records(&self) -> bool {
        self.session.is_some() || self.status.is_some() || self.outcome.is_some()
    }
}

impl Among {
    pub const MAX: usize = 5_000;

    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.keys.is_empty()
    }
}

impl UsageSummary {
    pub const MAX_GROUPS: u32 = 10_000;

    /// For those who sum up groups themselves.
    pub const ALL_GROUPS: u32 = 1_000_000;
}
