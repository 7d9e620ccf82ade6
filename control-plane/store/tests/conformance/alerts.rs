//! Telling operators: a look is written whole or not at all, and each webhook gets what it wants once.

use penstock_core::alert::{Event, Preset, Rule, Watch};
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_store::{
    AlertRow, Attempted, DeliveryFilter, DeliveryState, Looked, Notification, ProviderCalls, Sealed, Webhook,
    WebhookWritten,
};
use uuid::Uuid;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    g11_a_lease_is_one_owners_until_it_ends_or_is_given_back,
    g11_a_webhook_reads_back_and_only_the_version_that_was_read_is_replaced,
    g11_a_look_is_written_whole_with_a_delivery_to_each_who_wants_it,
    g11_a_look_under_a_lost_lease_writes_nothing,
    g11_a_delivery_waits_until_it_is_due_and_ends_once,
    g11_what_failed_lately_is_counted_by_provider,
    g11_a_call_counts_when_it_ends,
);

const LATER: UnixMs = UnixMs(NOW.0 + 10_000);

pub(crate) fn webhook(n: u128, rules: &[Rule]) -> Webhook {
    Webhook {
        id: Uuid::from_u128(n),
        name: format!("hook-{n}"),
        enabled: true,
        preset: Preset::Slack,
        rules: rules.to_vec(),
        host: "https://hooks.example".to_owned(),
        sealed: Sealed {
            key_id: "k".to_owned(),
            ciphertext: vec![1, 2],
            hint: String::new(),
        },
        signed: true,
        version: 0,
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(crate) fn told(n: u128, rule: Rule) -> Notification {
    Notification {
        id: Uuid::from_u128(n),
        rule,
        subject: "provider:x".to_owned(),
        event: Event::Fired,
        title: "x is down".to_owned(),
        detail: "look at it".to_owned(),
        at: NOW,
    }
}

fn watch(rule: Rule) -> AlertRow {
    AlertRow {
        rule,
        subject: "provider:x".to_owned(),
        watch: Watch::default().look(true, NOW).0,
        title: "x is down".to_owned(),
    }
}

async fn fence(bench: &Bench) -> u64 {
    let taken = bench.store.take_lease("alerts", "me", NOW, LATER).await.unwrap();
    taken.unwrap()
}

async fn g11_a_lease_is_one_owners_until_it_ends_or_is_given_back(bench: Bench) {
    let take = |owner: &'static str, now: UnixMs, until: UnixMs| {
        let store = bench.store.clone();
        async move { store.take_lease("alerts", owner, now, until).await.unwrap() }
    };
    assert_eq!(take("one", NOW, LATER).await, Some(1));
    assert_eq!(take("one", NOW, LATER).await, Some(1), "renewed");
    assert_eq!(take("two", NOW, LATER).await, None);
    assert_eq!(take("two", LATER, LATER.plus_ms(10)).await, Some(2), "it ended");
    bench.store.release_lease("alerts", "one").await.unwrap();
    assert_eq!(take("one", LATER, LATER).await, None, "it was another's");
    bench.store.release_lease("alerts", "two").await.unwrap();
    assert_eq!(take("one", LATER, LATER.plus_ms(10)).await, Some(3));
}

async fn g11_a_webhook_reads_back_and_only_the_version_that_was_read_is_replaced(bench: Bench) {
    let put = |webhook: Webhook| {
        let store = bench.store.clone();
        async move { store.put_webhook(&webhook).await.unwrap() }
    };
    let first = webhook(1, &[Rule::BreakerOpen, Rule::Budget]);
    assert_eq!(put(first.clone()).await, WebhookWritten::Written);
    let stored = Webhook {
        version: 1,
        ..first.clone()
    };
    assert_eq!(
        bench.store.webhooks().await.unwrap(),
        std::slice::from_ref(&stored)
    );
    let same_name = Webhook {
        name: "hook-1".to_owned(),
        ..webhook(2, &[])
    };
    assert_eq!(put(same_name).await, WebhookWritten::NameTaken);
    let changed = Webhook {
        enabled: false,
        ..stored.clone()
    };
    assert_eq!(put(changed.clone()).await, WebhookWritten::Written);
    assert_eq!(put(changed).await, WebhookWritten::Conflict);
    assert_eq!(put(first).await, WebhookWritten::Conflict, "it is there already");
    assert!(bench.store.delete_webhook(Uuid::from_u128(1)).await.unwrap());
    assert!(!bench.store.delete_webhook(Uuid::from_u128(1)).await.unwrap());
}

async fn g11_a_look_is_written_whole_with_a_delivery_to_each_who_wants_it(bench: Bench) {
    let off = Webhook {
        enabled: false,
        ..webhook(3, &[])
    };
    for webhook in [webhook(1, &[]), webhook(2, &[Rule::Budget]), off] {
        bench.store.put_webhook(&webhook).await.unwrap();
    }
    let looked = Looked {
        watches: vec![watch(Rule::BreakerOpen)],
        over: Vec::new(),
        told: vec![told(7, Rule::BreakerOpen)],
    };
    let fence = fence(&bench).await;
    for _again in 0..2 {
        assert!(bench.store.write_look(("alerts", fence), &looked).await.unwrap());
        assert_eq!(bench.store.alerts().await.unwrap(), looked.watches);
        assert_eq!(
            bench.store.notifications_told(10, None).await.unwrap(),
            looked.told
        );
        let due = bench.store.due_deliveries(NOW, 10).await.unwrap();
        let to: Vec<_> = due.iter().map(|delivery| delivery.webhook).collect();
        assert_eq!(to, [Uuid::from_u128(1)]);
        assert_eq!(due[0].notification, looked.told[0]);
    }
    let over = Looked {
        over: vec![(Rule::BreakerOpen, "provider:x".to_owned())],
        ..Looked::default()
    };
    assert!(bench.store.write_look(("alerts", fence), &over).await.unwrap());
    assert_eq!(bench.store.alerts().await.unwrap(), []);
}

async fn g11_a_look_under_a_lost_lease_writes_nothing(bench: Bench) {
    let old = fence(&bench).await;
    let taken = bench
        .store
        .take_lease("alerts", "other", LATER, LATER.plus_ms(10))
        .await;
    assert_eq!(taken.unwrap(), Some(old + 1));
    let looked = Looked {
        watches: vec![watch(Rule::Budget)],
        told: vec![told(1, Rule::Budget)],
        ..Looked::default()
    };
    assert!(!bench.store.write_look(("alerts", old), &looked).await.unwrap());
    assert_eq!(bench.store.alerts().await.unwrap(), []);
    assert_eq!(bench.store.notifications_told(10, None).await.unwrap(), []);
}

async fn g11_a_delivery_waits_until_it_is_due_and_ends_once(bench: Bench) {
    bench.store.put_webhook(&webhook(1, &[])).await.unwrap();
    let looked = Looked {
        told: vec![told(7, Rule::BreakerOpen)],
        ..Looked::default()
    };
    let fence = fence(&bench).await;
    bench.store.write_look(("alerts", fence), &looked).await.unwrap();
    let mut attempted = Attempted {
        notification: Uuid::from_u128(7),
        webhook: Uuid::from_u128(1),
        state: DeliveryState::Waiting,
        next_at: LATER,
        status: Some(500),
        error: "the receiver answered 500".to_owned(),
    };
    bench.store.delivery_attempted(&attempted, NOW).await.unwrap();
    assert_eq!(bench.store.due_deliveries(NOW, 10).await.unwrap(), []);
    let due = bench.store.due_deliveries(LATER, 10).await.unwrap();
    assert_eq!((due[0].attempts, due[0].status), (1, Some(500)));
    attempted.state = DeliveryState::Delivered;
    bench.store.delivery_attempted(&attempted, LATER).await.unwrap();
    assert_eq!(bench.store.due_deliveries(LATER, 10).await.unwrap(), []);
    let filter = DeliveryFilter {
        webhook: Some(Uuid::from_u128(1)),
        state: Some(DeliveryState::Delivered),
        before: None,
    };
    let listed = bench.store.deliveries(&filter, 10).await.unwrap();
    assert_eq!((listed.len(), listed[0].attempts), (1, 2));
    assert_eq!(bench.store.forget_notifications(LATER).await.unwrap(), 1);
    assert_eq!(
        bench
            .store
            .deliveries(&DeliveryFilter::default(), 10)
            .await
            .unwrap(),
        []
    );
}

async fn g11_what_failed_lately_is_counted_by_provider(bench: Bench) {
    let record = |n: u64, provider: u8, status: u16| {
        let mut record: UsageRecord = record(n);
        let at = NOW.plus_ms(n);
        record.started_at = at;
        record.id = penstock_core::id::RequestId::from_parts(
            u64::try_from(at.0).unwrap(),
            &[u8::try_from(n).unwrap(); 10],
        );
        record.provider_id = Some(provider_id(provider));
        record.status = status;
        record
    };
    let mut records: Vec<_> = (0..3).map(|n| record(n, 1, 200)).collect();
    records.extend((3..6).map(|n| record(n, 2, 502)));
    records.extend((6..8).map(|n| record(n, 1, 429)));
    records.push(record(8, 3, 200));
    bench.store.ingest_usage(&records, delivered(1)).await.unwrap();
    let facts = bench.store.call_facts(NOW.plus_ms(1_000), 3, &[]).await.unwrap();
    let mut calls = facts.last_5_min;
    calls.sort_by_key(|calls| calls.provider);
    let of = |provider, calls, failed| ProviderCalls {
        provider: provider_id(provider),
        calls,
        failed,
    };
    assert_eq!(calls, [of(1, 5, 2), of(2, 3, 3)]);
    assert_eq!(facts.rate_limited_in_1_min, 2);
    assert_eq!(facts.failing, [provider_id(2)]);
    assert_eq!(facts.active.len(), 3);
    let mut statuses = facts.statuses_in_1_h;
    statuses.sort();
    assert_eq!(statuses, [(provider_id(1), 429, 2), (provider_id(2), 502, 3)]);
    let later = NOW.plus_ms(7_300_000);
    let quiet = bench.store.call_facts(later, 3, &[]).await.unwrap();
    assert_eq!(quiet, penstock_store::CallFacts::default());
    let suspected = [provider_id(1), provider_id(2)];
    let watched = bench.store.call_facts(later, 3, &suspected).await.unwrap();
    assert_eq!(
        watched.failing,
        [provider_id(2)],
        "without a call since nothing is well again"
    );
}

async fn g11_a_call_counts_when_it_ends(bench: Bench) {
    let mut hung = record(1);
    hung.provider_id = Some(provider_id(1));
    (hung.status, hung.duration_ms) = (504, 600_000);
    let arrived = hung.started_at;
    bench.store.ingest_usage(&[hung], delivered(1)).await.unwrap();
    let mut short = record(2);
    short.provider_id = Some(provider_id(1));
    short.started_at = arrived.plus_ms(590_000);
    short.id = penstock_core::id::RequestId::from_parts(u64::try_from(short.started_at.0).unwrap(), &[9; 10]);
    bench.store.ingest_usage(&[short], delivered(2)).await.unwrap();
    let facts = bench
        .store
        .call_facts(arrived.plus_ms(601_000), 1, &[])
        .await
        .unwrap();
    assert_eq!((facts.last_5_min[0].calls, facts.last_5_min[0].failed), (2, 1));
    assert_eq!(facts.failing, [], "another one came after it and went well");
}
