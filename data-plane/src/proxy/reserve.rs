//! What a call reserves of its budgets before it is let in (behaviour D4).
//!
//! *Soft* budgets and `tpm` reserve an estimate: what this key and model usually use. *Strict* budgets reserve a bound.
//! The bound of a coding agent's call, with all the output that it allows, is a hundred times its usual cost, so a
//! stream whose output can be watched (and is told in the caller's dialect, by which it is judged) reserves its input
//! and a lead of output; the relay holds more before it hands on what would use it. What cannot be watched (an answer
//! that is no stream, hidden reasoning) reserves its whole bound.
//!
//! Which provider serves the call is decided later, so the bound takes what is dearest at any that could: of a stream
//! its input and its output apart.

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::route::{self, AllWell, Ask, Bound};
use penstock_core::snapshot::Caller;
use penstock_dialect::bound;

use super::call::Call;
use super::error::Refusal;
use super::pricing::{self, Most, Tariff};
use super::usual::Estimate;
use crate::limits::Takes;

/// Output that a watched stream reserves ahead of what it has, tokens; one byte counts as one.
///
/// What no call may begin with is left of a budget, so it is small: of one USD at least 95 % can be used with the
/// dearest of today's models.
pub(super) const LEAD: u64 = 512;

/// What a call reserves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reserve {
    pub(super) key: Takes,
    pub(super) user: Takes,
    /// Of a stream that is watched.
    pub(super) watched: Option<Watched>,
}

/// A stream whose output is paid for as it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    pub(super) most: Most,
    /// Output that is reserved, tokens.
    pub(super) held: u64,
    /// There was no room for more, and what came then was not handed on.
    pub(super) withheld: bool,
}

impl Reserve {
    /// For a call of which the body is this.
    pub(super) fn of(call: &Call, caller: &Caller, body: &Bytes) -> Result<Self, Refusal> {
        let (key, user) = (&caller.key.key.limits, &caller.user.user.limits);
        let estimate = match [key, user].into_iter().any(|limits| estimates(limits)) {
            true => estimate(call, caller),
            false => Estimate::default(),
        };
        let (bound, watched) = match key.is_strict() || user.is_strict() {
            true => strict(call, caller, body)?,
            false => (NanoUsd(0), None),
        };
        Ok(Self {
            key: takes(key, estimate, bound),
            user: takes(user, estimate, bound),
            watched,
        })
    }
}

impl Watched {
    /// What more must be held so that this much output may be handed on: its cost, and the output that is held then.
    pub(super) fn more(&self, output: u64) -> Option<(NanoUsd, u64)> {
        if output <= self.held {
            return None;
        }
        // Half as much again, so that a long answer asks ever more rarely.
        let held = output
            .saturating_add(LEAD.max(output / 2))
            .min(self.most.output_tokens.max(output));
        Some((self.up_to(held), held))
    }

    /// What more must be held for so much output and no lead.
    pub(super) fn up_to(&self, output: u64) -> NanoUsd {
        let cost = self.most.with_output(output).0 - self.most.with_output(self.held).0;
        NanoUsd(cost.max(0))
    }
}

/// What a call takes of limits: of strict budgets its bound.
pub(super) fn takes(limits: &Limits, estimate: Estimate, bound: NanoUsd) -> Takes {
    let money = if limits.is_strict() { bound } else { estimate.cost };
    let tokens = match limits.get(Dimension::Tpm) {
        0 => estimate.tokens,
        tpm => estimate.tokens.min(tpm),
    };
    Takes {
        tokens,
        money: u64::try_from(money.0).unwrap_or(0),
    }
}

/// Whether an estimate decides anything.
pub(super) fn estimates(limits: &Limits) -> bool {
    limits.get(Dimension::Tpm) > 0 || (limits.has_budget() && !limits.is_strict())
}

fn estimate(call: &Call, caller: &Caller) -> Estimate {
    let prompt = u64::try_from(call.asked.prompt_bytes).unwrap_or(u64::MAX);
    let first = || {
        let tariff = candidates(call, caller).next();
        Estimate::first(prompt, |used| match tariff {
            Some((tariff, multiplier, _)) => tariff.charge(used, multiplier),
            None => NanoUsd(0),
        })
    };
    call.proxy
        .usual
        .estimate(call.key.id, &call.asked.model, prompt, first)
}

fn strict(call: &Call, caller: &Caller, body: &Bytes) -> Result<(NanoUsd, Option<Watched>), Refusal> {
    let bound = bound::bound(call.dialect, body)?;
    let mut watched = call.asked.stream && !bound.hidden;
    let mut whole = NanoUsd(0);
    let mut dearest: Option<Most> = None;
    for (tariff, multiplier, spoken) in candidates(call, caller) {
        // What another dialect's providers hide is not said in this body.
        watched &= spoken == call.dialect;
        let most = tariff.most(&bound, multiplier)?;
        whole = whole.max(most.whole());
        dearest = Some(dearest.map_or(most, |held| held.or_dearer(most)));
    }
    Ok(match dearest.filter(|_| watched) {
        Some(most) => {
            let held = LEAD.min(most.output_tokens);
            (
                most.with_output(held),
                Some(Watched {
                    most,
                    held,
                    withheld: false,
                }),
            )
        }
        // Without a candidate the call is refused when one is looked for.
        None => (whole, None),
    })
}

/// What the providers that could serve the call charge by, for the model that is asked and its substitutes.
fn candidates<'a>(
    call: &'a Call,
    caller: &'a Caller,
) -> impl Iterator<Item = (Tariff, penstock_core::money::Millionths, Dialect)> + 'a {
    let asked = std::iter::once(call.asked.model.as_str());
    let substitutes = call.snapshot.model_fallbacks(&call.asked.model).iter();
    let models = asked.chain(substitutes.map(String::as_str));
    models.flat_map(move |model| {
        let ask = Ask {
            request: call.request(),
            model,
            user: &caller.user.user.access,
            key: &caller.key.key.access,
            tried: &[],
            now: call.arrival.at,
            // Who is unwell now may be well when it is chosen.
            fleet: &AllWell,
            bound: Bound::default(),
        };
        let providers = call.snapshot.providers().iter();
        providers.filter_map(move |entry| {
            if route::judge(entry, &ask) != route::Verdict::Candidate {
                return None;
            }
            let provider = &entry.provider;
            let sent = provider.upstream_model(model);
            let tariff = pricing::tariff(&call.snapshot, &call.proxy.defaults, provider, sent);
            let spoken = provider.speech(call.request(), model).unwrap_or(call.dialect);
            Some((tariff.ok()?, provider.cost_multiplier, spoken))
        })
    })
}
