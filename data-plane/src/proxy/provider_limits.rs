//! Limits of providers: a full one is passed over, never refused to the caller (behaviour D2).
//!
//! They are taken for each attempt and given back when it fails. When all that could serve are full, the answer is that
//! nobody is available, and when one will be.

use bytes::Bytes;
use penstock_core::id::ProviderId;
use penstock_core::limits::Exceeded;
use penstock_core::money::NanoUsd;
use penstock_core::snapshot::ProviderEntry;
use penstock_dialect::bound;
use penstock_fleet::account::Account;
use penstock_fleet::{Denied, Grant, Wish};

use super::call::{Call, Chosen};
use super::error::Refusal;
use super::reserve;
use super::usual::Estimate;
use crate::limits::{self, Takes};

/// Why a provider has no room.
pub(super) enum NoRoom {
    Exceeded(Exceeded),
    /// What was spent there cannot be known now, or its strict budget cannot bound this call.
    Unknown,
}

/// The providers that were passed over in this request for want of room.
#[derive(Default)]
pub(super) struct Full {
    /// Each with what it is full of.
    providers: Vec<(ProviderId, String)>,
    /// Until the first of them has room, seconds.
    soonest: Option<u64>,
}

/// Takes a provider's limits for one attempt. None: it has none.
pub(super) async fn admit(call: &Call, chosen: &Chosen, body: &Bytes) -> Result<Option<Grant>, NoRoom> {
    let provider = &chosen.provider;
    if provider.provider.limits.is_unlimited() || !call.endpoint.is_metered() {
        return Ok(None);
    }
    let app = &call.proxy.app;
    let wish = Wish {
        account: Account::Provider(provider.id),
        request: call.arrival.id,
        epoch: limits::epoch(&call.snapshot),
        claims: limits::provider_claims(provider, takes(call, chosen, body)?),
        session: call.asked.session,
        policy: app.limits_policy(&call.snapshot),
    };
    match app.fleet.admit(wish).await {
        Ok(grant) => Ok(Some(grant)),
        Err(Denied::Exceeded(exceeded)) => {
            app.metrics.limit_refused(&exceeded);
            Err(NoRoom::Exceeded(exceeded))
        }
        Err(Denied::Unknown | Denied::Unavailable) => Err(NoRoom::Unknown),
    }
}

/// An estimate, or of a strict budget the most that the whole call can cost.
fn takes(call: &Call, chosen: &Chosen, body: &Bytes) -> Result<Takes, NoRoom> {
    let limits = &chosen.provider.provider.limits;
    let bound = match limits.is_strict() {
        true => most(call, chosen, body).ok_or(NoRoom::Unknown)?,
        false => NanoUsd(0),
    };
    let estimate = match reserve::estimates(limits) {
        true => estimate(call, chosen),
        false => Estimate::default(),
    };
    Ok(reserve::takes(limits, estimate, bound))
}

fn estimate(call: &Call, chosen: &Chosen) -> Estimate {
    let multiplier = chosen.provider.provider.cost_multiplier;
    let prompt = u64::try_from(call.asked.prompt_bytes).unwrap_or(u64::MAX);
    let first = || Estimate::first(prompt, |used| chosen.tariff.charge(used, multiplier));
    call.proxy
        .usual
        .estimate(call.key.id, &call.asked.model, prompt, first)
}

fn most(call: &Call, chosen: &Chosen, body: &Bytes) -> Option<NanoUsd> {
    let bound = bound::bound(&call.endpoint, body).ok()?;
    let multiplier = chosen.provider.provider.cost_multiplier;
    Some(chosen.tariff.most(&bound, multiplier).ok()?.whole())
}

impl Full {
    pub(super) fn providers(&self) -> impl Iterator<Item = &ProviderId> {
        self.providers.iter().map(|(id, _)| id)
    }

    /// Why a provider was passed over here.
    pub(super) fn why(&self, provider: ProviderId) -> Option<&str> {
        let (_, why) = self.providers.iter().find(|(id, _)| *id == provider)?;
        Some(why)
    }

    pub(super) fn note(&mut self, provider: &ProviderEntry, no_room: NoRoom) {
        let (wait, why) = match no_room {
            NoRoom::Exceeded(exceeded) => (
                exceeded.retry_after,
                format!("is full ({})", exceeded.dimension.as_str()),
            ),
            NoRoom::Unknown => (1, "has a budget of which it is not known what is left".to_owned()),
        };
        self.soonest = Some(self.soonest.map_or(wait, |soonest| soonest.min(wait)));
        self.providers.push((provider.id, why));
    }

    /// Nobody is left: says when the first of those that were full will not be.
    pub(super) fn wait(&self, mut refusal: Refusal) -> Refusal {
        refusal.error.retry_after = self.soonest.or(refusal.error.retry_after);
        refusal
    }
}
