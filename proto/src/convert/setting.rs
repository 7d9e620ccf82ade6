//! Settings.

use penstock_core::invalid::Invalid;
use penstock_core::setting::{Setting, UnpricedPolicy};

use super::enums::{unpriced_action_from_wire, unpriced_action_to_wire};
use super::price::{rates_from_wire, rates_to_wire};
use super::required;
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
    })
}
