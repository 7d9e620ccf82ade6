//! Which provider is asked next (behaviours B2 and B3).
//!
//! The choice itself is core's. Here it gets its chance, what the call would be charged by is found, and a refusal
//! gets its words: whether the model is served at all decides between 404 and 503. Why each provider was passed over
//! is always in the log, and in the answer when the operator allows it.

use std::fmt::Write;

use penstock_core::error::Code;
use penstock_core::id::ProviderId;
use penstock_core::route::{self, Ask, NoCandidate};
use penstock_core::snapshot::{Caller, Snapshot};

use super::call::{Call, Chosen};
use super::error::Refusal;
use super::pricing::{self, Unpriced};
use super::provider_limits::Full;
use crate::clock;

/// More providers than this are not explained.
const EXPLAINED: usize = 50;

/// Picks a provider that is neither among `tried` nor full.
pub(super) fn choose(
    call: &Call,
    caller: &Caller,
    tried: &[ProviderId],
    full: &Full,
) -> Result<Chosen, Refusal> {
    let mut unpriced = Vec::new();
    let metered = call.endpoint.is_metered();
    loop {
        // Nearly always the only turn, without an allocation.
        let excluded = tried.iter().chain(full.providers()).chain(&unpriced);
        let excluded: Vec<_> = excluded.copied().collect();
        let ask = ask(call, caller, &excluded);
        let provider = match route::choose(call.snapshot.providers(), &ask, random()) {
            Ok(provider) => provider,
            Err(_) if !unpriced.is_empty() => return Err(model_unpriced(&call.asked.model)),
            Err(none) => return Err(no_candidate(&call.snapshot, &ask, &none, full)),
        };
        let defaults = &call.proxy.defaults;
        match pricing::tariff(&call.snapshot, defaults, &provider.provider, &call.asked.model) {
            Ok(tariff) => {
                return Ok(Chosen {
                    provider: provider.clone(),
                    tariff,
                });
            }
            // What is not charged needs no price.
            Err(Unpriced) if !metered => {
                return Ok(Chosen {
                    provider: provider.clone(),
                    tariff: pricing::Tariff::Free,
                });
            }
            Err(Unpriced) => unpriced.push(provider.id),
        }
    }
}

fn ask<'a>(call: &'a Call, caller: &'a Caller, tried: &'a [ProviderId]) -> Ask<'a> {
    Ask {
        dialect: call.dialect,
        model: &call.asked.model,
        user: &caller.user.user.access,
        key: &caller.key.key.access,
        tried,
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

fn no_candidate(snapshot: &Snapshot, ask: &Ask<'_>, none: &NoCandidate, full: &Full) -> Refusal {
    let why = explain(snapshot, ask, full);
    if !none.served_elsewhere {
        let message = format!("Model {} is not available here.", ask.model);
        return Refusal::new(Code::ModelNotFound, message).because(why);
    }
    let message = match snapshot.explain_refusals() {
        true => format!("No available provider found: {why}"),
        false => "No available provider found".to_owned(),
    };
    Refusal::new(Code::NoAvailableAccount, message).because(why)
}

/// Each provider with what speaks against it.
fn explain(snapshot: &Snapshot, ask: &Ask<'_>, full: &Full) -> String {
    let providers = snapshot.providers();
    if providers.is_empty() {
        return "there are no providers".to_owned();
    }
    let mut text = String::new();
    for (i, entry) in providers.iter().take(EXPLAINED).enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let verdict = route::judge(entry, ask);
        let why = full.why(entry.id).unwrap_or_else(|| verdict.as_str());
        // Writing to a string cannot fail.
        let written = write!(text, "{comma}{} {why}", entry.provider.name);
        debug_assert!(written.is_ok());
    }
    if providers.len() > EXPLAINED {
        text.push_str(", and more");
    }
    text
}
