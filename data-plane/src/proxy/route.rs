//! Which provider is asked next (behaviours B2, B3, B14).
//!
//! The choice itself is core's. Here it gets its chance and what the fleet knows of providers, what the call would be
//! charged by is found, and a refusal gets its words: whether the model is served at all decides between 404 and 503.
//! When nobody is left for a model, the operator's substitutes for it are looked for, one after the other.
//!
//! Why each provider was passed over is always in the log, and in the answer when the operator allows it.

use std::fmt::Write;
use std::sync::Arc;

use penstock_core::credential::Credential;
use penstock_core::dialect::Operation;
use penstock_core::error::Code;
use penstock_core::health::{SetAside, Standing};
use penstock_core::id::ProviderId;
use penstock_core::provider::Request;
use penstock_core::route::{self, Ask, Conditions, NoCandidate, Verdict};
use penstock_core::snapshot::{Caller, ProviderEntry};
use penstock_core::time::UnixMs;

use super::call::{Call, Chosen};
use super::error::Refusal;
use super::pricing::{self, Unpriced};
use super::trail::Trail;
use crate::clock;
use crate::health::{Health, View};

/// More providers than this are not explained.
const EXPLAINED: usize = 50;

/// What this node knows of providers, at one moment.
pub(super) struct Known {
    health: View,
    now: UnixMs,
}

/// Picks a provider that was not excluded, for the model that was asked or a substitute.
pub(super) fn choose(call: &mut Call, caller: &Caller, trail: &mut Trail) -> Result<Chosen, Refusal> {
    let mut first_refusal = None;
    loop {
        let Some(model) = model(call, caller, trail.model) else {
            // What is said is said of the model that was asked.
            return Err(first_refusal.unwrap_or_else(nobody));
        };
        let mut unpriced = Vec::new();
        let chosen = choose_for(call, caller, model, (trail, &mut unpriced));
        call.notes.judged(&mut trail.verdicts);
        for provider in unpriced {
            call.notes.passed_over(provider, Verdict::Unpriced);
        }
        match chosen {
            Ok(chosen) => return Ok(chosen),
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
        trail.substitute();
    }
}

/// The model that was asked, or its n-th substitute that the caller may use.
fn model<'a>(call: &'a Call, caller: &Caller, n: usize) -> Option<&'a str> {
    if n == 0 {
        return Some(&call.asked.model);
    }
    let substitutes = call.snapshot.model_fallbacks(&call.asked.model);
    let mut allowed = substitutes.iter().filter(|model| {
        caller.key.key.access.allows_model(model) && caller.user.user.access.allows_model(model)
    });
    allowed.nth(n - 1).map(String::as_str)
}

/// For one model. Providers without a price for it are added to `unpriced`.
fn choose_for(
    call: &Call,
    caller: &Caller,
    model: &str,
    (trail, unpriced): (&mut Trail, &mut Vec<ProviderId>),
) -> Result<Chosen, Refusal> {
    let metered = call.endpoint.is_metered();
    loop {
        // Nearly always empty, which allocates nothing.
        let excluded: Vec<_> = trail.excluded().iter().chain(&*unpriced).copied().collect();
        let known = Known::now(&call.proxy.app.health);
        let ask = ask(call, caller, model, &excluded, &known);
        let providers = call.snapshot.providers();
        trail.verdicts = route::verdicts(providers, &ask);
        let provider = match route::choose(providers, &trail.verdicts, &ask, random()) {
            Ok(provider) => provider,
            Err(_) if !unpriced.is_empty() => return Err(model_unpriced(model)),
            Err(none) => {
                if let Some(at) = none.soonest {
                    trail.recovers_at(at, known.now);
                }
                let only_tokens = trail.only_tokens() && lack_tokens(providers, &trail.verdicts);
                return Err(no_candidate(call, &ask, &none, only_tokens));
            }
        };
        let sent = provider.provider.upstream_model(model);
        let tariff = pricing::tariff(&call.snapshot, &call.proxy.defaults, &provider.provider, sent);
        let tariff = match tariff {
            Ok(tariff) => tariff,
            // What is not charged needs no price.
            Err(Unpriced) if !metered => pricing::Tariff::Free,
            Err(Unpriced) => {
                unpriced.push(provider.id);
                continue;
            }
        };
        let spoken = provider.provider.speech(ask.request, model);
        return Ok(Chosen::new(
            Arc::clone(provider),
            tariff,
            spoken.unwrap_or(call.dialect),
            (model, &call.asked.model),
        ));
    }
}

/// What is said when nobody can serve a call now.
pub(super) fn nobody_message(breakers_alone: bool) -> &'static str {
    match breakers_alone {
        true => "No available provider found: Circuit breaker is OPEN",
        false => "No available provider found",
    }
}

const NO_TOKEN: &str = "No available provider found: the access token cannot be renewed";

/// Nobody can serve the call.
pub(super) fn nobody() -> Refusal {
    Refusal::new(Code::NoAvailableAccount, nobody_message(false))
}

