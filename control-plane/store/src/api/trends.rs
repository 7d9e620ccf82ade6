//! How calls ended, and how long they took.

use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_core::usage::Outcome;
use penstock_core::usage::times::Times;

/// Which calls. None does not restrict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrendFilter {
    /// Inclusive; widened to whole hours.
    pub from: UnixMs,
    /// Exclusive; widened to whole hours.
    pub to: UnixMs,
    pub provider: Option<ProviderId>,
    pub model: Option<String>,
}

/// Of whole hours, as at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trends {
    pub from: UnixMs,
    pub to: UnixMs,
    /// By hour, in order.
    pub hours: Vec<(UnixMs, Endings)>,
    /// By provider and model, at most [`Self::MAX_ROUTES`], those with the most calls first.
    pub routes: Vec<Route>,
    /// By how they ended, at most [`Self::MAX_KINDS`], those with the most calls first; without those that succeeded.
    pub kinds: Vec<Kind>,
}

/// How some calls ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    pub calls: u64,
    pub succeeded: u64,
    /// A provider's error, an answer that broke off, or no answer.
    pub failed: u64,
    /// Refused by Penstock.
    pub rejected: u64,
    pub client_aborts: u64,
    /// With more than one attempt.
    pub retried: u64,
    pub retried_succeeded: u64,
    /// With a status of 429 that was a provider's.
    pub upstream_rate_limited: u64,
    /// With a status of 429 that was Penstock's.
    pub rate_limited: u64,
}

/// Calls of one model at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// None: no provider was asked.
    pub provider: Option<ProviderId>,
    pub model: String,
    pub endings: Endings,
    /// Of answered calls.
    pub duration: Times,
    /// Until the first answer byte, of those that had one.
    pub first_byte: Times,
}

/// Calls that ended alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    pub outcome: Outcome,
    /// What the caller saw.
    pub status: u16,
    /// The business code; empty: none.
    pub code: String,
    pub calls: u64,
}

impl std::ops::AddAssign for Endings {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.rejected += other.rejected;
        self.client_aborts += other.client_aborts;
        self.retried += other.retried;
        self.retried_succeeded += other.retried_succeeded;
        self.upstream_rate_limited += other.upstream_rate_limited;
        self.rate_limited += other.rate_limited;
    }
}

impl Trends {
    pub const MAX_ROUTES: u32 = 1_000;
    pub const MAX_KINDS: u32 = 200;
}
