//! What a new state says that the old one did not: for log lines and alerts.

use std::fmt;
use std::sync::Arc;

use super::Mark;
use super::breaker::Circuit;
use super::credential::Credential;
use super::state::{Aside, Entry, State, WHOLE};
use crate::time::UnixMs;

/// One fact that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// None: the provider as a whole.
    pub model: Option<Arc<str>>,
    pub what: What,
    pub by: Arc<str>,
    pub why: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Circuit(Circuit),
    Cooling {
        until: UnixMs,
    },
    Credential(Credential),
    Billing(Aside),
    NoModel(Aside),
    /// An operator cleared everything.
    Reset,
}

/// In the order of the models.
pub fn changes(old: &State, new: &State, now: UnixMs) -> Vec<Change> {
    if new.generation > old.generation && new.entries.is_empty() {
        return vec![Change {
            model: None,
            what: What::Reset,
            by: "".into(),
            why: "reset by an operator".into(),
        }];
    }
    let (mut found, nothing) = (Vec::new(), Entry::default());
    for (model, entry) in &new.entries {
        let before = old.entry(model).unwrap_or(&nothing);
        let model = (&**model != WHOLE).then(|| Arc::clone(model));
        let mut tell = |what: Option<(What, Arc<str>, Arc<str>)>| {
            if let Some((what, by, why)) = what {
                let model = model.clone();
                found.push(Change { model, what, by, why });
            }
        };
        tell(news(&before.circuit, &entry.circuit, |circuit| {
            Some(What::Circuit(circuit))
        }));
        tell(news(&before.credential, &entry.credential, |it| {
            Some(What::Credential(it))
        }));
        tell(news(&before.billing, &entry.billing, |it| {
            it.in_force(now).then_some(What::Billing(it))
        }));
        tell(news(&before.no_model, &entry.no_model, |it| {
            it.in_force(now).then_some(What::NoModel(it))
        }));
        tell(news(&before.cooling, &entry.cooling, |it| {
            it.in_force(now).then_some(What::Cooling { until: it.until })
        }));
    }
    found
}

fn news<T: Copy + PartialEq>(
    old: &Option<Mark<T>>,
    new: &Option<Mark<T>>,
    what: impl FnOnce(T) -> Option<What>,
) -> Option<(What, Arc<str>, Arc<str>)> {
    let mark = new.as_ref().filter(|new| old.as_ref() != Some(new))?;
    Some((what(mark.value)?, Arc::clone(&mark.by), Arc::clone(&mark.why)))
}

impl What {
    /// The name of the state that begins, for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Circuit(Circuit::Closed) => "closed",
            Self::Circuit(Circuit::Trying { .. }) => "half_open",
            Self::Circuit(Circuit::Open { .. }) => "open",
            Self::Circuit(Circuit::Forced { .. }) => "forced_open",
            Self::Cooling { .. } => "cooling",
            Self::Credential(Credential::Accepted) => "credential_accepted",
            Self::Credential(Credential::Suspect { .. }) => "credential_suspect",
            Self::Credential(Credential::Failed { .. }) => "credential_failed",
            Self::Credential(Credential::Revoked) => "credential_revoked",
            Self::Billing(_) => "billing",
            Self::NoModel(_) => "no_model",
            Self::Reset => "reset",
        }
    }
}

impl What {
    /// When it ends by itself.
    pub fn until(self) -> Option<UnixMs> {
        match self {
            Self::Circuit(Circuit::Open { until }) | Self::Cooling { until } => Some(until),
            Self::Circuit(Circuit::Forced { until }) => until,
            Self::Credential(Credential::Suspect { until }) => Some(until),
            Self::Billing(aside) | Self::NoModel(aside) => aside.end(),
            Self::Circuit(Circuit::Closed | Circuit::Trying { .. }) | Self::Credential(_) | Self::Reset => {
                None
            }
        }
    }
}

/// `Circuit breaker is OPEN for provider …`: the provider's name follows.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Circuit(Circuit::Closed) => "Circuit breaker is CLOSED for provider",
            Self::Circuit(Circuit::Trying { .. }) => "Circuit breaker is HALF-OPEN for provider",
            Self::Circuit(Circuit::Open { .. }) => "Circuit breaker is OPEN for provider",
            Self::Circuit(Circuit::Forced { .. }) => "Circuit breaker is OPEN (by an operator) for provider",
            Self::Cooling { .. } => "Cooling down after too many requests: provider",
            Self::Credential(Credential::Accepted) => "The credential is accepted again at provider",
            Self::Credential(Credential::Suspect { .. }) => {
                "The credential was refused and is being probed: provider"
            }
            Self::Credential(Credential::Failed { .. }) => {
                "The credential has FAILED, out of rotation: provider"
            }
            Self::Credential(Credential::Revoked) => {
                "The credential is refused for good, an operator must act: provider"
            }
            Self::Billing(_) => "Out of money, set aside: provider",
            Self::NoModel(_) => "The model is not there, set aside for it: provider",
            Self::Reset => "Breaker, cooldowns and credential state were RESET for provider",
        })
    }
}
