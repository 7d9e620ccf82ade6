//! Budgets of money of which a share is spent, by the ledger.
//!
//! Looked at are those who called lately and those whose budgets are watched already; of nobody else anything can have
//! changed. What is reserved for calls in flight is not in the ledger, so it is not counted.

use std::collections::BTreeSet;

use penstock_core::alert::Rule;
use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::limits::window::Window;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::setting::NotificationPolicy;
use penstock_core::time::UnixMs;
use penstock_store::{AlertRow, BaselineQuestion, CallFacts, Error, SpendSpan, SpendSubject, Store};
use uuid::Uuid;

use super::{Condition, names};
use crate::index::Index;

/// Subjects in one question to the ledger.
const AT_ONCE: usize = 200;

/// One budget of a subject.
struct Budget {
    dimension: Dimension,
    limit: u64,
    from: UnixMs,
}

pub(super) async fn conditions(
    (store, index): (&dyn Store, &Index),
    facts: &CallFacts,
    watched: &[AlertRow],
    policy: &NotificationPolicy,
    now: UnixMs,
) -> Result<Vec<Condition>, Error> {
    if policy.budget_percents.is_empty() {
        return Ok(Vec::new());
    }
    let limited: Vec<_> = subjects(facts, watched)
        .into_iter()
        .map(|subject| (subject, budgets(index, subject, now)))
        .filter(|(_, budgets)| !budgets.is_empty())
        .collect();
    let mut found = Vec::new();
    for some in limited.chunks(AT_ONCE) {
        let questions: Vec<_> = some.iter().map(question).collect();
        let baseline = store.baseline(&questions).await?;
        for ((subject, budgets), spends) in some.iter().zip(&baseline.answers) {
            for (budget, spend) in budgets.iter().zip(spends) {
                found.extend(passed(index, (*subject, budget), spend.total, policy));
            }
        }
    }
    Ok(found)
}

fn subjects(facts: &CallFacts, watched: &[AlertRow]) -> BTreeSet<SpendSubject> {
    let active = facts.active.iter().flat_map(|(user, key, provider)| {
        let provider = provider.map(SpendSubject::Provider);
        [SpendSubject::User(*user), SpendSubject::Key(*key)]
            .into_iter()
            .chain(provider)
    });
    let watched = watched.iter().filter(|row| row.rule == Rule::Budget);
    active
        .chain(watched.filter_map(|row| read_subject(&row.subject)))
        .collect()
}

/// `user:ID/usd_daily/80`.
fn read_subject(text: &str) -> Option<SpendSubject> {
    let (kind, rest) = text.split_once(':')?;
    let id: Uuid = rest.split('/').next()?.parse().ok()?;
    Some(match kind {
        "user" => SpendSubject::User(UserId(id)),
        "key" => SpendSubject::Key(KeyId(id)),
        "provider" => SpendSubject::Provider(ProviderId(id)),
        _ => return None,
    })
}

fn budgets(index: &Index, subject: SpendSubject, now: UnixMs) -> Vec<Budget> {
    let Some(limits) = limits(index, subject) else {
        return Vec::new();
    };
    let money = Dimension::ALL
        .into_iter()
        .filter(|dimension| dimension.is_money());
    money
        .filter(|dimension| limits.get(*dimension) > 0)
        .map(|dimension| {
            let from = match limits.window(dimension, now) {
                Window::Rolling(ms) => UnixMs(now.0.saturating_sub(ms)),
                Window::Fixed(bounds) => bounds.current,
                Window::Total => UnixMs(0),
            };
            Budget {
                dimension,
                limit: limits.get(dimension),
                from: from.max(limits.reset_at(dimension).unwrap_or(UnixMs(0))),
            }
        })
        .collect()
}

fn limits(index: &Index, subject: SpendSubject) -> Option<std::sync::Arc<Limits>> {
    let reference = match subject {
        SpendSubject::User(id) => ResourceRef::User(id),
        SpendSubject::Key(id) => ResourceRef::Key(id),
        SpendSubject::Provider(id) => ResourceRef::Provider(id),
    };
    match &index.get(&reference)?.spec {
        Spec::User(user) => Some(user.limits.clone()),
        Spec::Key(key) => Some(key.limits.clone()),
        Spec::Provider(spec) => Some(spec.provider.limits.clone()),
        Spec::Price(_)
        | Spec::Setting(_)
        | Spec::ImportSuffix(_)
        | Spec::ErrorRule(_)
        | Spec::WordRule(_)
        | Spec::RequestFilter(_) => None,
    }
}

fn question((subject, budgets): &(SpendSubject, Vec<Budget>)) -> BaselineQuestion {
    let span = |budget: &Budget| SpendSpan {
        from: budget.from,
        by_minute: false,
    };
    BaselineQuestion {
        subject: *subject,
        spans: budgets.iter().map(span).collect(),
    }
}

/// One for each share that is spent.
fn passed(
    index: &Index,
    (subject, budget): (SpendSubject, &Budget),
    spent: NanoUsd,
    policy: &NotificationPolicy,
) -> Vec<Condition> {
    let spent_nano = u64::try_from(spent.0).unwrap_or(0);
    let over = policy
        .budget_percents
        .iter()
        .filter(|percent| u128::from(spent_nano) * 100 >= u128::from(budget.limit) * u128::from(**percent));
    over.map(|percent| {
        let dimension = budget.dimension.as_str();
        let (kind, id, name) = match subject {
            SpendSubject::User(id) => ("user", id.to_string(), names::user_name(index, id)),
            SpendSubject::Key(id) => ("key", id.to_string(), names::key_name(index, id)),
            SpendSubject::Provider(id) => ("provider", id.to_string(), names::provider_name(index, id)),
        };
        let limit = NanoUsd(i64::try_from(budget.limit).unwrap_or(i64::MAX));
        Condition {
            rule: Rule::Budget,
            subject: format!("{kind}:{id}/{dimension}/{percent}"),
            title: format!("{percent} % of {dimension} of {kind} {name} is spent"),
            detail: format!("{spent} of {limit} USD. See `penstock limits show --{kind} {name}`."),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g11_a_watched_budget_is_known_by_its_subject() {
        let id = Uuid::from_u128(7);
        let read = |text: String| read_subject(&text);
        assert_eq!(
            read(format!("key:{id}/usd_daily/80")),
            Some(SpendSubject::Key(KeyId(id)))
        );
        assert_eq!(read(format!("user:{id}")), Some(SpendSubject::User(UserId(id))));
        for bad in ["", "key", "key:x/usd_daily/80", "other:1"] {
            assert_eq!(read_subject(bad), None, "{bad}");
        }
    }
}
