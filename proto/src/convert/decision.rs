//! Decision records.

use penstock_core::failure::Class;
use penstock_core::health::SetAside;
use penstock_core::invalid::Invalid;
use penstock_core::route::Verdict;
use penstock_core::time::UnixMs;
use penstock_core::usage::decision::{
    Attempt, AttemptEnd, Candidate, Decision, MAX_ATTEMPTS, MAX_CANDIDATES, Phases,
};

use super::enums::{
    affinity_from_wire, affinity_to_wire, dimension_from_wire, dimension_to_wire, session_source_from_wire,
    session_source_to_wire,
};
use super::{id, required};
use crate::telemetry::v1 as wire;

/// Writes a decision.
pub(super) fn decision_to_wire(decision: &Decision) -> wire::Decision {
    wire::Decision {
        session_source: decision.session_source.map_or(0, session_source_to_wire),
        affinity: decision.affinity.map_or(0, affinity_to_wire),
        candidates: decision.candidates.iter().map(candidate_to_wire).collect(),
        attempts: decision.attempts.iter().map(attempt_to_wire).collect(),
        phases: Some(phases_to_wire(decision.phases)),
    }
}

/// Reads a decision, of more entries than are kept the first.
pub(super) fn decision_from_wire(decision: wire::Decision) -> Result<Decision, Invalid> {
    let candidates = decision.candidates.into_iter().take(MAX_CANDIDATES);
    let attempts = decision.attempts.into_iter().take(MAX_ATTEMPTS);
    Ok(Decision {
        session_source: match decision.session_source {
            0 => None,
            value => Some(session_source_from_wire("decision.session_source", value)?),
        },
        affinity: match decision.affinity {
            0 => None,
            value => Some(affinity_from_wire("decision.affinity", value)?),
        },
        candidates: candidates.map(candidate_from_wire).collect::<Result<_, _>>()?,
        attempts: attempts.map(attempt_from_wire).collect::<Result<_, _>>()?,
        phases: phases_from_wire(decision.phases.unwrap_or_default()),
    })
}

/// Writes a verdict.
pub fn verdict_to_wire(verdict: Verdict) -> wire::Verdict {
    use wire::VerdictKind as Kind;
    let kind = match verdict {
        Verdict::Candidate => Kind::Candidate,
        Verdict::Disabled => Kind::Disabled,
        Verdict::NoCredential => Kind::NoCredential,
        Verdict::OtherDialect => Kind::OtherDialect,
        Verdict::OtherGroup => Kind::OtherGroup,
        Verdict::ModelNotServed => Kind::ModelNotServed,
        Verdict::OutsideHours => Kind::OutsideHours,
        Verdict::Tried => Kind::Tried,
        Verdict::BreakerOpen(_) => Kind::BreakerOpen,
        Verdict::CoolingDown(_) => Kind::CoolingDown,
        Verdict::SetAside(SetAside::Credential, _) => Kind::CredentialRefused,
        Verdict::SetAside(SetAside::Billing, _) => Kind::NoMoney,
        Verdict::SetAside(SetAside::NoModel, _) => Kind::NoSuchModel,
        Verdict::Full(_) => Kind::Full,
        Verdict::BudgetUnknown => Kind::BudgetUnknown,
        Verdict::TrialUnderWay => Kind::TrialUnderWay,
        Verdict::Unpriced => Kind::Unpriced,
        Verdict::OutOfTime => Kind::OutOfTime,
        Verdict::Untranslatable => Kind::Untranslatable,
    };
    let full = if let Verdict::Full(dimension) = verdict {
        dimension_to_wire(dimension)
    } else {
        0
    };
    wire::Verdict {
        kind: kind.into(),
        until_ms: verdict.until().map(|until| until.0),
        dimension: full,
    }
}

/// Reads a verdict.
pub fn verdict_from_wire(field: &str, verdict: wire::Verdict) -> Result<Verdict, Invalid> {
    use wire::VerdictKind as Kind;
    let until = verdict.until_ms.map(UnixMs);
    let unknown = || {
        let problem = format!("has the value {}, which this release does not know", verdict.kind);
        Invalid::new(format!("{field}.kind"), problem)
    };
    Ok(match Kind::try_from(verdict.kind).map_err(|_| unknown())? {
        Kind::Unspecified => return Err(Invalid::new(format!("{field}.kind"), "is missing")),
        Kind::Candidate => Verdict::Candidate,
        Kind::Disabled => Verdict::Disabled,
        Kind::NoCredential => Verdict::NoCredential,
        Kind::OtherDialect => Verdict::OtherDialect,
        Kind::OtherGroup => Verdict::OtherGroup,
        Kind::ModelNotServed => Verdict::ModelNotServed,
        Kind::OutsideHours => Verdict::OutsideHours,
        Kind::Tried => Verdict::Tried,
        Kind::BreakerOpen => Verdict::BreakerOpen(until),
        Kind::CoolingDown => Verdict::CoolingDown(required(&format!("{field}.until_ms"), until)?),
        Kind::CredentialRefused => Verdict::SetAside(SetAside::Credential, until),
        Kind::NoMoney => Verdict::SetAside(SetAside::Billing, until),
        Kind::NoSuchModel => Verdict::SetAside(SetAside::NoModel, until),
        Kind::Full => {
            let field = format!("{field}.dimension");
            Verdict::Full(dimension_from_wire(&field, verdict.dimension)?)
        }
        Kind::BudgetUnknown => Verdict::BudgetUnknown,
        Kind::TrialUnderWay => Verdict::TrialUnderWay,
        Kind::Unpriced => Verdict::Unpriced,
        Kind::OutOfTime => Verdict::OutOfTime,
        Kind::Untranslatable => Verdict::Untranslatable,
    })
}

