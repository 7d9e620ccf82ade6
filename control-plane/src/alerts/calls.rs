//! How calls went lately, as their callers saw them.

use penstock_core::alert::Rule;
use penstock_core::id::ProviderId;
use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::setting::NotificationPolicy;
use penstock_store::{AlertRow, CallFacts};

use super::{Condition, names};
use crate::index::Index;

pub(super) fn conditions(index: &Index, facts: &CallFacts, policy: &NotificationPolicy) -> Vec<Condition> {
    let mut found = error_rates(index, facts, policy);
    found.extend(facts.failing.iter().map(|provider| {
        let (name, times) = (
            names::provider_name(index, *provider),
            policy.consecutive_failures,
        );
        Condition {
            rule: Rule::ConsecutiveFailures,
            subject: format!("provider:{provider}"),
            title: format!("The last {times} calls of provider {name} ended with 5xx"),
            detail: format!(
                "See `penstock usage records --provider {name}` and `penstock explain REQUEST_ID`."
            ),
        }
    }));
    found.extend(rate_limited(facts, policy));
    found.extend(repeated(index, facts, policy));
    found
}

/// Providers that are watched for failures in a row, while they are there and in use.
pub(super) fn suspected(index: &Index, watched: &[AlertRow]) -> Vec<ProviderId> {
    let rows = watched.iter().filter(|row| row.rule == Rule::ConsecutiveFailures);
    let ids = rows.filter_map(|row| row.subject.strip_prefix("provider:")?.parse().ok());
    ids.filter(|id| {
        match index
            .get(&ResourceRef::Provider(*id))
            .as_ref()
            .map(|found| &found.spec)
        {
            Some(Spec::Provider(spec)) => spec.provider.enabled,
            _ => false,
        }
    })
    .collect()
}

fn error_rates(index: &Index, facts: &CallFacts, policy: &NotificationPolicy) -> Vec<Condition> {
    let over = facts.last_5_min.iter().filter(|calls| {
        let much = calls.failed * 100 > calls.calls * u64::from(policy.error_rate_percent);
        much && calls.calls >= u64::from(policy.error_rate_calls)
    });
    over.map(|calls| {
        let name = names::provider_name(index, calls.provider);
        Condition {
            rule: Rule::ErrorRate,
            subject: format!("provider:{}", calls.provider),
            title: format!("More than {} % of provider {name}'s calls fail", policy.error_rate_percent),
            detail: format!(
                "{} of {} calls in 5 min, as callers saw them. See `penstock usage records --provider {name}`.",
                calls.failed, calls.calls
            ),
        }
    })
    .collect()
}

fn rate_limited(facts: &CallFacts, policy: &NotificationPolicy) -> Option<Condition> {
    let many = facts.rate_limited_in_1_min > u64::from(policy.rate_limited_per_minute);
    many.then(|| Condition {
        rule: Rule::RateLimited,
        subject: "calls".to_owned(),
        title: format!(
            "More than {} calls a minute end with 429",
            policy.rate_limited_per_minute
        ),
        detail: format!(
            "{} in the last minute, from limits here or from providers. See `penstock usage records`.",
            facts.rate_limited_in_1_min
        ),
    })
}

fn repeated(index: &Index, facts: &CallFacts, policy: &NotificationPolicy) -> Vec<Condition> {
    let often = facts
        .statuses_in_1_h
        .iter()
        .filter(|(_, _, times)| *times >= u64::from(policy.repeated_status));
    often
        .map(|(provider, status, times)| {
            let name = names::provider_name(index, *provider);
            Condition {
                rule: Rule::RepeatedStatus,
                subject: format!("provider:{provider}/{status}"),
                title: format!("Calls of provider {name} end with {status} again and again"),
                detail: format!(
                    "{times} times within an hour. `penstock explain {status}` says what it means."
                ),
            }
        })
        .collect()
}
