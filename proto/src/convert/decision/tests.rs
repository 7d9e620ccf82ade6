use penstock_core::id::ProviderId;
use penstock_core::limits::Dimension;
use penstock_core::session::SessionSource;
use penstock_core::usage::decision::Affinity;

use super::*;

const VERDICTS: [Verdict; 19] = [
    Verdict::Candidate,
    Verdict::Disabled,
    Verdict::NoCredential,
    Verdict::OtherDialect,
    Verdict::OtherGroup,
    Verdict::ModelNotServed,
    Verdict::OutsideHours,
    Verdict::Tried,
    Verdict::BreakerOpen(None),
    Verdict::CoolingDown(UnixMs(7)),
    Verdict::SetAside(SetAside::Credential, None),
    Verdict::SetAside(SetAside::Billing, Some(UnixMs(8))),
    Verdict::SetAside(SetAside::NoModel, Some(UnixMs(9))),
    Verdict::Full(Dimension::UsdDaily),
    Verdict::BudgetUnknown,
    Verdict::TrialUnderWay,
    Verdict::Unpriced,
    Verdict::OutOfTime,
    Verdict::Untranslatable,
];

fn attempt(end: AttemptEnd, class: Option<Class>) -> Attempt {
    Attempt {
        provider_id: ProviderId::from_parts(1, &[1; 10]),
        substitute: class.map(|_| "other".into()),
        began_ms: 1,
        took_ms: 2,
        end,
        class,
        rule: class.map(|_| "29".into()),
        upstream_request_id: class.map(|_| "req".into()),
    }
}

fn decision() -> Decision {
    let candidates = VERDICTS.iter().map(|verdict| Candidate {
        provider_id: ProviderId::from_parts(1, &[1; 10]),
        verdict: *verdict,
        at_end: (*verdict != Verdict::Candidate).then_some(*verdict),
    });
    Decision {
        session_source: Some(SessionSource::UserId),
        affinity: Some(Affinity::Hit),
        candidates: candidates.collect(),
        attempts: vec![
            attempt(AttemptEnd::Connect, Some(Class::Transient)),
            attempt(AttemptEnd::Answered(200), None),
        ],
        phases: Phases {
            body_us: Some(0),
            total_us: 5,
            ..Phases::default()
        },
    }
}

#[test]
fn a_decision_reads_back_as_it_was_written() {
    for written in [decision(), Decision::default()] {
        assert_eq!(decision_from_wire(decision_to_wire(&written)), Ok(written));
    }
}

#[test]
fn of_too_many_entries_the_first_are_kept() {
    let mut wire = decision_to_wire(&decision());
    wire.candidates = vec![wire.candidates[0].clone(); MAX_CANDIDATES + 1];
    wire.attempts = vec![wire.attempts[0].clone(); MAX_ATTEMPTS + 1];
    let read = decision_from_wire(wire).unwrap();
    assert_eq!(
        (read.candidates.len(), read.attempts.len()),
        (MAX_CANDIDATES, MAX_ATTEMPTS)
    );
}

#[test]
fn what_a_newer_release_says_is_refused_by_name() {
    let mut wire = decision_to_wire(&decision());
    wire.candidates[0].verdict = Some(wire::Verdict {
        kind: 99,
        ..wire::Verdict::default()
    });
    let error = decision_from_wire(wire).unwrap_err();
    assert_eq!(error.field, "decision.candidates.verdict.kind");
}
