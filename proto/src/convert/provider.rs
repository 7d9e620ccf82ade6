//! Providers.

use penstock_core::dialect::Dialect;
use penstock_core::invalid::Invalid;
use penstock_core::money::Millionths;
use penstock_core::provider::{Header, Probe, Provider, Timeouts};

use super::access::{pattern_to_wire, patterns_from_wire};
use super::enums::{dialect_from_wire, dialect_to_wire, provider_kind_from_wire, provider_kind_to_wire};
use super::limits::{limits_from_wire, limits_to_wire};
use super::outbound::{outbound_from_wire, outbound_to_wire};
use super::routing::{
    breaker_from_wire, breaker_to_wire, hours_from_wire, hours_to_wire, override_from_wire, override_to_wire,
    redirect_to_wire, redirects_from_wire,
};
use crate::config::v1 as wire;

/// Writes a provider, which has no secrets in it.
pub fn provider_to_wire(provider: &Provider) -> wire::ProviderSpec {
    let header = |header: &Header| wire::Header {
        name: header.name.clone(),
        value: header.value.clone(),
    };
    wire::ProviderSpec {
        name: provider.name.clone(),
        kind: provider_kind_to_wire(provider.kind),
        base_urls: provider.base_urls.clone(),
        enabled: provider.enabled,
        groups: provider.groups.clone(),
        priority: provider.priority,
        weight: provider.weight,
        cost_multiplier_millionths: provider.cost_multiplier.0,
        models: provider.models.iter().map(pattern_to_wire).collect(),
        timeouts: Some(timeouts_to_wire(&provider.timeouts)),
        extra_headers: provider.extra_headers.iter().map(header).collect(),
        limits: limits_to_wire(&provider.limits),
        redirects: provider.redirects.iter().map(redirect_to_wire).collect(),
        active_hours: provider.active_hours.as_ref().map(hours_to_wire),
        breaker: breaker_to_wire(provider.breaker),
        outbound: outbound_to_wire(&provider.outbound),
        overrides: provider.overrides.iter().map(override_to_wire).collect(),
        probe_interval_ms: provider.probe.map(|probe| probe.interval_ms),
        dialects: provider.dialects.iter().copied().map(dialect_to_wire).collect(),
        translate: provider.translate.iter().copied().map(dialect_to_wire).collect(),
        api_version: provider.api_version.clone().unwrap_or_default(),
    }
}

/// Reads a provider. Absent timeouts are defaults.
pub fn provider_from_wire(spec: wire::ProviderSpec) -> Result<Provider, Invalid> {
    Ok(Provider {
        name: spec.name,
        kind: provider_kind_from_wire("kind", spec.kind)?,
        base_urls: spec.base_urls,
        enabled: spec.enabled,
        groups: spec.groups,
        priority: spec.priority,
        weight: spec.weight,
        cost_multiplier: Millionths(spec.cost_multiplier_millionths),
        models: patterns_from_wire("models", spec.models)?,
        timeouts: spec.timeouts.map(timeouts_from_wire).unwrap_or_default(),
        extra_headers: spec
            .extra_headers
            .into_iter()
            .map(|h| Header {
                name: h.name,
                value: h.value,
            })
            .collect(),
        limits: limits_from_wire(spec.limits)?,
        redirects: redirects_from_wire(spec.redirects)?,
        active_hours: spec.active_hours.map(hours_from_wire).transpose()?,
        breaker: breaker_from_wire(spec.breaker),
        outbound: outbound_from_wire(spec.outbound)?,
        overrides: spec.overrides.into_iter().map(override_from_wire).collect(),
        probe: spec.probe_interval_ms.map(|interval_ms| Probe { interval_ms }),
        dialects: dialects_from_wire("dialects", spec.dialects)?,
        translate: dialects_from_wire("translate", spec.translate)?,
        api_version: (!spec.api_version.is_empty()).then_some(spec.api_version),
    })
}

/// Reads a list of dialects, which `field` names in errors.
pub(super) fn dialects_from_wire(field: &str, values: Vec<i32>) -> Result<Vec<Dialect>, Invalid> {
    let named = values.into_iter().enumerate();
    named
        .map(|(i, value)| dialect_from_wire(&format!("{field}[{i}]"), value))
        .collect()
}

fn timeouts_to_wire(timeouts: &Timeouts) -> wire::Timeouts {
    wire::Timeouts {
        connect_ms: timeouts.connect_ms,
        first_byte_ms: timeouts.first_byte_ms,
        idle_ms: timeouts.idle_ms,
        total_ms: timeouts.total_ms,
        stream_total_ms: timeouts.stream_total_ms,
    }
}

fn timeouts_from_wire(timeouts: wire::Timeouts) -> Timeouts {
    Timeouts {
        connect_ms: timeouts.connect_ms,
        first_byte_ms: timeouts.first_byte_ms,
        idle_ms: timeouts.idle_ms,
        total_ms: timeouts.total_ms,
        stream_total_ms: timeouts.stream_total_ms,
    }
}
