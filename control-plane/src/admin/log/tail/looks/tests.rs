//! Followers of the log see each call once.

use std::sync::Arc;

use penstock_core::id::{KeyId, UserId};
use penstock_store::FailedCallRow;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::*;
use crate::tests::fake_store::FakeStore;

const BEGIN: i64 = 1_790_000_000_000;

fn row(random: &mut impl RngExt, started_at: i64, duration_ms: u32) -> FailedCallRow {
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

/// Calls of any length that end in this second.
fn ending(random: &mut impl RngExt, second: i64, how_many: usize) -> Vec<FailedCallRow> {
    let one = |_| {
        let end = BEGIN + second * 1_000 - random.random_range(0..1_000);
        // Most are short, some last many minutes.
        let lasted: u32 = match random.random_range(0..10) {
            0 => random.random_range(0..1_800_000),
            _ => random.random_range(0..3_000),
        };
        row(random, end - i64::from(lasted), lasted)
    };
    (0..how_many).map(one).collect()
}

fn at(second: i64) -> UnixMs {
    UnixMs(BEGIN + second * 1_000)
}

/// One follower, of a store to which records come.
struct Follower {
    store: Arc<FakeStore>,
    looks: Looks,
    came: Vec<RequestId>,
    told: Vec<RequestId>,
    incomplete: u32,
}

impl Follower {
    fn new() -> Self {
        Self {
            store: FakeStore::new(),
            looks: Looks::new(filter(), None, at(0)),
            came: Vec::new(),
            told: Vec::new(),
            incomplete: 0,
        }
    }

    async fn comes(&mut self, rows: Vec<FailedCallRow>) {
        self.came.extend(rows.iter().map(|row| row.id));
        self.store.ingest_failures(&rows).await.unwrap();
    }

    async fn look(&mut self, second: i64) {
        let found = self.looks.next(&*self.store, at(second)).await.unwrap();
        self.told.extend(found.calls.iter().map(|call| call.id));
        self.incomplete += u32::from(found.incomplete);
    }

    /// Each call that came was told once.
    fn has_all(mut self) {
        self.came.sort();
        self.told.sort();
        let told = self.told.len();
        self.told.dedup();
        let missing = self.came.iter().filter(|id| self.told.binary_search(id).is_err());
        assert_eq!(
            (missing.count(), told - self.told.len()),
            (0, 0),
            "missing, twice"
        );
        assert_eq!((told, self.incomplete), (self.came.len(), 0));
    }
}

#[tokio::test]
async fn g06_two_hundred_calls_a_second_of_any_length_are_all_told_once() {
    let mut random = StdRng::seed_from_u64(7);
    let mut follower = Follower::new();
    for second in 1..=40 {
        if second <= 25 {
            follower.comes(ending(&mut random, second, 200)).await;
        }
        follower.look(second).await;
    }
    follower.has_all();
}

#[tokio::test]
async fn g06_a_record_that_comes_late_is_told_within_ten_seconds() {
    let mut random = StdRng::seed_from_u64(8);
    let mut follower = Follower::new();
    for second in 1..=55 {
        if second == 45 {
            follower.comes(vec![row(&mut random, BEGIN + 1_000, 2_000)]).await;
        }
        follower.look(second).await;
    }
    follower.has_all();
}

#[tokio::test]
async fn g06_of_more_than_a_look_takes_the_next_ones_tell_the_rest() {
    let mut random = StdRng::seed_from_u64(9);
    let mut follower = Follower::new();
    follower.look(1).await;
    follower.comes(ending(&mut random, 2, 12_000)).await;
    for second in 2..=15 {
        follower.look(second).await;
    }
    follower.has_all();
}

#[tokio::test]
async fn g06_a_reader_that_is_slow_misses_nothing_for_minutes_and_is_told_after_that() {
    let mut random = StdRng::seed_from_u64(11);
    let mut follower = Follower::new();
    for second in 1..=300 {
        follower.comes(ending(&mut random, second, 3)).await;
        if second % 90 == 0 {
            follower.look(second).await;
        }
    }
    follower.look(301).await;
    follower.look(800).await;
    let late = follower.looks.next(&*follower.store, at(1_600)).await.unwrap();
    assert!(late.incomplete);
    follower.has_all();
}

/// As the client does it: from a minute before what was told last, without what it has.
#[tokio::test]
async fn g06_who_connects_again_misses_nothing_and_has_nothing_twice() {
    let mut random = StdRng::seed_from_u64(12);
    let mut follower = Follower::new();
    for second in 1..=60 {
        follower.comes(ending(&mut random, second, 200)).await;
        match second {
            45..50 => continue,
            50 => follower.looks = Looks::new(filter(), Some(UnixMs(at(44).0 - 60_000)), at(50)),
            _ => {}
        }
        follower.look(second).await;
    }
    for second in 61..=75 {
        follower.look(second).await;
    }
    let mut had = std::collections::HashSet::new();
    follower.told.retain(|id| had.insert(*id));
    follower.has_all();
}

#[tokio::test]
async fn g06_a_follower_may_begin_hours_back() {
    let mut random = StdRng::seed_from_u64(10);
    let store = FakeStore::new();
    let rows: Vec<_> = (0..30)
        .map(|hours| row(&mut random, BEGIN - hours * 3_600_000, 1_000))
        .collect();
    store.ingest_failures(&rows).await.unwrap();
    let now = at(60);
    let since = |hours: i64| Some(UnixMs(BEGIN - hours * 3_600_000));
    let mut looks = Looks::new(filter(), since(3), now);
    let found = looks.next(&*store, now).await.unwrap();
    let told: Vec<_> = found.calls.iter().map(|call| call.id).collect();
    assert_eq!(
        told,
        [rows[3].id, rows[2].id, rows[1].id, rows[0].id],
        "in the order of their ends"
    );
    let next = looks.next(&*store, now.plus_ms(1_000)).await.unwrap();
    assert_eq!(next.calls.len(), 0);
    let found = Looks::new(filter(), since(29), now)
        .next(&*store, now)
        .await
        .unwrap();
    assert_eq!(found.calls.len(), 24, "a day back at most");
    let ahead = Some(now.plus_ms(3_600_000));
    let mut looks = Looks::new(filter(), ahead, now);
    store
        .ingest_failures(&[row(&mut random, now.0, 500)])
        .await
        .unwrap();
    let found = looks.next(&*store, now.plus_ms(1_000)).await.unwrap();
    assert_eq!(found.calls.len(), 1, "a clock that is ahead hides nothing");
}
