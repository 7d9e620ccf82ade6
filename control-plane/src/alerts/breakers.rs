//! Providers that take no calls: open circuits, refused credentials, empty accounts.

use penstock_core::alert::Rule;
use penstock_core::health::state::WHOLE;
use penstock_core::health::{Phase, SetAside, Standing};
use penstock_core::provider::Provider;
use penstock_core::time::UnixMs;
use penstock_store::FleetState;

use super::{Condition, names};
use crate::index::Index;

/// Of all providers that are still there and enabled.
pub(super) fn conditions(index: &Index, states: &[FleetState], now: UnixMs) -> Vec<Condition> {
    let mut found = Vec::new();
    for state in states {
        let Some(provider) = names::provider(index, state.provider).filter(|provider| provider.enabled)
        else {
            continue;
        };
        found.extend(circuits(state, &provider, now));
        found.extend(down(state, &provider, now));
    }
    found
}

/// A half-open circuit still counts: it closes or opens again in a moment.
fn circuits<'a>(
    state: &'a FleetState,
    provider: &'a Provider,
    now: UnixMs,
) -> impl Iterator<Item = Condition> + 'a {
    let open = state
        .state
        .entries
        .iter()
        .filter(move |(_, entry)| entry.phase(&provider.breaker, now) != Phase::Closed);
    open.map(move |(model, entry)| {
        let name = &provider.name;
        let why = entry.circuit.as_ref().map_or("", |mark| &*mark.why);
        let (subject, of) = match model.as_ref() {
            WHOLE => (format!("provider:{}", state.provider), String::new()),
            model => (
                format!("provider:{}/{model}", state.provider),
                format!(" for model {model}"),
            ),
        };
        Condition {
            rule: Rule::BreakerOpen,
            subject,
            title: format!("Circuit breaker of provider {name}{of} is open"),
            detail: format!(
                "{why}. See `penstock breaker list --provider {name}` and `penstock provider test {name}`; \
                 `penstock breaker reset {name}` closes it at once."
            ),
        }
    })
}

fn down(state: &FleetState, provider: &Provider, now: UnixMs) -> Option<Condition> {
    let standing = state.state.standing(WHOLE, &provider.breaker, now);
    let (why, advice) = match standing {
        Standing::SetAside {
            why: SetAside::Credential,
            ..
        } => (
            "its credential was refused",
            "give it a new one (`penstock provider update NAME --api-key-env …`, or `penstock oauth login`)",
        ),
        Standing::SetAside {
            why: SetAside::Billing,
            ..
        } => (
            "its account has no money left",
            "top the account up, then `penstock breaker reset NAME`",
        ),
        Standing::SetAside { .. }
        | Standing::Ready
        | Standing::HalfOpen
        | Standing::Open { .. }
        | Standing::Cooling { .. } => return None,
    };
    let name = &provider.name;
    Some(Condition {
        rule: Rule::ProviderDown,
        subject: format!("provider:{}", state.provider),
        title: format!("Provider {name} takes no calls: {why}"),
        detail: format!("To mend it: {}.", advice.replace("NAME", name)),
    })
}
