//! The ledger: each record once, and sums that agree with the records.

use std::sync::Arc;

use penstock_core::failure::Class;
use penstock_core::id::RequestId;
use penstock_core::money::NanoUsd;
use penstock_core::route::Verdict;
use penstock_core::setting::UnpricedAction;
use penstock_core::time::UnixMs;
use penstock_core::usage::decision::{Affinity, Attempt, AttemptEnd, Candidate, Decision};
use penstock_core::usage::{Outcome, UsageRecord};
use penstock_store::{UsageFilter, UsageGrouping, UsageSubject, UsageTotals};
use tokio::task::JoinSet;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    e01_a_record_reads_back_as_it_was_sent,
    g06_a_call_is_read_by_its_id_with_its_decision,
    e05_a_batch_that_arrives_twice_counts_once,
    e05_batches_sent_at_the_same_time_by_two_replicas_count_once,
    e01_refused_calls_are_counted_apart,
    sums_are_grouped_and_filtered,
    spans_are_widened_to_whole_hours,
    records_come_newest_first_and_filtered,
    a_record_that_cannot_be_stored_does_not_block_the_others,
    a_nul_in_a_model_name_does_not_block_the_batch,
    records_outlive_their_users,
);

async fn e01_a_record_reads_back_as_it_was_sent(bench: Bench) {
    let mut bare = record(1);
    bare.provider_id = None;
    bare.admitted_at = Some(bare.started_at.plus_ms(5));
    bare.code = Some("KEY_DISABLED".to_owned());
    bare.outcome = Outcome::Rejected;
    bare.price = None;
    bare.first_byte_ms = None;
    bare.session = None;
    bare.upstream_request_id = None;
    bare.unpriced = Some(UnpricedAction::ChargeDefault);
    let sent = [record(0), bare];
    let ingested = bench.store.ingest_usage(&sent, delivered(1)).await.unwrap();
    assert_eq!((ingested.fresh, ingested.refused.len()), (2, 0));
    let [first, second] = sent;
    assert_eq!(records(&bench, &everything(), None).await, [second, first]);
    assert_eq!(
        bench.store.ingest_usage(&[], delivered(1)).await.unwrap().fresh,
        0
    );
}

async fn g06_a_call_is_read_by_its_id_with_its_decision(bench: Bench) {
    let attempt = Attempt {
        provider_id: provider_id(1),
        substitute: None,
        began_ms: 3,
        took_ms: 4,
        end: AttemptEnd::Answered(529),
        class: Some(Class::Overloaded),
        rule: Some("29".into()),
        // A text of a provider can hold anything.
        upstream_request_id: Some("req\u{0}".into()),
    };
    let decision = Decision {
        affinity: Some(Affinity::Moved),
        candidates: vec![Candidate {
            provider_id: provider_id(1),
            verdict: Verdict::CoolingDown(NOW),
            at_end: None,
        }],
        attempts: vec![attempt],
        ..Decision::default()
    };
    let told = UsageRecord {
        decision: Some(Box::new(decision)),
        ..record(0)
    };
    let silent = record(1);
    let sent = [told.clone(), silent.clone()];
    bench.store.ingest_usage(&sent, delivered(1)).await.unwrap();
    let read = async |id| bench.store.usage_record(id).await.unwrap();
    assert_eq!(read(told.id).await, Some(told.clone()));
    assert_eq!(read(silent.id).await, Some(silent.clone()));
    assert_eq!(read(record(2).id).await, None);
    let bare = UsageRecord {
        decision: None,
        ..told
    };
    assert_eq!(records(&bench, &everything(), None).await, [silent, bare]);
}

async fn e05_a_batch_that_arrives_twice_counts_once(bench: Bench) {
    let batch: Vec<UsageRecord> = (0..50).chain(40..60).map(record).collect();
    assert_eq!(
        bench
            .store
            .ingest_usage(&batch, delivered(1))
            .await
            .unwrap()
            .fresh,
        60
    );
    assert_eq!(
        bench
            .store
            .ingest_usage(&batch, delivered(1))
            .await
            .unwrap()
            .fresh,
        0
    );
    // Overlapping, with something new.
    let next: Vec<UsageRecord> = (30..70).map(record).collect();
    assert_eq!(
        bench.store.ingest_usage(&next, delivered(1)).await.unwrap().fresh,
        10
    );
    assert_eq!(
        totals(&bench, &everything()).await,
        sum(&(0..70).map(record).collect::<Vec<_>>())
    );
}

