//! Limits and budgets: what a user, a key or a provider may use, in nine dimensions.
//!
//! A call of a key is held to the limits of the key and of its user, both at once; the strictest wins. A provider's
//! limits make routing skip the provider. Zero is no limit.
//!
//! | module | what |
//! |---|---|
//! | [`dimension`] | the nine dimensions and the levels, in the order in which refusals name them |
//! | [`window`] | where a day, a week, a month begins in a zone |
//! | [`exceeded`] | a refusal: its words, its headers, when to come back |
//! | [`reading`] | how full a limit is, as JSON |
//!
//! Money is counted at the instant of admission, in every window at once. A reset is an instant: nothing that was
//! admitted before it counts in its dimension. It belongs to the limit's specification and not to the counters, so it
//! survives whatever happens to them.

pub mod dimension;
pub mod exceeded;
pub mod forecast;
pub mod reading;
pub mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

pub use dimension::{Dimension, Level};
pub use exceeded::Exceeded;
pub use window::{DailyReset, Zone};

use crate::invalid::Invalid;
use crate::money::NanoUsd;
use crate::time::UnixMs;

/// The largest budget, 9 007 199 USD: Redis counts in doubles, which are exact up to 2^53.
pub const MAX_BUDGET: NanoUsd = NanoUsd(9_007_199_000_000_000);
/// The largest limit of another kind.
pub const MAX_COUNT: u64 = 1_000_000_000_000;
/// How long a session counts after its last call, unless the limit says otherwise; seconds.
pub const SESSION_IDLE_S: u32 = 300;
const MAX_SESSION_IDLE_S: u32 = 86_400;

/// What a user, a key or a provider may use. The default is without any limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Requests in any 60 s; 0: no limit, as in every field here.
    #[serde(skip_serializing_if = "is_default")]
    pub rpm: u64,
    /// Tokens in any 60 s, cache reads left out.
    #[serde(skip_serializing_if = "is_default")]
    pub tpm: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_5h: NanoUsd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_daily: NanoUsd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_weekly: NanoUsd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_monthly: NanoUsd,
    /// Since creation or the last reset.
    #[serde(skip_serializing_if = "is_default")]
    pub usd_total: NanoUsd,
    #[serde(skip_serializing_if = "is_default")]
    pub concurrent_sessions: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub concurrent_requests: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub budget: Budget,
    #[serde(skip_serializing_if = "is_default")]
    pub daily_reset: DailyReset,
    /// Where days, weeks and months begin.
    #[serde(skip_serializing_if = "is_default")]
    pub zone: Zone,
    /// Seconds; None: [`SESSION_IDLE_S`]. 0: only sessions with a call in flight count.
    #[serde(skip_serializing_if = "is_default")]
    pub session_idle_s: Option<u32>,
    /// The last reset of each dimension.
    #[serde(skip_serializing_if = "is_default")]
    pub resets: BTreeMap<Dimension, UnixMs>,
}

/// How a budget of money is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// A call is let in while less than the limit is spent and reserved; calls in flight at the crossing run on.
    #[default]
    Soft,
    /// A call is let in when its bound still fits; the limit is never passed.
    Strict,
}

impl Budget {
    pub const ALL: [Self; 2] = [Self::Soft, Self::Strict];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Strict => "strict",
        }
    }
}

static NONE: LazyLock<Arc<Limits>> = LazyLock::new(Arc::default);

impl Limits {
    /// Without any limit. All share one, since most keys have none of their own.
    pub fn none() -> Arc<Self> {
        Arc::clone(&NONE)
    }

    /// The same, shared.
    pub fn shared(self) -> Arc<Self> {
        match self == Self::default() {
            true => Self::none(),
            false => Arc::new(self),
        }
    }

    /// The limit in this dimension in its own unit (nano-USD for money); 0: none.
    pub fn get(&self, dimension: Dimension) -> u64 {
        let money = |amount: NanoUsd| u64::try_from(amount.0).unwrap_or(0);
        match dimension {
            Dimension::UsdTotal => money(self.usd_total),
            Dimension::ConcurrentSessions => self.concurrent_sessions,
            Dimension::ConcurrentRequests => self.concurrent_requests,
            Dimension::Rpm => self.rpm,
            Dimension::Tpm => self.tpm,
            Dimension::Usd5h => money(self.usd_5h),
            Dimension::UsdDaily => money(self.usd_daily),
            Dimension::UsdWeekly => money(self.usd_weekly),
            Dimension::UsdMonthly => money(self.usd_monthly),
        }
    }

    /// The lowest schema of resources that understands them: a node that does not know limits must not ignore them.
    pub fn required_schema(&self) -> u32 {
        match self.is_unlimited() {
            true => 1,
            false => 2,
        }
    }

    pub fn is_unlimited(&self) -> bool {
        Dimension::ALL.iter().all(|dimension| self.get(*dimension) == 0)
    }

    /// Whether any dimension of money is limited.
    pub fn has_budget(&self) -> bool {
        Dimension::MONEY.iter().any(|dimension| self.get(*dimension) > 0)
    }

    /// Whether money is limited and must never be overspent.
    pub fn is_strict(&self) -> bool {
        self.budget == Budget::Strict && self.has_budget()
    }

    pub fn session_idle_ms(&self) -> u64 {
        u64::from(self.session_idle_s.unwrap_or(SESSION_IDLE_S)) * 1000
    }

    /// The last reset of a dimension; nothing admitted before it counts.
    pub fn reset_at(&self, dimension: Dimension) -> Option<UnixMs> {
        self.resets.get(&dimension).copied()
    }

    pub fn validate(&self) -> Result<(), Invalid> {
        for dimension in Dimension::MONEY {
            let amount = self.money(dimension);
            if amount.0 < 0 || amount > MAX_BUDGET {
                let problem = format!("{amount} USD is not between 0 (no limit) and {MAX_BUDGET} USD");
                return Err(Invalid::new(format!("limits.{}", dimension.as_str()), problem));
            }
        }
        for dimension in Dimension::ALL
            .into_iter()
            .filter(|dimension| !dimension.is_money())
        {
            if self.get(dimension) > MAX_COUNT {
                let problem = format!("is over {MAX_COUNT}; 0 is no limit");
                return Err(Invalid::new(format!("limits.{}", dimension.as_str()), problem));
            }
        }
        if self
            .session_idle_s
            .is_some_and(|seconds| seconds > MAX_SESSION_IDLE_S)
        {
            let problem = "must be between 0 s (calls in flight only) and 24 h";
            return Err(Invalid::new("limits.session_idle_s", problem));
        }
        self.daily_reset.validate()?;
        self.zone.validate("limits.zone")
    }

    /// The budget in a dimension of money; 0 in others.
    pub fn money(&self, dimension: Dimension) -> NanoUsd {
        match dimension {
            Dimension::UsdTotal => self.usd_total,
            Dimension::Usd5h => self.usd_5h,
            Dimension::UsdDaily => self.usd_daily,
            Dimension::UsdWeekly => self.usd_weekly,
            Dimension::UsdMonthly => self.usd_monthly,
            Dimension::ConcurrentSessions
            | Dimension::ConcurrentRequests
            | Dimension::Rpm
            | Dimension::Tpm => NanoUsd(0),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
