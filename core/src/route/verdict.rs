//! What speaks for or against one provider, and what it means when all are spoken against.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Ask, judge, serves};
use crate::health::{SetAside, Standing};
use crate::limits::Dimension;
use crate::snapshot::ProviderEntry;
use crate::time::UnixMs;

/// What speaks for or against one provider. A moment is the one at which it may be over; None: nobody knows.
///
/// From [`Verdict::Full`] on they are not [`judge`]'s: they are found out when the provider was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Candidate,
    Disabled,
    NoCredential,
    OtherDialect,
    OtherGroup,
    ModelNotServed,
    OutsideHours,
    Tried,
    BreakerOpen(Option<UnixMs>),
    CoolingDown(UnixMs),
    SetAside(SetAside, Option<UnixMs>),
    /// This limit of its own is used up.
    Full(Dimension),
    /// It is not known what is left of its budget.
    BudgetUnknown,
    /// The one trial of its half-open breaker is another call.
    TrialUnderWay,
    /// The model has no price there, and calls without a price are refused.
    Unpriced,
    /// Its total timeout ran out while others were asked.
    OutOfTime,
    /// The request cannot be said in its dialect.
    Untranslatable,
}

/// Nobody can serve the call now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCandidate {
    /// Some enabled provider serves the model in this dialect, only not this caller or not now.
    pub served_elsewhere: bool,
    /// Every provider that could serve it is behind an open breaker.
    pub breakers_alone: bool,
    /// When the first of those that would serve this caller may be back.
    pub soonest: Option<UnixMs>,
}

impl Verdict {
    /// A half-open breaker is a candidate: whether the call may be its trial is asked when it is chosen.
    pub(super) fn of(standing: Standing) -> Self {
        match standing {
            Standing::Ready | Standing::HalfOpen => Self::Candidate,
            Standing::Open { until } => Self::BreakerOpen(until),
            Standing::Cooling { until } => Self::CoolingDown(until),
            Standing::SetAside { why, until } => Self::SetAside(why, until),
        }
    }

    /// For scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Disabled => "disabled",
            Self::NoCredential => "no_credential",
            Self::OtherDialect => "other_dialect",
            Self::OtherGroup => "other_group",
            Self::ModelNotServed => "model_not_served",
            Self::OutsideHours => "outside_hours",
            Self::Tried => "tried",
            Self::BreakerOpen(_) => "breaker_open",
            Self::CoolingDown(_) => "cooling_down",
            Self::SetAside(SetAside::Credential, _) => "credential_refused",
            Self::SetAside(SetAside::Billing, _) => "no_money",
            Self::SetAside(SetAside::NoModel, _) => "no_such_model",
            Self::Full(_) => "full",
            Self::BudgetUnknown => "budget_unknown",
            Self::TrialUnderWay => "trial_under_way",
            Self::Unpriced => "unpriced",
            Self::OutOfTime => "out_of_time",
            Self::Untranslatable => "untranslatable",
        }
    }

    /// For people, behind the provider's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Disabled => "is disabled",
            Self::NoCredential => "has no credential",
            Self::OtherDialect => "speaks another dialect",
            Self::OtherGroup => "is in none of the caller's groups",
            Self::ModelNotServed => "does not serve the model",
            Self::OutsideHours => "is outside its active hours",
            Self::Tried => "was tried already",
            Self::BreakerOpen(_) => "has an open circuit breaker",
            Self::CoolingDown(_) => "is cooling down",
            Self::SetAside(SetAside::Credential, _) => "has a credential that was refused",
            Self::SetAside(SetAside::Billing, _) => "has no money left",
            Self::SetAside(SetAside::NoModel, _) => "said that it has no such model",
            Self::Full(_) => "is full",
            Self::BudgetUnknown => "has a budget of which it is not known what is left",
            Self::TrialUnderWay => "has a half-open circuit breaker, whose trial is under way",
            Self::Unpriced => "has no price for the model",
            Self::OutOfTime => "had no time left",
            Self::Untranslatable => "cannot be asked this in its dialect",
        }
    }

    /// When it may be over.
    pub fn until(self) -> Option<UnixMs> {
        match self {
            Self::BreakerOpen(until) | Self::SetAside(_, until) => until,
            Self::CoolingDown(until) => Some(until),
            Self::Candidate
            | Self::Disabled
            | Self::NoCredential
            | Self::OtherDialect
            | Self::OtherGroup
            | Self::ModelNotServed
            | Self::OutsideHours
            | Self::Tried
            | Self::Full(_)
            | Self::BudgetUnknown
            | Self::TrialUnderWay
            | Self::Unpriced
            | Self::OutOfTime
            | Self::Untranslatable => None,
        }
    }

    /// The provider would serve the call, only not now.
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            Self::Candidate
                | Self::OutsideHours
                | Self::BreakerOpen(_)
                | Self::CoolingDown(_)
                | Self::SetAside(..)
                | Self::Full(_)
                | Self::BudgetUnknown
                | Self::TrialUnderWay
        )
    }
}

impl NoCandidate {
    /// Who was tried in vain may serve the next call: what counts is how it does now.
    pub(super) fn of(providers: &[Arc<ProviderEntry>], ask: &Ask<'_>) -> Self {
        let ask = &Ask { tried: &[], ..*ask };
        let judged = providers.iter().map(|entry| (entry, judge(entry, ask)));
        let passing: Vec<_> = judged.filter(|(_, verdict)| verdict.is_passing()).collect();
        // A half-open one that is no candidate: another call is its trial.
        let half_open = |entry: &ProviderEntry| ask.fleet.standing(entry, ask.model) == Standing::HalfOpen;
        let breaker = |(entry, verdict): &(&Arc<ProviderEntry>, Verdict)| {
            matches!(verdict, Verdict::BreakerOpen(_)) || (*verdict == Verdict::Candidate && half_open(entry))
        };
        Self {
            served_elsewhere: providers.iter().any(|entry| serves(entry, ask)),
            breakers_alone: !passing.is_empty() && passing.iter().all(breaker),
            soonest: passing.iter().filter_map(|(_, verdict)| verdict.until()).min(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        if let Self::Full(dimension) = self {
            return write!(f, " ({})", dimension.as_str());
        }
        match self.until() {
            Some(until) => write!(f, " until {until}"),
            None => Ok(()),
        }
    }
}
