//! What a call will tell of itself: its decision record.
//!
//! While the call runs, only notes are taken: the verdict on each provider, as small values without texts, and instants
//! that are read anyway. The record is made of them when the call is settled. What speaks against a provider is looked at
//! before the first choice and, when nobody is left, once more.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::failure::Class;
use penstock_core::id::ProviderId;
use penstock_core::route::{Verdict, judge};
use penstock_core::session::SessionSource;
use penstock_core::snapshot::{Caller, ProviderEntry};
use penstock_core::usage::decision::{
    Attempt, AttemptEnd, Candidate, Decision, MAX_ATTEMPTS, MAX_CANDIDATES, Phases,
};

use super::call::Call;
use super::route::{self, Known};
use crate::clock::whole_ms;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) session_source: Option<SessionSource>,
    /// The caller's body had been read.
    pub(super) body: Option<Duration>,
    /// The call was let in.
    pub(super) admitted: Option<Duration>,
    /// The first providers, before the first choice.
    candidates: Vec<Candidate>,
    /// Candidates that could not be asked when they were chosen, each with why.
    passed_over: Vec<(ProviderId, Verdict)>,
}

/// An attempt that has ended.
pub(super) struct Attempted {
    pub(super) provider: Arc<ProviderEntry>,
    /// For the model that was asked.
    pub(super) substitute: Option<Arc<str>>,
    pub(super) end: AttemptEnd,
    /// Since the request arrived.
    pub(super) began: Duration,
    pub(super) took: Duration,
    /// Of a failure: its class and the row or rule that said so.
    pub(super) finding: Option<(Class, Arc<str>)>,
    /// Of a failure; an answer's is the call's.
    pub(super) upstream_request_id: Option<Arc<str>>,
}

impl Notes {
    /// A provider was chosen and could not be asked.
    pub(super) fn passed_over(&mut self, provider: ProviderId, verdict: Verdict) {
        self.passed_over.retain(|(id, _)| *id != provider);
        self.passed_over.push((provider, verdict));
    }

    /// Why a provider was passed over.
    pub(super) fn why(&self, provider: ProviderId) -> Option<Verdict> {
        let found = self.passed_over.iter().find(|(id, _)| *id == provider);
        found.map(|(_, verdict)| *verdict)
    }
}

/// Notes what speaks for and against each provider before one is chosen.
pub(super) fn look(call: &mut Call, caller: &Caller) {
    let verdicts = verdicts(call, caller);
    let candidates = call.snapshot.providers().iter().zip(verdicts);
    call.notes.candidates = candidates
        .map(|(entry, verdict)| Candidate {
            provider_id: entry.id,
            verdict,
            at_end: None,
        })
        .collect();
}

/// Notes what has changed when nobody is left.
pub(super) fn look_again(call: &mut Call, caller: &Caller) {
    let verdicts = verdicts(call, caller);
    for (candidate, now) in call.notes.candidates.iter_mut().zip(verdicts) {
        candidate.at_end = (now != candidate.verdict).then_some(now);
    }
}

fn verdicts(call: &Call, caller: &Caller) -> Vec<Verdict> {
    let known = Known::now(&call.proxy.app.health);
    let ask = route::ask(call, caller, &call.asked.model, &[], &known);
    let providers = call.snapshot.providers().iter().take(MAX_CANDIDATES);
    providers.map(|entry| judge(entry, &ask)).collect()
}

/// The record of a call that took so long.
pub(super) fn of(call: &Call, total: Duration) -> Decision {
    let notes = &call.notes;
    let candidates = notes
        .candidates
        .iter()
        .map(|noted| match notes.why(noted.provider_id) {
            Some(verdict) => Candidate {
                verdict,
                at_end: None,
                ..*noted
            },
            None => *noted,
        });
    let attempts = call.attempts.iter().take(MAX_ATTEMPTS);
    let answered = |attempt: &Attempted| attempt.end.status().is_some() && attempt.finding.is_none();
    let served = call.attempts.last().is_some_and(answered);
    Decision {
        session_source: notes.session_source,
        affinity: call.affinity.told().filter(|_| served),
        candidates: candidates.collect(),
        attempts: attempts.map(|attempt| told(attempt, call)).collect(),
        phases: Phases {
            body_us: notes.body.map(micros),
            admitted_us: notes.admitted.map(micros),
            routed_us: call.attempts.first().map(|attempt| micros(attempt.began)),
            first_byte_us: call.first_byte.map(micros),
            total_us: micros(total),
            overhead_us: call.stopwatch.overhead().map(micros),
        },
    }
}

fn told(attempt: &Attempted, call: &Call) -> Attempt {
    let (class, rule) = attempt.finding.clone().unzip();
    let of_call = || call.upstream_request_id.as_deref().map(Into::into);
    Attempt {
        provider_id: attempt.provider.id,
        substitute: attempt.substitute.clone(),
        began_ms: whole_ms(attempt.began),
        took_ms: whole_ms(attempt.took),
        end: attempt.end,
        upstream_request_id: match class {
            Some(_) => attempt.upstream_request_id.clone(),
            None => of_call(),
        },
        class,
        rule,
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