async fn e05_batches_sent_at_the_same_time_by_two_replicas_count_once(bench: Bench) {
    let replica = bench.another().await;
    let batch = |n: u64| -> Vec<UsageRecord> {
        // Neighbours overlap by half, users and hours are mixed, and the order differs.
        let mut batch: Vec<UsageRecord> = (n * 50..n * 50 + 100)
            .map(|i| UsageRecord {
                user_id: user_id(u8::try_from(i % 7).unwrap()),
                started_at: UnixMs(NOW.0 + i64::try_from(i % 3).unwrap() * 3_600_000),
                ..record(i)
            })
            .collect();
        if n.is_multiple_of(2) {
            batch.reverse();
        }
        batch
    };
    let mut running = JoinSet::new();
    for n in 0..8 {
        for store in [&bench.store, &replica] {
            let store = Arc::clone(store);
            let batch = batch(n);
            running.spawn(async move { store.ingest_usage(&batch, delivered(1)).await.unwrap().fresh });
        }
    }
    let fresh: u64 = running.join_all().await.into_iter().sum();
    assert_eq!(fresh, 450);
    let all = records(&bench, &everything(), None).await;
    assert_eq!(all.len(), 450);
    assert_eq!(totals(&bench, &everything()).await, sum(&all));
    replica.close().await;
}

async fn e01_refused_calls_are_counted_apart(bench: Bench) {
    let with = |n, outcome, unpriced| UsageRecord {
        outcome,
        unpriced,
        ..record(n)
    };
    let free = Some(UnpricedAction::Free);
    let batch = [
        with(1, Outcome::Succeeded, None),
        with(2, Outcome::ClientAbort, free),
        with(3, Outcome::Rejected, None),
        with(4, Outcome::Failed, None),
        with(5, Outcome::Rejected, Some(UnpricedAction::Reject)),
    ];
    bench.store.ingest_usage(&batch, delivered(1)).await.unwrap();
    let totals = totals(&bench, &everything()).await;
    assert_eq!(
        (totals.requests, totals.rejected, totals.unpriced_requests),
        (2, 3, 1)
    );
}

async fn sums_are_grouped_and_filtered(bench: Bench) {
    let mut batch: Vec<UsageRecord> = (0..6).map(record).collect();
    batch[0].user_id = user_id(2);
    batch[0].key_id = key_id(2);
    batch[1].model = "gpt-5.5".to_owned();
    batch[2].provider_id = None;
    batch[3].cost = NanoUsd(1_000_000);
    batch[3].key_id = key_id(3);
    bench.store.ingest_usage(&batch, delivered(1)).await.unwrap();
    let subjects = |grouping| {
        let store = bench.store.clone();
        async move {
            let summary = store
                .summarize_usage(&everything(), Some(grouping))
                .await
                .unwrap();
            assert!(!summary.truncated);
            let groups = summary.groups.into_iter();
            groups.map(|g| (g.subject, g.totals.requests)).collect::<Vec<_>>()
        }
    };
    use UsageSubject::{Hour, Key, Model, Provider, User};
    let users = [(User(user_id(1)), 5), (User(user_id(2)), 1)];
    assert_eq!(subjects(UsageGrouping::User).await, users);
    let keys = [(Key(key_id(3)), 1), (Key(key_id(1)), 4), (Key(key_id(2)), 1)];
    assert_eq!(subjects(UsageGrouping::Key).await, keys);
    let providers = [(Provider(Some(provider_id(1))), 5), (Provider(None), 1)];
    assert_eq!(subjects(UsageGrouping::Provider).await, providers);
    let models = [
        (Model("claude-opus-4-8".to_owned()), 5),
        (Model("gpt-5.5".to_owned()), 1),
    ];
    assert_eq!(subjects(UsageGrouping::Model).await, models);
    assert_eq!(subjects(UsageGrouping::Hour).await, [(Hour(NOW.hour()), 6)]);
    let gpt = UsageFilter {
        model: Some("gpt-5.5".to_owned()),
        user: Some(user_id(1)),
        key: Some(key_id(1)),
        provider: Some(provider_id(1)),
        ..everything()
    };
    assert_eq!(totals(&bench, &gpt).await, sum(&batch[1..2]));
}

async fn spans_are_widened_to_whole_hours(bench: Bench) {
    let hour = NOW.hour().0;
    let at = |n, ms| UsageRecord {
        started_at: UnixMs(ms),
        ..record(n)
    };
    let batch = [
        at(1, hour - 1),
        at(2, hour),
        at(3, hour + 3_599_999),
        at(4, hour + 3_600_000),
    ];
    bench.store.ingest_usage(&batch, delivered(1)).await.unwrap();
    let narrow = UsageFilter::span(UnixMs(hour + 10), UnixMs(hour + 20));
    let summary = bench.store.summarize_usage(&narrow, None).await.unwrap();
    assert_eq!(
        (summary.from, summary.to),
        (UnixMs(hour), UnixMs(hour + 3_600_000))
    );
    assert_eq!(summary.totals.requests, 2);
    let whole = UsageFilter::span(UnixMs(hour), UnixMs(hour + 3_600_000));
    let summary = bench.store.summarize_usage(&whole, None).await.unwrap();
    assert_eq!(summary.to, UnixMs(hour + 3_600_000));
}

