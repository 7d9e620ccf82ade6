//! Cleaning: old records go, sums stay, ingest goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use penstock_core::id::{AuditId, RequestId};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_store::{
    AuditEntry, AuditFilter, Backend, BaselineQuestion, Delivered, FailedCallRow, Retained, SpendSpan,
    SpendSubject, Store, UsageFilter, UsageGrouping, UsageSummary,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::audit::entry;
use crate::bench::{Bench, on_both, on_database, run};
use crate::build::*;
use crate::failures::failure;

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;
/// Kept from here on.
const BEFORE: UnixMs = UnixMs(NOW.0 - 30 * DAY);

on_both!(
    e07_old_records_go_and_every_sum_stays,
    e07_cleaning_goes_on_while_records_come_in,
    e07_a_record_that_comes_again_after_cleaning_is_not_counted_twice,
    g05_a_record_that_is_restored_after_cleaning_is_not_counted_twice,
    e07_what_was_spent_since_a_cleaned_instant_is_never_told_too_low,
    e07_each_kind_is_cleaned_by_its_own_age,
);

/// A call that began so long before now.
fn at(ago_ms: i64, n: u64) -> UsageRecord {
    let started_at = UnixMs(NOW.0 - ago_ms);
    let ms = u128::from(started_at.0.unsigned_abs());
    UsageRecord {
        id: RequestId(Uuid::from_u128(
            ms << 80 | 0x7000 << 64 | 0x8000 << 48 | u128::from(n),
        )),
        started_at,
        ..record(n)
    }
}

async fn ingest(store: &Arc<dyn Store>, records: &[UsageRecord], through: u64) -> u64 {
    store
        .ingest_usage(records, delivered(through))
        .await
        .unwrap()
        .fresh
}

async fn clean(store: &Arc<dyn Store>, before: UnixMs) -> u64 {
    let mut rows = 0;
    loop {
        let cleaned = store.clean(Retained::UsageRecords, before, NOW).await.unwrap();
        rows += cleaned.rows;
        if !cleaned.more {
            return rows;
        }
    }
}

async fn sums(store: &Arc<dyn Store>) -> Vec<UsageSummary> {
    let span = UsageFilter::span(UnixMs(NOW.0 - 100 * DAY), UnixMs(NOW.0 + DAY));
    let mut sums = vec![store.summarize_usage(&span, None).await.unwrap()];
    for by in [
        UsageGrouping::User,
        UsageGrouping::Key,
        UsageGrouping::Provider,
        UsageGrouping::Model,
        UsageGrouping::Hour,
    ] {
        sums.push(store.summarize_usage(&span, Some(by)).await.unwrap());
    }
    sums
}

async fn spent(store: &Arc<dyn Store>, from: UnixMs) -> i64 {
    let question = BaselineQuestion {
        subject: SpendSubject::Key(key_id(1)),
        spans: vec![SpendSpan {
            from,
            by_minute: false,
        }],
    };
    let baseline = store.baseline(&[question]).await.unwrap();
    baseline.answers[0][0].total.0
}

async fn e07_old_records_go_and_every_sum_stays(bench: Bench) {
    let store = &bench.store;
    let old: Vec<UsageRecord> = (0..5_000)
        .map(|n| at(31 * DAY + 1_000 * n, n.unsigned_abs()))
        .collect();
    let young: Vec<UsageRecord> = (0..50)
        .map(|n| at(29 * DAY - 1_000 * n, 10_000 + n.unsigned_abs()))
        .collect();
    assert_eq!(ingest(store, &old, 5_000).await, 5_000);
    assert_eq!(ingest(store, &young, 5_050).await, 50);
    let before = sums(store).await;
    let total = spent(store, UnixMs(0)).await;
    let aged = store.aged(&[(Retained::UsageRecords, BEFORE)]).await.unwrap();
    assert_eq!((aged[0].rows, aged[0].cleaned_at), (5_000, None));
    // No step takes more than a few thousand.
    let step = store.clean(Retained::UsageRecords, BEFORE, NOW).await.unwrap();
    assert!(step.more && (1..=2_000).contains(&step.rows), "{step:?}");
    assert_eq!(step.rows + clean(store, BEFORE).await, 5_000);
    assert_eq!(clean(store, BEFORE).await, 0);
    let everything = UsageFilter::span(UnixMs(0), UnixMs(NOW.0 + DAY));
    assert_eq!(store.count_usage(&everything).await.unwrap(), 50);
    assert_eq!(sums(store).await, before);
    assert_eq!(spent(store, UnixMs(0)).await, total);
    let aged = store.aged(&[(Retained::UsageRecords, BEFORE)]).await.unwrap();
    assert_eq!(
        (aged[0].rows, aged[0].deleted, aged[0].cleaned_at),
        (0, 5_000, Some(NOW))
    );
}

