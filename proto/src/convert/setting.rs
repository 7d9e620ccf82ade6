//! Settings.

use penstock_core::invalid::Invalid;
use penstock_core::setting::{Degraded, LimitsPolicy, ObservabilityPolicy, Setting, UnpricedPolicy};
use penstock_core::time::UnixMs;

use super::enums::{
    degraded_from_wire, degraded_to_wire, unpriced_action_from_wire, unpriced_action_to_wire,
};
use super::notifications;
use super::price::{rates_from_wire, rates_to_wire};
use super::retention::{retention_from_wire, retention_to_wire};
use super::routing::{fallbacks_from_wire, fallbacks_to_wire, policy_from_wire, policy_to_wire};
use super::{logging, required};
use crate::config::v1 as wire;

/// Writes a setting.
pub fn setting_to_wire(setting: &Setting) -> wire::Setting {
    use wire::setting::Value;
    let value = match setting {
        Setting::Unpriced(policy) => Value::Unpriced(wire::UnpricedPolicy {
            action: unpriced_action_to_wire(policy.action),
            default_rates: rates_to_wire(&policy.default_rates),
        }),
        Setting::ExplainRefusals(on) => Value::ExplainRefusals(*on),
        Setting::SelfService(on) => Value::SelfService(*on),
        Setting::Limits(policy) => Value::Limits(wire::LimitsPolicy {
            enabled: policy.enabled,
            off_until_ms: policy.off_until.map(|until| until.0),
            degraded: degraded_to_wire(policy.degraded),
            quota_status: policy.quota_status.into(),
        }),
        Setting::Routing(policy) => Value::Routing(policy_to_wire(*policy)),
        Setting::ModelFallbacks(fallbacks) => Value::ModelFallbacks(fallbacks_to_wire(fallbacks)),
        Setting::Notifications(policy) => Value::Notifications(notifications::to_wire(policy)),
        Setting::Logging(policy) => Value::Logging(logging::policy_to_wire(policy)),
        Setting::HttpDebug(debug) => Value::HttpDebug(logging::debug_to_wire(debug)),
        Setting::Retention(policy) => Value::Retention(retention_to_wire(*policy)),
        Setting::DrainedNodes(nodes) => Value::DrainedNodes(wire::DrainedNodes { nodes: nodes.clone() }),
        Setting::Observability(policy) => Value::Observability(wire::ObservabilityPolicy {
            metrics_of_keys: policy.metrics_of_keys,
            trace_to_providers: policy.trace_to_providers,
        }),
    };
    wire::Setting { value: Some(value) }
}

/// Reads a setting. One that this release does not know is refused.
pub fn setting_from_wire(setting: wire::Setting) -> Result<Setting, Invalid> {
    use wire::setting::Value;
    Ok(match required("value", setting.value)? {
        Value::Unpriced(policy) => Setting::Unpriced(UnpricedPolicy {
            action: unpriced_action_from_wire("unpriced.action", policy.action)?,
            default_rates: rates_from_wire("unpriced.default_rates", policy.default_rates)?,
        }),
        Value::ExplainRefusals(on) => Setting::ExplainRefusals(on),
        Value::SelfService(on) => Setting::SelfService(on),
        Value::Routing(policy) => Setting::Routing(policy_from_wire(policy)),
        Value::ModelFallbacks(fallbacks) => Setting::ModelFallbacks(fallbacks_from_wire(fallbacks)?),
        Value::Notifications(policy) => Setting::Notifications(notifications::from_wire(policy)?),
        Value::Logging(policy) => Setting::Logging(logging::policy_from_wire(policy)?),
        Value::HttpDebug(debug) => Setting::HttpDebug(logging::debug_from_wire(debug)?),
        Value::Retention(policy) => Setting::Retention(retention_from_wire(policy)),
        Value::DrainedNodes(drained) => Setting::DrainedNodes(drained.nodes),
        Value::Observability(policy) => Setting::Observability(ObservabilityPolicy {
            metrics_of_keys: policy.metrics_of_keys,
            trace_to_providers: policy.trace_to_providers,
        }),
        Value::Limits(policy) => Setting::Limits(LimitsPolicy {
            enabled: policy.enabled,
            off_until: policy.off_until_ms.map(UnixMs),
            degraded: match policy.degraded {
                0 => Degraded::Local,
                value => degraded_from_wire("limits.degraded", value)?,
            },
            quota_status: match policy.quota_status {
                0 => 429,
                status => u16::try_from(status)
                    .map_err(|_| Invalid::new("limits.quota_status", "is neither 429 nor 402"))?,
            },
        }),
    })
}