async fn records_come_newest_first_and_filtered(bench: Bench) {
    let mut batch: Vec<UsageRecord> = (0..5).map(record).collect();
    batch[1].user_id = user_id(2);
    bench.store.ingest_usage(&batch, delivered(1)).await.unwrap();
    let newest = bench.store.usage_records(&everything(), 2, None).await.unwrap();
    assert_eq!(newest, [batch[4].clone(), batch[3].clone()]);
    let rest = records(&bench, &everything(), Some(newest[1].id)).await;
    assert_eq!(rest.len(), 3);
    let alice = UsageFilter {
        user: Some(user_id(1)),
        from: UnixMs(NOW.0 + 1),
        to: UnixMs(NOW.0 + 4),
        ..everything()
    };
    let ids: Vec<RequestId> = records(&bench, &alice, None).await.iter().map(|r| r.id).collect();
    assert_eq!(ids, [batch[3].id, batch[2].id]);
}

async fn a_record_that_cannot_be_stored_does_not_block_the_others(bench: Bench) {
    let mut absurd = record(1);
    absurd.tokens.input = u64::MAX;
    let batch = [record(0), absurd.clone(), record(2)];
    let ingested = bench.store.ingest_usage(&batch, delivered(1)).await.unwrap();
    assert_eq!(ingested.fresh, 2);
    assert_eq!(ingested.refused.len(), 1);
    assert_eq!(ingested.refused[0].0, absurd.id);
    assert!(
        ingested.refused[0].1.contains("input tokens"),
        "{:?}",
        ingested.refused
    );
}

async fn a_nul_in_a_model_name_does_not_block_the_batch(bench: Bench) {
    let mut odd = record(0);
    odd.model = "a\0b".to_owned();
    odd.tokens.factors = vec!["c\0".to_owned()];
    odd.upstream_request_id = Some("\0".to_owned());
    assert_eq!(
        bench
            .store
            .ingest_usage(&[odd], delivered(1))
            .await
            .unwrap()
            .fresh,
        1
    );
    assert_eq!(records(&bench, &everything(), None).await[0].model, "a\u{FFFD}b");
}

async fn records_outlive_their_users(bench: Bench) {
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    bench
        .store
        .ingest_usage(&[record(0)], delivered(1))
        .await
        .unwrap();
    bench
        .store
        .commit(commit().with(delete(user_ref(1))))
        .await
        .unwrap();
    bench
        .store
        .ingest_usage(&[record(1)], delivered(1))
        .await
        .unwrap();
    assert_eq!(records(&bench, &everything(), None).await.len(), 2);
}

fn everything() -> UsageFilter {
    let day = 86_400_000;
    UsageFilter::span(UnixMs(NOW.0 - day), UnixMs(NOW.0 + day))
}

async fn records(bench: &Bench, filter: &UsageFilter, before: Option<RequestId>) -> Vec<UsageRecord> {
    bench.store.usage_records(filter, 1000, before).await.unwrap()
}

async fn totals(bench: &Bench, filter: &UsageFilter) -> UsageTotals {
    bench.store.summarize_usage(filter, None).await.unwrap().totals
}

/// What the sums of answered, priced records must be.
fn sum(records: &[UsageRecord]) -> UsageTotals {
    records.iter().fold(UsageTotals::default(), |sum, r| UsageTotals {
        requests: sum.requests + 1,
        rejected: 0,
        unpriced_requests: 0,
        input_tokens: sum.input_tokens + r.tokens.input,
        output_tokens: sum.output_tokens + r.tokens.output,
        cache_read_tokens: sum.cache_read_tokens + r.tokens.cache_read,
        cache_write_tokens: sum.cache_write_tokens + r.tokens.cache_write,
        cache_write_1h_tokens: sum.cache_write_1h_tokens + r.tokens.cache_write_1h,
        cache_write_12h_tokens: sum.cache_write_12h_tokens + r.tokens.cache_write_12h,
        reasoning_tokens: sum.reasoning_tokens + r.tokens.reasoning,
        audio_input_tokens: sum.audio_input_tokens + r.tokens.audio_input,
        image_input_tokens: sum.image_input_tokens + r.tokens.image_input,
        audio_output_tokens: sum.audio_output_tokens + r.tokens.audio_output,
        image_output_tokens: sum.image_output_tokens + r.tokens.image_output,
        web_searches: sum.web_searches + u64::from(r.tokens.web_searches),
        cost: sum.cost + r.cost,
    })
}
