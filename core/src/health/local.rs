//! What one node keeps of one provider, and what it makes of what it sees.
//!
//! Each call's end is told once for each provider that it was sent to, after the last try there. The answer is the
//! fleet's next state where there is one, to be put in force here and reported.
//!
//! | finding | what becomes of it |
//! |---|---|
//! | T, M | one failure to the circuit of the finding's scope |
//! | K | the credential is suspect, or revoked |
//! | K of the egress route or of one endpoint | as T: the credential is not to blame |
//! | B | set aside until the stated moment, else for as long as the finding says |
//! | R, O | the scope cools down |
//! | N | the model is set aside here for 10 min |
//! | the rest | nothing |
//!
//! Connections that break together are one failure: what was sent before the last failure was noted, and is cut off after it,
//! is of the same burst, such as a restart of the provider, which cuts all its streams at once.
//!
//! What is about a model says nothing unless the model is known at all: callers invent names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BreakerSettings;
use super::breaker::{Circuit, Failure, Failures, Phase};
use super::cooling::{Cooling, Rule};
use super::keys::Keys;
use super::mark::{Maker, Mark};
use super::recent::Recent;
use super::state::{Aside, Entry, MAX_MODEL_NAME, MAX_MODELS, State, WHOLE};
use crate::failure::{Category, Class, Finding, Scope};
use crate::id::KeyId;
use crate::time::UnixMs;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Local {
    keys: Keys,
    recent: Recent,
    failures: BTreeMap<Arc<str>, Failures>,
    /// When the last one was noted, of whatever kind.
    failed_at: Option<UnixMs>,
}

/// A call that ended at a provider.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// As the client named it.
    pub model: &'a str,
    /// To the price table, or to the provider's model rules.
    pub known_model: bool,
    pub key: KeyId,
    /// When its last try there was sent, or a moment later.
    pub sent: UnixMs,
    pub settings: &'a BreakerSettings,
    /// This node.
    pub by: &'a str,
    pub now: UnixMs,
}

/// How a call that went well was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub at: UnixMs,
    /// As the trial of a half-open circuit.
    pub trial: bool,
}

impl Local {
    /// How often the provider failed here in the last 5 min.
    pub fn recent_failures(&self, now: UnixMs) -> u32 {
        self.recent.count(now)
    }

    pub fn failed(&mut self, state: &State, seen: &Seen<'_>, finding: &Finding) -> Option<State> {
        self.keys.used(seen.key, seen.now);
        if finding.is_cut() && self.failed_at.is_some_and(|at| seen.sent < at) {
            return None;
        }
        let failures = self.recent.count(seen.now);
        if is_providers_fault(finding.class) {
            self.recent.add(seen.now);
            self.failed_at = Some(seen.now);
        }
        let model = match finding.scope {
            Scope::Model => seen.model,
            Scope::Provider | Scope::Route | Scope::Endpoint => WHOLE,
        };
        if finding.scope == Scope::Model && !seen.known_model {
            return None;
        }
        let why = describe(finding);
        if finding.is_failure() {
            return self.count(state, seen, model, finding, &why);
        }
        match finding.class {
            Class::Credential => change(state, model, seen, &why, |entry, maker| {
                let before = value(&entry.credential).unwrap_or_default();
                let next = before.refused(finding.permanent, seen.now);
                place(&mut entry.credential, next, maker)
            }),
            Class::Billing => change(state, model, seen, &why, |entry, maker| {
                let next = set_aside(value(&entry.billing), finding, seen.now);
                place(&mut entry.billing, next, maker)
            }),
            Class::RateLimited | Class::Overloaded => change(state, model, seen, &why, |entry, maker| {
                let next = cool(value(&entry.cooling), finding, failures, seen.now);
                place(&mut entry.cooling, next, maker)
            }),
            Class::NoModel if seen.known_model => change(state, seen.model, seen, &why, |entry, maker| {
                let next = set_aside(value(&entry.no_model), finding, seen.now);
                place(&mut entry.no_model, next, maker)
            }),
            Class::NoModel
            | Class::Caller
            | Class::TooLong
            | Class::Filtered
            | Class::ForeignState
            | Class::Transient
            | Class::Interrupted
            | Class::Unrecognised => None,
        }
    }

    /// A call went well. What it says is of the moment in which it was sent, and what was seen since knows more.
    pub fn succeeded(&mut self, state: &State, seen: &Seen<'_>, sent: Sent) -> Option<State> {
        let Sent { at: began, trial } = sent;
        self.keys.used(seen.key, seen.now);
        for model in [WHOLE, seen.model] {
            if self.failures.get(model).is_some_and(|row| began >= row.since()) {
                self.failures.remove(model);
            }
        }
        let mut next = None;
        for model in [WHOLE, seen.model] {
            let state = next.as_ref().unwrap_or(state);
            if state.entry(model).is_none() {
                continue;
            }
            let changed = change(state, model, seen, "a call went well", |entry, maker| {
                let circuit = of_trial(&entry.circuit, began).filter(|_| trial);
                let circuit = circuit.and_then(|it: Circuit| it.succeeded(seen.settings, seen.now));
                let cooling = since(&entry.cooling, began).and_then(|it: Cooling| it.succeeded(seen.now));
                let credential = since(&entry.credential, began)
                    .and_then(|it: super::credential::Credential| it.succeeded(seen.now));
                place(&mut entry.circuit, circuit, maker)
                    | place(&mut entry.cooling, cooling, maker)
                    | place(&mut entry.credential, credential, maker)
            });
            next = changed.or(next);
        }
        next
    }