async fn e07_cleaning_goes_on_while_records_come_in(bench: Bench) {
    let old: Vec<UsageRecord> = (0..6_000).map(|n| at(40 * DAY + n, n.unsigned_abs())).collect();
    ingest(&bench.store, &old, 6_000).await;
    let replica = bench.another().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut cleaning = JoinSet::new();
    {
        let (store, done) = (Arc::clone(&bench.store), Arc::clone(&done));
        cleaning.spawn(async move {
            let rows = clean(&store, BEFORE).await;
            done.store(true, Ordering::Release);
            rows
        });
    }
    let mut came = 0;
    while !done.load(Ordering::Acquire) || came < 20 {
        let batch: Vec<UsageRecord> = (0..50)
            .map(|n| at(came * 50 + n, 100_000 + (came * 50 + n).unsigned_abs()))
            .collect();
        assert_eq!(ingest(&replica, &batch, 6_001).await, 50);
        came += 1;
    }
    assert_eq!(cleaning.join_next().await.unwrap().unwrap(), 6_000);
    let everything = UsageFilter::span(UnixMs(0), UnixMs(NOW.0 + DAY));
    let count = u64::try_from(came * 50).unwrap();
    assert_eq!(bench.store.count_usage(&everything).await.unwrap(), count);
    let totals = bench
        .store
        .summarize_usage(&everything, None)
        .await
        .unwrap()
        .totals;
    assert_eq!(totals.requests, count + 6_000);
    replica.close().await;
}

async fn e07_a_record_that_comes_again_after_cleaning_is_not_counted_twice(bench: Bench) {
    let store = &bench.store;
    let old: Vec<UsageRecord> = (0..10).map(|n| at(40 * DAY + n, n.unsigned_abs())).collect();
    assert_eq!(ingest(store, &old, 10).await, 10);
    assert_eq!(clean(store, BEFORE).await, 10);
    let before = sums(store).await;
    // The acknowledgement was lost and the node away for a month. It sends them again, with some that it had not sent.
    assert_eq!(ingest(store, &old, 10).await, 0);
    let mut more = old.clone();
    more.push(at(39 * DAY, 77));
    assert_eq!(ingest(store, &more, 11).await, 1);
    assert_eq!(
        sums(store).await[0].totals.requests,
        before[0].totals.requests + 1
    );
    // Another spool never sent them.
    let other = Delivered {
        spool: Uuid::from_u128(8),
        ..delivered(1)
    };
    let late = [at(38 * DAY, 78)];
    assert_eq!(store.ingest_usage(&late, other).await.unwrap().fresh, 1);
}

async fn g05_a_record_that_is_restored_after_cleaning_is_not_counted_twice(bench: Bench) {
    let store = &bench.store;
    let old: Vec<UsageRecord> = (1..4).map(|n| at(31 * DAY, n)).collect();
    assert_eq!(ingest(store, &old, 3).await, 3);
    let before = sums(store).await;
    assert_eq!(clean(store, BEFORE).await, 3);
    // As a restore does: of no spool, whose mark comes first.
    let restored = Delivered {
        spool: Uuid::nil(),
        ..delivered(0)
    };
    store.ingest_usage(&[], restored).await.unwrap();
    assert_eq!(store.ingest_usage(&old, restored).await.unwrap().fresh, 0);
    // What is kept comes back.
    let young = [at(DAY, 9)];
    assert_eq!(store.ingest_usage(&young, restored).await.unwrap().fresh, 1);
    assert_eq!(store.ingest_usage(&young, restored).await.unwrap().fresh, 0);
    let after = sums(store).await;
    assert_eq!(after[0].totals.requests, before[0].totals.requests + 1);
}

