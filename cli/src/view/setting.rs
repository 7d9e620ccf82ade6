//! Settings.

use penstock_core::setting::{
    HttpDebug, LogLevel, LoggingPolicy, NotificationPolicy, ObservabilityPolicy, RetentionPolicy,
    RoutingPolicy, Setting as Core,
};
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;

use super::enforcement::Enforcement;
use super::price::Rate;
use super::{Row, View, fields, joined};
use crate::args::fallback;
use crate::failure::Failure;

/// A setting and what it is set to.
#[derive(Debug, Serialize)]
pub(crate) struct Setting {
    pub name: String,
    pub value: Value,
    /// 0: the default, never changed.
    pub version: u64,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    Unpriced {
        action: &'static str,
        /// For `charge_default`; empty: the dearest of the platform.
        default_rates: Vec<Rate>,
    },
    Limits(Enforcement),
    Switch(bool),
    Routing(RoutingPolicy),
    Retention(RetentionPolicy),
    Notifications(Box<NotificationPolicy>),
    Logging(LoggingPolicy),
    /// Windows; `penstock debug list` names them.
    HttpDebug(HttpDebug),
    DrainedNodes(Vec<String>),
    Observability(ObservabilityPolicy),
    /// `MODEL=SUBSTITUTE,SUBSTITUTE`.
    ModelFallbacks(Vec<String>),
}

impl Setting {
    pub(crate) fn read(entry: wire::SettingEntry, now: UnixMs) -> Result<Self, Failure> {
        let value = match convert::setting_from_wire(entry.setting.unwrap_or_default())? {
            Core::Unpriced(policy) => Value::Unpriced {
                action: policy.action.as_str(),
                default_rates: policy.default_rates.iter().map(Rate::from).collect(),
            },
            Core::ExplainRefusals(on) | Core::SelfService(on) => Value::Switch(on),
            Core::Routing(policy) => Value::Routing(policy),
            Core::Retention(policy) => Value::Retention(policy),
            Core::Notifications(policy) => Value::Notifications(Box::new(policy)),
            Core::Logging(policy) => Value::Logging(policy),
            Core::HttpDebug(debug) => Value::HttpDebug(debug),
            Core::DrainedNodes(nodes) => Value::DrainedNodes(nodes),
            Core::Observability(policy) => Value::Observability(policy),
            Core::ModelFallbacks(list) => Value::ModelFallbacks(list.iter().map(fallback::write).collect()),
            Core::Limits(policy) => Value::Limits(Enforcement::at(policy, now)),
        };
        Ok(Self {
            name: entry.name,
            value,
            version: entry.version,
        })
    }

    fn text(&self) -> String {
        match &self.value {
            Value::Switch(on) => on.to_string(),
            Value::ModelFallbacks(list) | Value::DrainedNodes(list) => joined(list),
            Value::Routing(policy) => routing(policy),
            Value::Retention(policy) => retention(*policy),
            Value::Notifications(policy) => notifications(policy),
            Value::Logging(policy) => logging(policy),
            Value::HttpDebug(debug) => format!("{} windows", debug.windows.len()),
            Value::Observability(policy) => observability(*policy),
            Value::Limits(enforcement) => enforcement.text(),
            Value::Unpriced {
                action,
                default_rates,
            } => {
                let rates = default_rates.iter().map(|rate| {
                    let above = if rate.above_tokens == 0 {
                        String::new()
                    } else {
                        format!(":{}", rate.above_tokens)
                    };
                    format!("{}:{}{above}={}", rate.class, rate.tier, rate.usd_per_million)
                });
                std::iter::once((*action).to_owned())
                    .chain(rates)
                    .collect::<Vec<_>>()
                    .join(" ")
            }
        }
    }

    fn origin(&self) -> String {
        (if self.version == 0 { "default" } else { "set" }).to_owned()
    }
}

