//! The setting about notifications.

use penstock_core::invalid::Invalid;
use penstock_core::limits::Zone;
use penstock_core::provider::TimeOfDay;
use penstock_core::setting::NotificationPolicy;

use crate::config::v1 as wire;

/// No minute of a day: there is no summary.
const NEVER: u32 = 1_440;

pub(super) fn to_wire(policy: &NotificationPolicy) -> wire::NotificationPolicy {
    wire::NotificationPolicy {
        enabled: Some(policy.enabled),
        error_rate_percent: Some(policy.error_rate_percent),
        error_rate_calls: Some(policy.error_rate_calls),
        consecutive_failures: Some(policy.consecutive_failures),
        rate_limited_per_minute: Some(policy.rate_limited_per_minute),
        repeated_status: Some(policy.repeated_status),
        budget_percents: Some(wire::BudgetPercents {
            percents: policy.budget_percents.clone(),
        }),
        summary_minute: Some(policy.summary_at.map_or(NEVER, |at| at.minute().into())),
        zone: policy.zone.0.clone(),
    }
}

pub(super) fn from_wire(policy: wire::NotificationPolicy) -> Result<NotificationPolicy, Invalid> {
    let default = NotificationPolicy::default();
    let summary_at = match policy.summary_minute {
        None => default.summary_at,
        Some(NEVER) => None,
        Some(minute) => {
            let time = u16::try_from(minute).ok().and_then(TimeOfDay::new);
            let problem = || format!("minute {minute} is not in a day; it has 1440");
            Some(time.ok_or_else(|| Invalid::new("notifications.summary_minute", problem()))?)
        }
    };
    Ok(NotificationPolicy {
        enabled: policy.enabled.unwrap_or(default.enabled),
        error_rate_percent: policy.error_rate_percent.unwrap_or(default.error_rate_percent),
        error_rate_calls: policy.error_rate_calls.unwrap_or(default.error_rate_calls),
        consecutive_failures: policy
            .consecutive_failures
            .unwrap_or(default.consecutive_failures),
        rate_limited_per_minute: policy
            .rate_limited_per_minute
            .unwrap_or(default.rate_limited_per_minute),
        repeated_status: policy.repeated_status.unwrap_or(default.repeated_status),
        budget_percents: policy
            .budget_percents
            .map_or(default.budget_percents, |it| it.percents),
        summary_at,
        zone: match policy.zone.is_empty() {
            true => default.zone,
            false => Zone(policy.zone),
        },
    })
}
