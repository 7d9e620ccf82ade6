//! How providers are routed to: redirects, active hours, breakers, overrides, and the settings about routing.

use penstock_core::invalid::Invalid;
use penstock_core::limits::Zone;
use penstock_core::provider::{ActiveHours, BreakerSettings, Override, Redirect, TimeOfDay};
use penstock_core::setting::{ModelFallback, RoutingPolicy};

use super::access::{pattern_from_wire, pattern_to_wire};
use crate::config::v1 as wire;

pub(super) fn redirect_to_wire(redirect: &Redirect) -> wire::Redirect {
    wire::Redirect {
        from: Some(pattern_to_wire(&redirect.from)),
        to: redirect.to.clone(),
    }
}

pub(super) fn redirects_from_wire(redirects: Vec<wire::Redirect>) -> Result<Vec<Redirect>, Invalid> {
    let read = |(i, redirect): (usize, wire::Redirect)| {
        Ok(Redirect {
            from: pattern_from_wire(&format!("redirects[{i}].from"), redirect.from)?,
            to: redirect.to,
        })
    };
    redirects.into_iter().enumerate().map(read).collect()
}

/// Writes active hours.
pub fn hours_to_wire(hours: &ActiveHours) -> wire::ActiveHours {
    wire::ActiveHours {
        from_minute: hours.from.minute().into(),
        to_minute: hours.to.minute().into(),
        zone: hours.zone.0.clone(),
    }
}

/// Reads active hours.
pub fn hours_from_wire(hours: wire::ActiveHours) -> Result<ActiveHours, Invalid> {
    let time = |field: &str, minute: u32| {
        let time = u16::try_from(minute).ok().and_then(TimeOfDay::new);
        let problem = || format!("minute {minute} is not in a day; it has 1440");
        time.ok_or_else(|| Invalid::new(format!("active_hours.{field}"), problem()))
    };
    Ok(ActiveHours {
        from: time("from_minute", hours.from_minute)?,
        to: time("to_minute", hours.to_minute)?,
        zone: match hours.zone.is_empty() {
            true => Zone::default(),
            false => Zone(hours.zone),
        },
    })
}

/// None for the defaults.
pub(super) fn breaker_to_wire(breaker: BreakerSettings) -> Option<wire::BreakerSettings> {
    (breaker != BreakerSettings::default()).then_some(wire::BreakerSettings {
        failures: Some(breaker.failures),
        open_ms: Some(breaker.open_ms),
        successes: Some(breaker.successes),
        network_errors: Some(breaker.network_errors),
    })
}

pub(super) fn breaker_from_wire(breaker: Option<wire::BreakerSettings>) -> BreakerSettings {
    let (given, default) = (breaker.unwrap_or_default(), BreakerSettings::default());
    BreakerSettings {
        failures: given.failures.unwrap_or(default.failures),
        open_ms: given.open_ms.unwrap_or(default.open_ms),
        successes: given.successes.unwrap_or(default.successes),
        network_errors: given.network_errors.unwrap_or(default.network_errors),
    }
}

pub(super) fn override_to_wire(edit: &Override) -> wire::Override {
    wire::Override {
        path: edit.path.clone(),
        value_json: edit.value.clone(),
    }
}

pub(super) fn override_from_wire(edit: wire::Override) -> Override {
    Override {
        path: edit.path,
        value: edit.value_json,
    }
}

pub(super) fn policy_to_wire(policy: RoutingPolicy) -> wire::RoutingPolicy {
    wire::RoutingPolicy {
        max_providers: Some(policy.max_providers),
        keepalive_after_ms: Some(policy.keepalive_after_ms),
        keepalive_every_ms: Some(policy.keepalive_every_ms),
        return_to_better_tier: policy.return_to_better_tier,
        sticky_ttl_ms: Some(policy.sticky_ttl_ms),
        sticky_renew_below_ms: Some(policy.sticky_renew_below_ms),
        read_on_ms: policy.read_on_ms,
    }
}

pub(super) fn policy_from_wire(policy: wire::RoutingPolicy) -> RoutingPolicy {
    let default = RoutingPolicy::default();
    RoutingPolicy {
        max_providers: policy.max_providers.unwrap_or(default.max_providers),
        keepalive_after_ms: policy.keepalive_after_ms.unwrap_or(default.keepalive_after_ms),
        keepalive_every_ms: policy.keepalive_every_ms.unwrap_or(default.keepalive_every_ms),
        return_to_better_tier: policy.return_to_better_tier,
        sticky_ttl_ms: policy.sticky_ttl_ms.unwrap_or(default.sticky_ttl_ms),
        sticky_renew_below_ms: policy
            .sticky_renew_below_ms
            .unwrap_or(default.sticky_renew_below_ms),
        read_on_ms: policy.read_on_ms,
    }
}

pub(super) fn fallbacks_to_wire(fallbacks: &[ModelFallback]) -> wire::ModelFallbacks {
    let write = |fallback: &ModelFallback| wire::ModelFallback {
        model: Some(pattern_to_wire(&fallback.model)),
        substitutes: fallback.substitutes.clone(),
    };
    wire::ModelFallbacks {
        fallbacks: fallbacks.iter().map(write).collect(),
    }
}

pub(super) fn fallbacks_from_wire(fallbacks: wire::ModelFallbacks) -> Result<Vec<ModelFallback>, Invalid> {
    let read = |(i, fallback): (usize, wire::ModelFallback)| {
        Ok(ModelFallback {
            model: pattern_from_wire(&format!("model_fallbacks[{i}].model"), fallback.model)?,
            substitutes: fallback.substitutes,
        })
    };
    fallbacks.fallbacks.into_iter().enumerate().map(read).collect()
}
