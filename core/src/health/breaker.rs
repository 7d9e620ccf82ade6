//! The circuit breaker. This comment is its specification.
//!
//! A provider has one circuit, and one more for each of its models whose own faults were seen (a finding's scope says
//! which). A circuit is the fleet's; what leads to its opening is counted on each node.
//!
//! ```text
//!            N failures in a row                    open_ms passed
//!  ┌────────┐   on one node    ┌──────────────────┐               ┌───────────┐
//!  │ closed │ ───────────────▶ │ open: no request │ ────────────▶ │ half-open │──┐ a trial went well,
//!  └────────┘                  └──────────────────┘               └───────────┘◀─┘ but more are needed
//!       ▲                               ▲     a trial failed            │
//!       │                               └────────────────────────────── ┤
//!       └───────────────────────────────────────────────────────────────┘ the last needed trial went well
//! ```
//!
//! **Closed.** Requests pass. [`Failures`] counts failures in a row; the success of a request that began after the first
//! of them sets it to zero: a stream that has run for an hour says little of now. Counted are findings of
//! the classes T and M, and the others as failures of nobody: a caller's mistake, an unknown model, a refused
//! credential, a rate limit neither count nor interrupt the row. Network errors count unless the provider's settings say
//! that they do not. The caller reports a request's end once for each provider, so one request is at most one failure
//! there, however often it was repeated.
//!
//! Streams that were cut off together are one failure ([`super::local`]): one restart of a provider with a hundred streams
//! under way is no row.
//!
//! **Opening** takes `failures` of them. When more than one key used the provider in the last 5 minutes, they must also
//! have come from two keys or more: one caller's requests alone take a provider from nobody. Until then the count goes
//! on, and the first failure of another key opens.
//!
//! **Open.** No request passes for `open_ms`. What ends meanwhile began earlier and changes nothing.
//!
//! **Half-open.** Begins by itself when the time has passed. One request at a time is let through as a trial: the lease
//! on that is kept by the fleet, outside, until the answer's first content; a stream that runs on keeps nobody out, and is
//! still a trial when it ends. A failure that counts opens again, whoever's it was; `successes` trials that
//! went well close. What else ends well meanwhile began before, and is none. A trial that ended in something that does not count is as if it had not been, and the next takes
//! its place.
//!
//! **A new count.** Any move of the circuit, on whichever node, and any reset begin the count on each node anew.
//!
//! **Forced open** by an operator: no request passes until the operator's moment, or until a reset. Nothing that
//! requests do changes it. At its moment the circuit is closed.
//!
//! **Off.** When one of the numbers is 0 nothing is counted and an open circuit lets all pass, except a forced one.

use serde::{Deserialize, Serialize};

use super::BreakerSettings;
use crate::id::KeyId;
use crate::time::UnixMs;

/// A circuit as the fleet knows it. Of two reports that do not know of each other, the greater holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    #[default]
    Closed,
    /// Half-open, with so many trials that went well.
    Trying { successes: u32 },
    /// Half-open from this moment on.
    Open { until: UnixMs },
    /// By an operator. None: until a reset.
    Forced { until: Option<UnixMs> },
}

/// A circuit at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Closed,
    HalfOpen,
    /// None: until an operator closes it.
    Open {
        until: Option<UnixMs>,
    },
}

/// Failures in a row on this node. They belong to one state of the circuit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    count: u32,
    since: UnixMs,
    first: Option<KeyId>,
    of_two_keys: bool,
    of: Option<CircuitVersion>,
}

/// Generation and stamp of the circuit's mark.
pub type CircuitVersion = (u64, u64);

/// Who failed, at what.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    pub key: KeyId,
    pub circuit: CircuitVersion,
    /// More than one key used the provider lately.
    pub shared: bool,
}

impl Circuit {
    pub fn phase(self, settings: &BreakerSettings, now: UnixMs) -> Phase {
        match self {
            Self::Forced { until } if until.is_none_or(|until| now < until) => Phase::Open { until },
            Self::Closed | Self::Forced { .. } => Phase::Closed,
            Self::Trying { .. } | Self::Open { .. } if !settings.is_on() => Phase::Closed,
            Self::Open { until } if now < until => Phase::Open { until: Some(until) },
            Self::Trying { .. } | Self::Open { .. } => Phase::HalfOpen,
        }
    }

    /// After a failure that counts. None: it stays.
    pub fn failed(
        self,
        settings: &BreakerSettings,
        failures: &mut Failures,
        failure: Failure,
        now: UnixMs,
    ) -> Option<Self> {
        if !settings.is_on() {
            return None;
        }
        let opens = match self.phase(settings, now) {
            Phase::Closed => failures.add(settings, failure, now),
            Phase::HalfOpen => true,
            Phase::Open { .. } => false,
        };
        opens.then(|| Self::Open {
            until: now.plus_ms(settings.open_ms),
        })
    }

    /// After a trial that went well. None: it stays.
    pub fn succeeded(self, settings: &BreakerSettings, now: UnixMs) -> Option<Self> {
        if self.phase(settings, now) != Phase::HalfOpen {
            return None;
        }
        let before = match self {
            Self::Trying { successes } => successes,
            Self::Closed | Self::Open { .. } | Self::Forced { .. } => 0,
        };
        let successes = before.saturating_add(1);
        Some(match successes >= settings.successes {
            true => Self::Closed,
            false => Self::Trying { successes },
        })
    }
}

impl Failures {
    /// True: that makes the row long enough.
    fn add(&mut self, settings: &BreakerSettings, failure: Failure, now: UnixMs) -> bool {
        if self.of != Some(failure.circuit) {
            *self = Self {
                since: now,
                of: Some(failure.circuit),
                ..Self::default()
            };
        }
        self.count = self.count.saturating_add(1);
        self.of_two_keys |= *self.first.get_or_insert(failure.key) != failure.key;
        self.count >= settings.failures && (self.of_two_keys || !failure.shared)
    }

    /// Since when there have been failures only.
    pub fn since(&self) -> UnixMs {
        self.since
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn count(&self) -> u32 {
        self.count
    }
}