fn candidate_to_wire(candidate: &Candidate) -> wire::Candidate {
    wire::Candidate {
        provider_id: candidate.provider_id.to_string(),
        verdict: Some(verdict_to_wire(candidate.verdict)),
        at_end: candidate.at_end.map(verdict_to_wire),
    }
}

fn candidate_from_wire(candidate: wire::Candidate) -> Result<Candidate, Invalid> {
    let verdict = required("decision.candidates.verdict", candidate.verdict)?;
    Ok(Candidate {
        provider_id: id("decision.candidates.provider_id", &candidate.provider_id)?,
        verdict: verdict_from_wire("decision.candidates.verdict", verdict)?,
        at_end: candidate
            .at_end
            .map(|verdict| verdict_from_wire("decision.candidates.at_end", verdict))
            .transpose()?,
    })
}

fn attempt_to_wire(attempt: &Attempt) -> wire::Attempt {
    use wire::AttemptEnd as End;
    let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
    let end = match attempt.end {
        AttemptEnd::Answered(_) => End::Answered,
        AttemptEnd::Connect => End::Connect,
        AttemptEnd::Timeout => End::Timeout,
        AttemptEnd::Broken => End::Broken,
        AttemptEnd::Abandoned => End::Abandoned,
    };
    wire::Attempt {
        provider_id: attempt.provider_id.to_string(),
        substitute: text(&attempt.substitute),
        began_ms: attempt.began_ms,
        took_ms: attempt.took_ms,
        end: end.into(),
        status: attempt.end.status().map_or(0, u32::from),
        class: attempt
            .class
            .map(|class| class.letter().to_string())
            .unwrap_or_default(),
        rule: text(&attempt.rule),
        upstream_request_id: text(&attempt.upstream_request_id),
    }
}

fn attempt_from_wire(attempt: wire::Attempt) -> Result<Attempt, Invalid> {
    use wire::AttemptEnd as End;
    let field = "decision.attempts";
    let unknown = || Invalid::new(format!("{field}.end"), "is not known in this release");
    let status =
        u16::try_from(attempt.status).map_err(|_| Invalid::new(format!("{field}.status"), "is too large"))?;
    let class = |letter: &str| {
        let mut all = Class::ALL.into_iter();
        let found = all.find(|class| letter.chars().eq([class.letter()]));
        found.ok_or_else(|| Invalid::new(format!("{field}.class"), "is not known in this release"))
    };
    let text = |text: String| (!text.is_empty()).then(|| text.into());
    Ok(Attempt {
        provider_id: id("decision.attempts.provider_id", &attempt.provider_id)?,
        substitute: text(attempt.substitute),
        began_ms: attempt.began_ms,
        took_ms: attempt.took_ms,
        end: match End::try_from(attempt.end).map_err(|_| unknown())? {
            End::Unspecified => return Err(unknown()),
            End::Answered => AttemptEnd::Answered(status),
            End::Connect => AttemptEnd::Connect,
            End::Timeout => AttemptEnd::Timeout,
            End::Broken => AttemptEnd::Broken,
            End::Abandoned => AttemptEnd::Abandoned,
        },
        class: match attempt.class.as_str() {
            "" => None,
            letter => Some(class(letter)?),
        },
        rule: text(attempt.rule),
        upstream_request_id: text(attempt.upstream_request_id),
    })
}

fn phases_to_wire(phases: Phases) -> wire::Phases {
    wire::Phases {
        body_us: phases.body_us,
        admitted_us: phases.admitted_us,
        routed_us: phases.routed_us,
        first_byte_us: phases.first_byte_us,
        total_us: phases.total_us,
        overhead_us: phases.overhead_us,
    }
}

fn phases_from_wire(phases: wire::Phases) -> Phases {
    Phases {
        body_us: phases.body_us,
        admitted_us: phases.admitted_us,
        routed_us: phases.routed_us,
        first_byte_us: phases.first_byte_us,
        total_us: phases.total_us,
        overhead_us: phases.overhead_us,
    }
}

#[cfg(test)]
mod tests;