/// What is asked of providers, as this moment has it.
pub(super) fn ask<'a>(
    call: &'a Call,
    caller: &'a Caller,
    model: &'a str,
    tried: &'a [ProviderId],
    known: &'a Known,
) -> Ask<'a> {
    Ask {
        request: call.request(),
        model,
        user: &caller.user.user.access,
        key: &caller.key.key.access,
        tried,
        now: known.now,
        fleet: known,
        bound: call.affinity.bound(),
    }
}

impl Known {
    pub(super) fn now(health: &Health) -> Self {
        Self {
            health: health.view(),
            now: clock::now(),
        }
    }

    pub(super) fn at(&self) -> UnixMs {
        self.now
    }

    /// One call at a time tries it.
    pub(super) fn is_half_open(&self, provider: &ProviderEntry, model: &str) -> bool {
        self.standing(provider, model) == Standing::HalfOpen
    }
}

impl Conditions for Known {
    fn standing(&self, provider: &ProviderEntry, model: &str) -> Standing {
        self.health.standing(provider, model, self.now)
    }

    fn room(&self, provider: &ProviderEntry, model: &str) -> u32 {
        let headroom = self.health.headroom(provider, model, self.now);
        headroom.map_or(route::FULL, |headroom| u32::from(headroom.fraction_left))
    }
}

fn random() -> u64 {
    u64::from(clock::random()) << 32 | u64::from(clock::random())
}

fn model_unpriced(model: &str) -> Refusal {
    let message = format!("Model {model} has no price here, and calls without a price are refused.");
    let fix = "set a price for it (penstock price create), or change the setting `unpriced`";
    Refusal::new(Code::ModelUnpriced, message).because(fix)
}

/// Whether all that would serve the call have an access token that is over or was refused, and none comes.
fn lack_tokens(providers: &[Arc<ProviderEntry>], verdicts: &[Verdict]) -> bool {
    let judged = || {
        let providers = providers.iter().zip(verdicts);
        providers.map(|(entry, verdict)| lacks_token(entry, *verdict))
    };
    judged().any(|lacks| lacks == Some(true)) && judged().all(|lacks| lacks != Some(false))
}

/// None: it would not serve the call with a token neither. Those that were tried refused theirs.
fn lacks_token(entry: &ProviderEntry, verdict: Verdict) -> Option<bool> {
    let renewal = entry.credential.as_ref().and_then(Credential::renewal);
    let stopped = renewal.is_some_and(|renewal| renewal.stopped);
    let refused = matches!(verdict, Verdict::SetAside(SetAside::Credential, _));
    match verdict == Verdict::Tried || (stopped && (refused || verdict == Verdict::NoCredential)) {
        true => Some(true),
        false => verdict.is_passing().then_some(false),
    }
}

fn no_candidate(call: &Call, ask: &Ask<'_>, none: &NoCandidate, lack_tokens: bool) -> Refusal {
    let why = explain(call, ask);
    if lack_tokens {
        return Refusal::new(Code::TokenRefreshFailed, NO_TOKEN).because(why);
    }
    if !none.served_elsewhere {
        let message = match untranslated(call, ask) {
            None => format!("Model {} is not available here.", ask.model),
            Some(what) => format!(
                "{what} is not available for model {} here: its providers speak another API, and this is not translated.",
                ask.model
            ),
        };
        return Refusal::new(Code::ModelNotFound, message).because(why);
    }
    let mut message = nobody_message(none.breakers_alone).to_owned();
    if call.snapshot.explain_refusals() {
        message = format!("{message}: {why}");
    }
    Refusal::new(Code::NoAvailableAccount, message).because(why)
}

/// What is asked, if the model would answer and only this is what nobody can be asked by translation.
fn untranslated(call: &Call, ask: &Ask<'_>) -> Option<&'static str> {
    let what = match ask.request.operation {
        Operation::Generate => return None,
        Operation::CountTokens => "Counting tokens",
        Operation::Compact => "Compacting a conversation",
    };
    let answer = Ask {
        request: Request {
            operation: Operation::Generate,
            ..ask.request
        },
        ..*ask
    };
    let providers = call.snapshot.providers();
    let verdicts = route::verdicts(providers, &answer);
    let serves = match route::choose(providers, &verdicts, &answer, 0) {
        Ok(_) => true,
        Err(none) => none.served_elsewhere,
    };
    serves.then_some(what)
}

/// Each provider with what speaks against it.
fn explain(call: &Call, ask: &Ask<'_>) -> String {
    let providers = call.snapshot.providers();
    if providers.is_empty() {
        return "there are no providers".to_owned();
    }
    let mut text = String::new();
    for (i, entry) in providers.iter().take(EXPLAINED).enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let name = &entry.provider.name;
        // Writing to a string cannot fail.
        let verdict = call
            .notes
            .why(entry.id)
            .unwrap_or_else(|| route::judge(entry, ask));
        let written = write!(text, "{comma}{name} {verdict}");
        debug_assert!(written.is_ok());
    }
    if providers.len() > EXPLAINED {
        text.push_str(", and more");
    }
    text
}