async fn e07_what_was_spent_since_a_cleaned_instant_is_never_told_too_low(bench: Bench) {
    let store = &bench.store;
    let cost = |record: UsageRecord, cost: i64| UsageRecord {
        cost: NanoUsd(cost),
        ..record
    };
    // A folded day, 60 days ago: before, in the hour of, and after the instant.
    let instant = UnixMs((NOW.0 - 60 * DAY).div_euclid(DAY) * DAY + 10 * HOUR + 1_800_000);
    let ago = NOW.0 - instant.0;
    let records = [
        cost(at(ago + 2 * HOUR, 1), 1),
        cost(at(ago + 60_000, 2), 10),
        cost(at(ago - 60_000, 3), 100),
        cost(at(ago - 3 * HOUR, 4), 1_000),
        cost(at(ago - 5 * DAY, 5), 10_000),
    ];
    ingest(store, &records, 5).await;
    store.fold_spend(NOW).await.unwrap();
    assert_eq!(spent(store, instant).await, 11_100);
    assert_eq!(clean(store, BEFORE).await, 5);
    // The hour in which it lies counts whole.
    assert_eq!(spent(store, instant).await, 11_110);
    assert_eq!(spent(store, UnixMs(0)).await, 11_111);
}

async fn e07_each_kind_is_cleaned_by_its_own_age(bench: Bench) {
    let store = &bench.store;
    let call = at(40 * DAY, 1);
    ingest(store, std::slice::from_ref(&call), 1).await;
    let failed = [(40, 1), (40, 2), (29, 3)].map(|(days, n)| FailedCallRow {
        started_at: UnixMs(NOW.0 - days * DAY),
        ..failure(n, 0, true)
    });
    store.ingest_failures(&failed).await.unwrap();
    for days in [401, 399] {
        let at = UnixMs(NOW.0 - days * DAY);
        let entry = AuditEntry {
            id: AuditId::from_parts(at.0.unsigned_abs(), &[1; 10]),
            at,
            ..entry(1, "ann", "x")
        };
        store.begin_audit(&entry).await.unwrap();
    }
    let year = UnixMs(NOW.0 - 400 * DAY);
    let ages = [(Retained::FailedCalls, BEFORE), (Retained::AuditLog, year)];
    let aged = store.aged(&ages).await.unwrap();
    let rows: Vec<_> = aged.iter().map(|aged| (aged.kind, aged.rows)).collect();
    assert_eq!(rows, [(Retained::FailedCalls, 2), (Retained::AuditLog, 1)]);
    for ((kind, before), (_, rows)) in ages.into_iter().zip(rows) {
        let cleaned = store.clean(kind, before, NOW).await.unwrap();
        assert_eq!((cleaned.rows, cleaned.more), (rows, false), "{kind:?}");
        let again = store.clean(kind, before, NOW).await.unwrap();
        assert_eq!((again.rows, again.more), (0, false), "{kind:?}");
    }
    assert_eq!(store.failures(failed[0].id).await.unwrap(), []);
    assert_eq!(store.failures(failed[2].id).await.unwrap().len(), 1);
    let entries = store
        .audit_entries(&AuditFilter::default(), 10, None)
        .await
        .unwrap();
    assert_eq!(entries.len(), 1);
    // The ledger's own days have not come.
    assert!(store.usage_record(call.id).await.unwrap().is_some());
}

#[tokio::test]
async fn e07_months_that_are_old_as_a_whole_are_dropped() {
    run(Backend::Postgres, |bench: Bench| async move {
        let store = &bench.store;
        for days in [70, 100] {
            let add = format!("SELECT usage_add_partition({})", NOW.0 - days * DAY);
            on_database(&bench.url, add).await;
        }
        let records: Vec<UsageRecord> = (0..2_100)
            .map(|n| at(60 * DAY + n * 60_000 * 30, n.unsigned_abs()))
            .collect();
        ingest(store, &records, 2_100).await;
        let before = sums(store).await;
        let aged = store.aged(&[(Retained::UsageRecords, BEFORE)]).await.unwrap();
        assert_eq!((aged[0].rows, aged[0].partitions), (2_100, 2));
        let first = store.clean(Retained::UsageRecords, BEFORE, NOW).await.unwrap();
        assert_eq!((first.partitions, first.more), (1, true));
        assert!(first.rows > 0);
        assert_eq!(first.rows + clean(store, BEFORE).await, 2_100);
        let aged = store.aged(&[(Retained::UsageRecords, BEFORE)]).await.unwrap();
        assert_eq!((aged[0].rows, aged[0].partitions, aged[0].deleted), (0, 0, 2_100));
        assert_eq!(sums(store).await, before);
        // The months to come are still there, and a late record finds a place.
        assert_eq!(
            ingest(store, &[at(0, 9_000), at(65 * DAY, 9_001)], 2_102).await,
            2
        );
    })
    .await;
}
