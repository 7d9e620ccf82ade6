//! Sessions stay with their provider, whose cache holds their prompt (behaviour B4).
//!
//! A session is looked up once, before the first choice, and only when there is a choice. It is bound when a provider
//! answers: anew where it moved to, again when its binding is about to end. What a move costs is counted: what the new
//! provider had to read again, at the difference to a cache read.

use std::time::Duration;

use penstock_core::money::NanoUsd;
use penstock_core::route::Bound;
use penstock_core::snapshot::Snapshot;
use penstock_core::usage::TokenUsage;
use penstock_core::usage::decision;
use penstock_fleet::{Bind, Keep};

use super::call::{Call, Chosen};

/// What became of a session's binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Affinity {
    /// Nothing to stick to: no session, or one provider.
    #[default]
    None,
    /// The session is not bound yet, or no more.
    Unbound,
    /// Bound to a provider that has not answered yet.
    Bound(Bound),
    /// Served where it was before.
    Hit,
    /// Served elsewhere than before.
    Moved,
}

impl Affinity {
    /// For metrics and receipts; None: nothing to tell.
    pub(super) fn told(self) -> Option<decision::Affinity> {
        match self {
            Self::None | Self::Bound(_) => None,
            Self::Unbound => Some(decision::Affinity::New),
            Self::Hit => Some(decision::Affinity::Hit),
            Self::Moved => Some(decision::Affinity::Moved),
        }
    }

    /// Where the session wants to go.
    pub(super) fn bound(self) -> Bound {
        match self {
            Self::Bound(bound) => bound,
            Self::None | Self::Unbound | Self::Hit | Self::Moved => Bound::default(),
        }
    }
}

/// Looks up where the call's session was served before.
pub(super) async fn look_up(call: &Call) -> Affinity {
    let Some(session) = call.asked.session.filter(|_| is_of_use(call)) else {
        return Affinity::None;
    };
    match call.proxy.app.fleet.binding(session).await {
        None => Affinity::Unbound,
        Some(binding) => Affinity::Bound(Bound {
            provider: Some(binding.provider),
            return_to_better_tier: call.snapshot.routing().return_to_better_tier,
        }),
    }
}

/// Whether it matters to which provider a call goes.
pub(super) fn is_of_use(call: &Call) -> bool {
    let request = call.request();
    let providers = call.snapshot.providers().iter();
    let able = providers.filter(|entry| {
        let provider = &entry.provider;
        provider.enabled && provider.speech(request, &call.asked.model).is_some()
    });
    let sticks = call.snapshot.routing().sticky_ttl_ms > 0;
    sticks && call.endpoint.is_metered() && able.take(2).count() > 1
}

/// The provider has answered: the session stays there from now on. Never waits.
pub(super) fn bind(call: &mut Call, chosen: &Chosen) {
    let before = match call.affinity {
        Affinity::None => return,
        Affinity::Bound(bound) => bound.provider,
        Affinity::Unbound | Affinity::Hit | Affinity::Moved => None,
    };
    call.affinity = match before {
        None => Affinity::Unbound,
        Some(provider) if provider == chosen.provider.id => Affinity::Hit,
        Some(_) => Affinity::Moved,
    };
    if let Some(session) = call.asked.session {
        call.proxy.app.fleet.bind(Bind {
            session,
            provider: chosen.provider.id,
            seen: before,
            keep: keep(&call.snapshot),
        });
    }
}

/// How long sessions stay bound.
fn keep(snapshot: &Snapshot) -> Keep {
    let routing = snapshot.routing();
    Keep {
        ttl: Duration::from_millis(routing.sticky_ttl_ms),
        renew_below: Duration::from_millis(routing.sticky_renew_below_ms),
    }
}

/// What the move of a session cost: its prompt as it was charged, without what it would have cost from the cache.
pub(super) fn cost_of_move(call: &Call, used: &TokenUsage) -> NanoUsd {
    let (Affinity::Moved, Some(chosen)) = (call.affinity, &call.chosen) else {
        return NanoUsd(0);
    };
    let multiplier = chosen.provider.provider.cost_multiplier;
    let cached = TokenUsage {
        input: 0,
        cache_write: 0,
        cache_write_1h: 0,
        cache_write_12h: 0,
        cache_read: used.prompt(),
        ..used.clone()
    };
    let more = chosen.tariff.charge(used, multiplier).0 - chosen.tariff.charge(&cached, multiplier).0;
    NanoUsd(more.max(0))
}