    fn count(
        &mut self,
        state: &State,
        seen: &Seen<'_>,
        model: &str,
        finding: &Finding,
        why: &str,
    ) -> Option<State> {
        if model.len() > MAX_MODEL_NAME
            || (finding.category() == Category::Network && !seen.settings.network_errors)
        {
            return None;
        }
        let mark = state.entry(model).and_then(|entry| entry.circuit.as_ref());
        let failure = Failure {
            key: seen.key,
            circuit: (state.generation, mark.map_or(0, |mark| mark.stamp)),
            shared: self.keys.shared(seen.now),
        };
        if self.failures.len() >= MAX_MODELS && !self.failures.contains_key(model) {
            self.failures.clear();
        }
        let failures = self.failures.entry(model.into()).or_default();
        let circuit = mark.map_or(Circuit::Closed, |mark| mark.value);
        let trial = circuit.phase(seen.settings, seen.now) == Phase::HalfOpen;
        let next = circuit.failed(seen.settings, failures, failure, seen.now)?;
        let why = match trial {
            true => format!("a trial failed: {why}"),
            false => format!("{} failures in a row, the last one: {why}", failures.count()),
        };
        failures.clear();
        change(state, model, seen, &why, |entry, maker| {
            place(&mut entry.circuit, Some(next), maker)
        })
    }
}

fn is_providers_fault(class: Class) -> bool {
    use Class::{Billing, Credential, Interrupted, Overloaded, RateLimited, Transient};
    matches!(
        class,
        Transient | Interrupted | RateLimited | Overloaded | Credential | Billing
    )
}

fn cool(before: Option<Cooling>, finding: &Finding, failures: u32, now: UnixMs) -> Option<Cooling> {
    match (finding.until, finding.cooling) {
        (Some(until), _) => Cooling::stated(before, until, now),
        (None, Some(guess)) => {
            let rule = Rule {
                first: guess.first,
                cap: guess.cap,
                failures,
            };
            Cooling::guessed(before, rule, now)
        }
        (None, None) => None,
    }
}

/// Until the stated moment, else for as long as the finding guesses. None: it stays.
fn set_aside(before: Option<Aside>, finding: &Finding, now: UnixMs) -> Option<Aside> {
    let known = before.filter(|aside| aside.in_force(now));
    let next = match (finding.permanent, finding.until, finding.cooling) {
        (true, _, _) => Aside::until(None),
        (false, Some(until), _) => Aside::until(Some(until)),
        (false, None, Some(guess)) if known.is_none() => {
            let wait = u64::try_from(guess.first.as_millis()).unwrap_or(u64::MAX);
            Aside::until(Some(now.plus_ms(wait)))
        }
        (false, None, _) => return None,
    };
    let longer_known = known.is_some_and(|known| known >= next);
    (next.in_force(now) && !longer_known).then_some(next)
}

/// For operators.
fn describe(finding: &Finding) -> String {
    let (letter, name) = (finding.class.letter(), finding.class.as_str());
    match (&finding.rule, finding.network) {
        (Some(rule), _) => format!("{name} ({letter}, by the error rule {rule})"),
        (None, Some(network)) => format!("{name} ({letter}, {network:?})"),
        (None, None) => format!("{name} ({letter}, row {})", finding.row),
    }
}

/// A copy of the state with this entry changed. None: nothing changes.
pub(super) fn change(
    state: &State,
    model: &str,
    seen: &Seen<'_>,
    why: &str,
    edit: impl FnOnce(&mut Entry, Maker<'_>) -> bool,
) -> Option<State> {
    let maker = Maker {
        by: seen.by,
        why,
        now: seen.now,
    };
    let mut next = state.clone();
    let entry = next.entry_mut(model)?;
    edit(entry, maker).then_some(next)
}

fn value<T: Copy>(mark: &Option<Mark<T>>) -> Option<T> {
    mark.as_ref().map(|mark| mark.value)
}

/// What was known when a call began.
fn since<T: Copy>(mark: &Option<Mark<T>>, began: UnixMs) -> Option<T> {
    let mark = mark.as_ref().filter(|mark| began >= mark.at)?;
    Some(mark.value)
}

/// The circuit that a trial was made of. One that was opened anew meanwhile is another.
fn of_trial(mark: &Option<Mark<Circuit>>, began: UnixMs) -> Option<Circuit> {
    let mark = mark.as_ref()?;
    let opened_since = matches!(mark.value, Circuit::Open { .. }) && began < mark.at;
    (!opened_since).then_some(mark.value)
}

fn place<T>(at: &mut Option<Mark<T>>, next: Option<T>, maker: Maker<'_>) -> bool {
    next.map(|next| maker.mark(at, next)).is_some()
}
