//! May this provider be asked for this model, now?
//!
//! Of several obstacles the one that ends last is the answer, since the provider is of no use before. Half-open counts
//! only where nothing else is in the way.

use serde::{Deserialize, Serialize};

use super::breaker::{Circuit, Phase};
use super::credential::Credential;
use super::state::{Aside, Entry, State, WHOLE};
use super::{BreakerSettings, Mark};
use crate::time::UnixMs;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Ready,
    /// Only the fleet's one trial.
    HalfOpen,
    /// None: forced by an operator, who says when it ends.
    Open {
        until: Option<UnixMs>,
    },
    Cooling {
        until: UnixMs,
    },
    /// None: an operator must look.
    SetAside {
        why: SetAside,
        until: Option<UnixMs>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAside {
    Credential,
    Billing,
    NoModel,
}

impl Standing {
    /// When it may be asked again. None: now, or nobody knows.
    pub fn until(self) -> Option<UnixMs> {
        match self {
            Self::Ready | Self::HalfOpen => None,
            Self::Open { until } | Self::SetAside { until, .. } => until,
            Self::Cooling { until } => Some(until),
        }
    }

    fn rank(self) -> (u8, i64) {
        let end = |until: Option<UnixMs>| until.map_or(i64::MAX, |until| until.0);
        match self {
            Self::Ready => (0, 0),
            Self::HalfOpen => (1, 0),
            Self::Open { until } | Self::SetAside { until, .. } => (2, end(until)),
            Self::Cooling { until } => (2, until.0),
        }
    }

    fn worse(self, other: Self) -> Self {
        match other.rank() > self.rank() {
            true => other,
            false => self,
        }
    }
}

impl State {
    pub fn standing(&self, model: &str, settings: &BreakerSettings, now: UnixMs) -> Standing {
        let entries = [self.entry(WHOLE), self.entry(model)];
        entries
            .into_iter()
            .flatten()
            .fold(Standing::Ready, |worst, entry| {
                worst.worse(entry.standing(settings, now))
            })
    }

    /// Where it is half-open: whose trial it is; None: the provider's. Of two, the provider's comes first.
    pub fn trial_of<'a>(&self, model: &'a str, settings: &BreakerSettings, now: UnixMs) -> Option<&'a str> {
        let whole = self.entry(WHOLE).map(|entry| entry.phase(settings, now));
        (whole != Some(Phase::HalfOpen)).then_some(model)
    }
}

impl Entry {
    pub fn phase(&self, settings: &BreakerSettings, now: UnixMs) -> Phase {
        let circuit = self.circuit.as_ref().map_or(Circuit::Closed, |mark| mark.value);
        circuit.phase(settings, now)
    }

    pub fn standing(&self, settings: &BreakerSettings, now: UnixMs) -> Standing {
        let circuit = match self.phase(settings, now) {
            Phase::Closed => Standing::Ready,
            Phase::HalfOpen => Standing::HalfOpen,
            Phase::Open { until } => Standing::Open { until },
        };
        circuit
            .worse(self.credential_standing(now))
            .worse(aside(&self.billing, SetAside::Billing, now))
            .worse(aside(&self.no_model, SetAside::NoModel, now))
            .worse(self.cooling_standing(now))
    }

    fn credential_standing(&self, now: UnixMs) -> Standing {
        let why = SetAside::Credential;
        match self.credential.as_ref().map(|mark| mark.value) {
            Some(Credential::Suspect { until }) if now < until => Standing::SetAside {
                why,
                until: Some(until),
            },
            Some(Credential::Failed { probe_at }) => Standing::SetAside {
                why,
                until: Some(probe_at),
            },
            Some(Credential::Revoked) => Standing::SetAside { why, until: None },
            Some(Credential::Accepted | Credential::Suspect { .. }) | None => Standing::Ready,
        }
    }

    fn cooling_standing(&self, now: UnixMs) -> Standing {
        match &self.cooling {
            Some(mark) if mark.value.in_force(now) => Standing::Cooling {
                until: mark.value.until,
            },
            _ => Standing::Ready,
        }
    }
}

fn aside(mark: &Option<Mark<Aside>>, why: SetAside, now: UnixMs) -> Standing {
    match mark {
        Some(mark) if mark.value.in_force(now) => Standing::SetAside {
            why,
            until: mark.value.end(),
        },
        _ => Standing::Ready,
    }
}

impl SetAside {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Billing => "billing",
            Self::NoModel => "no-model",
        }
    }
}
