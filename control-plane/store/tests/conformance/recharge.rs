//! Costs counted again: records, hourly sums and spend change together, each difference once (behaviour E4).

use penstock_core::id::RequestId;
use penstock_core::money::NanoUsd;
use penstock_core::setting::UnpricedAction;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_store::{
    BaselineQuestion, NewCharge, PriceBackfill, Recharge, SpendSpan, SpendSubject, UsageFilter,
};
use uuid::Uuid;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    e04_a_difference_is_in_records_sums_and_spend_and_only_once,
    e04_records_are_read_in_order_from_where_one_was,
    e04_a_backfill_is_told_with_how_far_it_is,
);

fn all() -> UsageFilter {
    UsageFilter::span(UnixMs(0), UnixMs(NOW.0 + 1_000_000))
}

fn backfill(n: u128) -> PriceBackfill {
    PriceBackfill {
        id: Uuid::from_u128(n),
        actor: "ann".into(),
        reason: "wrong price".into(),
        started_at: UnixMs(i64::try_from(n).unwrap()),
        finished_at: None,
        from: UnixMs(1),
        to: UnixMs(2),
        model: Some("m".into()),
        provider: Some(provider_id(1)),
        through: None,
        scanned: 0,
        changed: 0,
        skipped: 0,
        before: NanoUsd(0),
        after: NanoUsd(0),
    }
}

fn costing(record: &UsageRecord, cost: i64) -> Recharge {
    Recharge {
        record: record.clone(),
        charge: NewCharge {
            cost: NanoUsd(cost),
            price: None,
            unpriced: Some(UnpricedAction::ChargeDefault),
        },
    }
}

async fn spent(bench: &Bench) -> i64 {
    let question = BaselineQuestion {
        subject: SpendSubject::User(user_id(1)),
        spans: vec![SpendSpan {
            from: UnixMs(0),
            by_minute: false,
        }],
    };
    let baseline = bench.store.baseline(&[question]).await.unwrap();
    baseline.answers[0][0].total.0
}

async fn sums(bench: &Bench) -> (i64, u64, u64) {
    let summary = bench.store.summarize_usage(&all(), None).await.unwrap();
    let totals = summary.totals;
    (totals.cost.0, totals.requests, totals.unpriced_requests)
}

async fn e04_a_difference_is_in_records_sums_and_spend_and_only_once(bench: Bench) {
    let records: Vec<UsageRecord> = (0..4).map(record).collect();
    bench.store.ingest_usage(&records, delivered(1)).await.unwrap();
    let before: i64 = records.iter().map(|record| record.cost.0).sum();
    assert_eq!(
        (sums(&bench).await, spent(&bench).await),
        ((before, 4, 0), before)
    );

    let recharges = [costing(&records[0], 7), costing(&records[1], 500_000)];
    let progress = backfill(1);
    assert_eq!(bench.store.recharge(&recharges, &progress).await.unwrap(), 2);
    let after = before - records[0].cost.0 - records[1].cost.0 + 500_007;
    assert_eq!((sums(&bench).await, spent(&bench).await), ((after, 4, 2), after));
    let stored = bench.store.usage_record(records[0].id).await.unwrap().unwrap();
    assert_eq!((stored.cost, stored.price), (NanoUsd(7), None));
    assert_eq!(stored.unpriced, Some(UnpricedAction::ChargeDefault));

    // The same again finds nothing that costs what it cost; nor does a batch of records that comes again.
    assert_eq!(bench.store.recharge(&recharges, &progress).await.unwrap(), 0);
    bench.store.ingest_usage(&records, delivered(1)).await.unwrap();
    assert_eq!((sums(&bench).await, spent(&bench).await), ((after, 4, 2), after));
}

async fn e04_records_are_read_in_order_from_where_one_was(bench: Bench) {
    let records: Vec<UsageRecord> = (0..5).map(record).collect();
    bench.store.ingest_usage(&records, delivered(1)).await.unwrap();
    assert_eq!(bench.store.count_usage(&all()).await.unwrap(), 5);
    let ids =
        |found: Vec<UsageRecord>| -> Vec<RequestId> { found.into_iter().map(|record| record.id).collect() };
    let first = bench.store.usage_after(&all(), None, 2).await.unwrap();
    assert_eq!(ids(first), [records[0].id, records[1].id]);
    let rest = bench
        .store
        .usage_after(&all(), Some(records[1].id), 9)
        .await
        .unwrap();
    assert_eq!(ids(rest), [records[2].id, records[3].id, records[4].id]);
    let other = UsageFilter {
        model: Some("other".into()),
        ..all()
    };
    assert_eq!(bench.store.count_usage(&other).await.unwrap(), 0);
}

async fn e04_a_backfill_is_told_with_how_far_it_is(bench: Bench) {
    let records = [record(0)];
    bench.store.ingest_usage(&records, delivered(1)).await.unwrap();
    let mut progress = backfill(1);
    progress.scanned = 1;
    progress.through = Some(records[0].id);
    bench
        .store
        .recharge(&[costing(&records[0], 7)], &progress)
        .await
        .unwrap();
    progress.changed = 1;
    let newest = backfill(2);
    bench.store.recharge(&[], &newest).await.unwrap();
    assert_eq!(
        bench.store.price_backfills(9).await.unwrap(),
        [newest.clone(), progress.clone()]
    );
    progress.finished_at = Some(UnixMs(9));
    bench.store.recharge(&[], &progress).await.unwrap();
    assert_eq!(bench.store.price_backfills(9).await.unwrap(), [newest, progress]);
}