fn retention(policy: RetentionPolicy) -> String {
    let off = if policy.enabled {
        ""
    } else {
        "off: nothing is cleaned; else "
    };
    format!(
        "{off}usage records {} days, failed calls {} days, audit log {} days",
        policy.usage_records_days, policy.failed_calls_days, policy.audit_log_days
    )
}

fn notifications(policy: &NotificationPolicy) -> String {
    if !policy.enabled {
        return "off".to_owned();
    }
    let percents: Vec<_> = policy.budget_percents.iter().map(ToString::to_string).collect();
    let summary = policy
        .summary_at
        .map_or_else(|| "never".to_owned(), |at| format!("at {at} {}", policy.zone.0));
    format!(
        "errors over {} % of {} calls, {} failures in a row, over {} 429s a minute, a status {} times an hour, \
         budgets at {} %, summary {summary}",
        policy.error_rate_percent,
        policy.error_rate_calls,
        policy.consecutive_failures,
        policy.rate_limited_per_minute,
        policy.repeated_status,
        joined(&percents),
    )
}

fn logging(policy: &LoggingPolicy) -> String {
    let level = policy
        .level
        .map_or("as each program was started", LogLevel::as_str);
    let targets = policy.targets.iter();
    let targets: String = targets
        .map(|(target, level)| format!(", {target}={}", level.as_str()))
        .collect();
    let hashed = if policy.hash_user_ids {
        ", users by a hash"
    } else {
        ""
    };
    format!("{level}{targets}{hashed}")
}

fn observability(policy: ObservabilityPolicy) -> String {
    let keys = match policy.metrics_of_keys {
        0 => "no metrics of keys".to_owned(),
        keys => format!("metrics of {keys} keys"),
    };
    let traces = match policy.trace_to_providers {
        true => "providers get the trace",
        false => "providers get no trace",
    };
    format!("{keys}, {traces}")
}

fn routing(policy: &RoutingPolicy) -> String {
    let seconds = |ms: u64| format!("{} s", ms / 1000);
    let back = match policy.return_to_better_tier {
        true => ", returns to a better tier",
        false => "",
    };
    let read_on = match policy.read_on_ms {
        0 => String::new(),
        ms => format!(", reads on for {ms} ms when callers leave"),
    };
    format!(
        "up to {} providers, keep-alive after {} then each {}, sticky for {} renewed below {}{back}{read_on}",
        policy.max_providers,
        seconds(policy.keepalive_after_ms),
        seconds(policy.keepalive_every_ms),
        seconds(policy.sticky_ttl_ms),
        seconds(policy.sticky_renew_below_ms),
    )
}

impl View for Setting {
    fn table(&self) -> String {
        fields(&[
            ("name", self.name.clone()),
            ("value", self.text()),
            ("origin", self.origin()),
        ])
    }
}

impl Row for Setting {
    const COLUMNS: &'static [&'static str] = &["NAME", "VALUE", "ORIGIN"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.text(), self.origin()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(setting: &Core, version: u64) -> Setting {
        let entry = wire::SettingEntry {
            name: setting.name().to_owned(),
            version,
            setting: Some(convert::setting_to_wire(setting)),
        };
        Setting::read(entry, UnixMs(0)).unwrap()
    }

    #[test]
    fn a_switch_is_a_boolean() {
        let setting = read(&Core::ExplainRefusals(true), 2);
        assert_eq!(serde_json::to_value(&setting).unwrap()["value"], true);
        assert_eq!(setting.cells(), ["explain_refusals", "true", "set"]);
    }

    #[test]
    fn e03_the_policy_for_models_without_a_price_is_named() {
        let setting = read(
            &Core::Unpriced(penstock_core::setting::UnpricedPolicy::default()),
            0,
        );
        assert_eq!(
            serde_json::to_value(&setting).unwrap()["value"]["action"],
            "charge_default"
        );
        assert_eq!(setting.cells(), ["unpriced", "charge_default", "default"]);
    }
}
