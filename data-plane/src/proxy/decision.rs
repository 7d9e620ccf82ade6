//! What a call will tell of itself: its decision record.
//!
//! While the call runs, only notes are taken: the verdict on each provider, as small values without texts, and instants
//! that are read anyway. The record is made of them when the call is settled. What speaks against a provider is what the
//! first choice found and, when nobody is left, what is found then.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use penstock_core::failure::Class;
use penstock_core::id::ProviderId;
use penstock_core::route::{Verdict, verdicts};
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
    /// Of the first providers, in their order: as they were judged for the first choice.
    verdicts: Vec<Verdict>,
    /// The same when nobody was left; empty where that did not come to pass.
    at_end: Vec<Verdict>,
    /// Candidates that could not be asked when they were chosen, each with why.
    passed_over: Vec<(ProviderId, Verdict)>,
}

/// An attempt that has ended.
pub(super) struct Attempted {
    pub(super) provider: Arc<ProviderEntry>,
    /// For the model that was asked.
    pub(super) substitute: Option<Arc<str>>,
    /// Of a call that has a trace.
    pub(super) sent_to: Option<Uri>,
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
    /// How providers were judged for a choice. The first one counts; its verdicts are taken away.
    pub(super) fn judged(&mut self, verdicts: &mut Vec<Verdict>) {
        if self.verdicts.is_empty() {
            self.verdicts = std::mem::take(verdicts);
        }
    }

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

/// Notes how providers are when nobody is left.
pub(super) fn look_again(call: &mut Call, caller: &Caller) {
    let known = Known::now(&call.proxy.app.health);
    let ask = route::ask(call, caller, &call.asked.model, &[], &known);
    let verdicts = verdicts(call.snapshot.providers(), &ask);
    call.notes.at_end = verdicts;
}

fn candidates(call: &Call) -> Vec<Candidate> {
    let notes = &call.notes;
    let judged = call.snapshot.providers().iter().zip(&notes.verdicts);
    let mut at_end = notes.at_end.iter();
    judged
        .take(MAX_CANDIDATES)
        .map(|(entry, first)| {
            let (verdict, now) = (notes.why(entry.id), at_end.next().copied());
            Candidate {
                provider_id: entry.id,
                verdict: verdict.unwrap_or(*first),
                at_end: now.filter(|now| verdict.is_none() && now != first),
            }
        })
        .collect()
}

/// The record of a call that took so long.
pub(super) fn of(call: &Call, total: Duration) -> Decision {
    let notes = &call.notes;
    let attempts = call.attempts.iter().take(MAX_ATTEMPTS);
    let answered = |attempt: &Attempted| attempt.end.status().is_some() && attempt.finding.is_none();
    let served = call.attempts.last().is_some_and(answered);
    Decision {
        session_source: notes.session_source,
        affinity: call.affinity.told().filter(|_| served),
        candidates: candidates(call),
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
