//! Models that were called and have no price.

use penstock_core::time::UnixMs;
use penstock_store::{UsageFilter, UsageGrouping, UsageSubject};

use super::{Finding, Findings};
use crate::clock;
use crate::context::Context;

const DAYS: i64 = 7;
/// No more models are named.
const NAMED: usize = 5;

pub(super) async fn check(context: &Context, found: &Findings) {
    let now = clock::now();
    let span = UsageFilter::span(
        UnixMs(now.0.saturating_sub(DAYS * 86_400_000)),
        now.plus_ms(300_000),
    );
    let Ok(summary) = context
        .store
        .summarize_usage(&span, Some(UsageGrouping::Model))
        .await
    else {
        let finding = Finding::warn("prices", "could not be looked at: the database does not answer");
        return found.tell(finding).await;
    };
    let unpriced: Vec<&str> = summary
        .groups
        .iter()
        .filter(|group| group.totals.unpriced_requests > 0)
        .filter_map(|group| match &group.subject {
            UsageSubject::Model(model) => Some(model.as_str()),
            UsageSubject::User(_)
            | UsageSubject::Key(_)
            | UsageSubject::Provider(_)
            | UsageSubject::Session(_)
            | UsageSubject::Hour(_) => None,
        })
        .collect();
    found.tell(gaps(&unpriced, context.index.counts().prices)).await;
}

fn gaps(unpriced: &[&str], prices: usize) -> Finding {
    let Some(first) = unpriced.first() else {
        return Finding::ok(
            "prices",
            format!("{prices} prices; every model called in {DAYS} days has one"),
        );
    };
    let named = unpriced
        .iter()
        .take(NAMED)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    Finding::warn("prices", format!("{} models called in {DAYS} days have no price: {named}", unpriced.len()))
        .why("Their cost is a guess, or free, as the setting `unpriced` says; budgets are as wrong.")
        .fix(format!("`penstock price create --name {first} --rate input=3 --rate output=15`, then `penstock price backfill --from {DAYS}d`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn g06_models_without_a_price_are_named() {
        assert_eq!(gaps(&[], 3).level, Level::Ok);
        let found = gaps(&["new-model"], 3);
        assert!(found.level == Level::Warn && found.fix.contains("--name new-model"));
    }
}
