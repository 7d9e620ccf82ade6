//! Limits of providers: a full one is passed over, never refused to the caller (behaviour D2).
//!
//! They are taken before a provider is asked and given back when it fails; a second try there goes on under what the
//! first one holds. When all that could serve are full, the answer is that nobody is available, and when one will be.
//!
//! What is held goes by the call's id, and what was given back is settled under it. A provider that is asked a second
//! time, for a substitute of the model, holds under another id made from it.

use bytes::Bytes;
use penstock_core::id::RequestId;
use penstock_core::limits::Exceeded;
use penstock_core::money::NanoUsd;
use penstock_dialect::bound;
use penstock_fleet::account::Account;
use penstock_fleet::{Denied, Grant, Wish};

use super::call::{Call, Chosen};
use super::reserve;
use super::usual::Estimate;
use crate::limits::{self, Takes};

/// Why a provider has no room.
pub(super) enum NoRoom {
    Exceeded(Exceeded),
    /// It was full a moment ago; the fleet was not asked.
    Remembered(Exceeded),
    /// What was spent there cannot be known now, or its strict budget cannot bound this call.
    Unknown,
}

/// What an attempt holds of its provider's limits, and under which id.
#[derive(Debug)]
pub(super) struct ProviderGrant {
    pub(super) grant: Grant,
    pub(super) id: RequestId,
}

/// Takes a provider's limits. None: it has none.
pub(super) async fn admit(
    call: &Call,
    chosen: &Chosen,
    body: &Bytes,
) -> Result<Option<ProviderGrant>, NoRoom> {
    let provider = &chosen.provider;
    if provider.provider.limits.is_unlimited() || !call.endpoint.is_metered() {
        return Ok(None);
    }
    if let Some(exceeded) = call.proxy.full.get(provider.id) {
        return Err(NoRoom::Remembered(exceeded));
    }
    let app = &call.proxy.app;
    let attempts = call.attempts.iter();
    let before = attempts
        .filter(|attempt| attempt.provider.id == provider.id)
        .count();
    let id = nth(call.arrival.id, before);
    let wish = Wish {
        account: Account::Provider(provider.id),
        request: id,
        epoch: limits::epoch(&call.snapshot),
        claims: limits::provider_claims(provider, takes(call, chosen, body)?),
        session: call.asked.session,
        policy: app.limits_policy(&call.snapshot),
    };
    match app.fleet.admit(wish).await {
        Ok(grant) => Ok(Some(ProviderGrant { grant, id })),
        Err(Denied::Exceeded(exceeded)) => {
            app.metrics.limit_refused(&exceeded);
            call.proxy.full.put(provider.id, exceeded);
            Err(NoRoom::Exceeded(exceeded))
        }
        Err(Denied::Unknown | Denied::Unavailable) => Err(NoRoom::Unknown),
    }
}

/// The id after `n` attempts there: the call's own, then ones made from it, with the same time inside.
fn nth(id: RequestId, n: usize) -> RequestId {
    let n = u128::try_from(n).unwrap_or(u128::MAX) & 0xff;
    RequestId(uuid::Uuid::from_u128(id.0.as_u128() ^ n))
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
    let bound = bound::bound(call.dialect, body).ok()?;
    let multiplier = chosen.provider.provider.cost_multiplier;
    Some(chosen.tariff.most(&bound, multiplier).ok()?.whole())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b05_each_taking_of_one_call_has_an_id_of_its_own_and_the_first_is_the_calls() {
        let id = RequestId::from_parts(1_700_000_000_000, &[7; 10]);
        assert_eq!(nth(id, 0), id);
        let ids: std::collections::HashSet<_> = (0..8).map(|n| nth(id, n).0).collect();
        assert_eq!(ids.len(), 8);
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
