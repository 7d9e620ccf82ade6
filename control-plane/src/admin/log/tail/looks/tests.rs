//! Followers of the log see each call once.

use penstock_core::id::{KeyId, UserId};
use penstock_store::FailedCallRow;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use uuid::Uuid;

use super::*;
use crate::tests::fake_store::FakeStore;

const BEGIN: i64 = 1_790_000_000_000;

fn row(random: &mut impl Rng, started_at: i64, duration_ms: u32) -> FailedCallRow {
    FailedCallRow {
        id: RequestId::from_parts(started_at.unsigned_abs(), &random.random()),
        number: 0,
        is_final: true,
        started_at: UnixMs(started_at),
        user_id: UserId(Uuid::nil()),
        key_id: KeyId(Uuid::nil()),
        provider_id: None,
        model: "m".into(),
        session: None,
        status: 500,
        error_type: "timeout".into(),
        error_class: "PROVIDER_ERROR".into(),
        duration_ms,
        node_id: "node".into(),
        record: serde_json::json!({}),
    }
}

fn filter() -> LogFilter {
    LogFilter::span(UnixMs(0), UnixMs(0))
}

/// Each second the calls that ended in it come to the store; the ids that the follower is told, in order.
async fn follow(seconds: i64, mut ends: impl FnMut(i64) -> Vec<FailedCallRow>) -> (Vec<RequestId>, u32) {
    let store = FakeStore::new();
    let mut looks = Looks::new(filter(), None, UnixMs(BEGIN));
    let (mut told, mut incomplete) = (Vec::new(), 0);
    for second in 1..=seconds {
        store.ingest_failures(&ends(second)).await.unwrap();
        let found = looks.next(&*store, UnixMs(BEGIN + second * 1_000)).await.unwrap();
        told.extend(found.calls.iter().map(|call| call.id));
        incomplete += u32::from(found.incomplete);
    }
    (told, incomplete)
}

#[tokio::test]
async fn g06_two_hundred_calls_a_second_of_any_length_are_all_told_once() {
    let mut random = StdRng::seed_from_u64(7);
    let mut expected = Vec::new();
    let (told, incomplete) = follow(40, |second| {
        let rows: Vec<_> = (0..if second > 25 { 0 } else { 200 })
            .map(|_| {
                let end = BEGIN + second * 1_000 - random.random_range(0..1_000);
                // Most are short, some last many minutes.
                let lasted: u32 = match random.random_range(0..10) {
                    0 => random.random_range(0..1_800_000),
                    _ => random.random_range(0..3_000),
                };
                row(&mut random, end - i64::from(lasted), lasted)
            })
            .collect();
        expected.extend(rows.iter().map(|row| row.id));
        rows
    })
    .await;
    let (mut seen, mut all) = (told.clone(), expected);
    seen.sort();
    all.sort();
    assert_eq!(seen, all);
    assert_eq!(incomplete, 0);
}

#[tokio::test]
async fn g06_a_record_that_comes_late_is_told_within_ten_seconds() {
    let mut random = StdRng::seed_from_u64(8);
    let late = row(&mut random, BEGIN + 1_000, 2_000);
    let id = late.id;
    let (told, _) = follow(60, |second| match second {
        45 => vec![late.clone()],
        _ => Vec::new(),
    })
    .await;
    assert_eq!(told, [id]);
}

#[tokio::test]
async fn g06_of_more_than_a_look_takes_the_rest_comes_with_the_next_and_the_reader_is_told() {
    let mut random = StdRng::seed_from_u64(9);
    let (told, incomplete) = follow(3, |second| match second {
        2 => (0..6_000).map(|_| row(&mut random, BEGIN + 1_000, 500)).collect(),
        _ => Vec::new(),
    })
    .await;
    assert_eq!((told.len(), incomplete), (6_000, 1));
}

#[tokio::test]
async fn g06_a_follower_may_begin_hours_back() {
    let mut random = StdRng::seed_from_u64(10);
    let store = FakeStore::new();
    let rows: Vec<_> = (0..30)
        .map(|hours| row(&mut random, BEGIN - hours * 3_600_000, 1_000))
        .collect();
    store.ingest_failures(&rows).await.unwrap();
    let now = UnixMs(BEGIN + 60_000);
    let since = |hours: i64| Some(UnixMs(BEGIN - hours * 3_600_000));
    let mut looks = Looks::new(filter(), since(3), now);
    let found = looks.next(&*store, now).await.unwrap();
    let told: Vec<_> = found.calls.iter().map(|call| call.id).collect();
    assert_eq!(
        told,
        [rows[3].id, rows[2].id, rows[1].id, rows[0].id],
        "in the order of their ends"
    );
    assert!(
        looks
            .next(&*store, now.plus_ms(1_000))
            .await
            .unwrap()
            .calls
            .is_empty()
    );
    let found = Looks::new(filter(), since(29), now)
        .next(&*store, now)
        .await
        .unwrap();
    assert_eq!(found.calls.len(), 24, "a day back at most");
}
