//! The half-open trial, in the process and in Redis: one suite; then through the fleet. Behaviour B7.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use penstock_fleet::local::LocalTrials;
use penstock_fleet::redis::RedisCounters;
use penstock_fleet::trial::{TrialName, Trials};
use penstock_fleet::{Fleet, Trial};

use crate::bench::NOON;
use crate::bindings::provider;
use crate::plane::{Ledger, Plane, until};
use crate::server::{Linked, Redis, free_port};
use crate::world::Clock;

const LEASE: Duration = Duration::from_secs(30);

enum Kept {
    Local(LocalTrials, Clock),
    Redis(RedisCounters, Clock),
}

impl Kept {
    fn step(&self, ms: i64) {
        let (Self::Local(_, clock) | Self::Redis(_, clock)) = self;
        clock.step(ms);
        if let Self::Redis(counters, clock) = self {
            counters.set_clock(clock.now());
        }
    }

    async fn take(&self, name: &TrialName, number: u64) -> i64 {
        match self {
            Self::Local(local, _) => local.take(name, number, LEASE).await.unwrap(),
            Self::Redis(redis, _) => redis.take(name, number, LEASE).await.unwrap(),
        }
    }

    async fn left(&self, name: &TrialName) -> i64 {
        match self {
            Self::Local(local, _) => local.left(name).await.unwrap(),
            Self::Redis(redis, _) => redis.left(name).await.unwrap(),
        }
    }

    async fn end(&self, name: &TrialName, number: u64) -> bool {
        match self {
            Self::Local(local, _) => local.end(name, number).await.unwrap(),
            Self::Redis(redis, _) => redis.end(name, number).await.unwrap(),
        }
    }
}

async fn on_both(story: impl AsyncFn(Kept)) {
    let clock = Clock::at(NOON);
    let theirs = clock.clone();
    story(Kept::Local(LocalTrials::new(move || theirs.now()), clock)).await;
    let server = Redis::start().unwrap();
    let linked = Linked::to(&server).await.unwrap();
    let kept = Kept::Redis(linked.counters("one"), Clock::at(NOON));
    kept.step(0);
    story(kept).await;
}

fn name(n: u8, model: Option<&str>) -> TrialName {
    TrialName {
        provider: provider(n),
        model: model.map(Box::from),
    }
}

#[tokio::test]
async fn b07_a_trial_is_taken_once_and_ended_by_its_holder_only() {
    on_both(async |kept| {
        let one = name(1, None);
        let answers = join_all((1..=20).map(|number| kept.take(&one, number))).await;
        let taken: Vec<_> = (1..).zip(&answers).filter(|(_, left)| **left == 0).collect();
        let [(holder, _)] = taken[..] else {
            panic!("{answers:?}")
        };
        assert_eq!(answers.iter().filter(|left| **left == 30_000).count(), 19);
        for other in (1..=20).filter(|number| *number != holder) {
            assert!(!kept.end(&one, other).await);
        }
        assert_eq!(kept.take(&one, 21).await, 30_000);
        assert!(kept.end(&one, holder).await);
        assert!(!kept.end(&one, holder).await, "once");
        assert_eq!(kept.take(&one, 22).await, 0);
    })
    .await;
}

#[tokio::test]
async fn b07_a_trial_that_nobody_ends_ends_by_itself_and_is_then_anothers() {
    on_both(async |kept| {
        let one = name(1, Some("a {model}: with/everything"));
        assert_eq!(kept.take(&one, 1).await, 0);
        kept.step(29_999);
        assert_eq!(kept.take(&one, 2).await, 1);
        kept.step(1);
        assert_eq!(kept.take(&one, 2).await, 0);
        assert!(!kept.end(&one, 1).await, "late");
        assert_eq!(kept.take(&one, 3).await, 30_000);
    })
    .await;
}

#[tokio::test]
async fn b07_a_trial_is_renewed_by_its_holder_only_and_asking_takes_none() {
    on_both(async |kept| {
        let one = name(1, None);
        assert_eq!(kept.left(&one).await, 0);
        assert_eq!(kept.take(&one, 1).await, 0, "asking took none");
        for _ in 0..3 {
            kept.step(20_000);
            assert_eq!(kept.left(&one).await, 10_000);
            assert_eq!(kept.take(&one, 2).await, 10_000);
            assert_eq!(kept.take(&one, 1).await, 0);
        }
        kept.step(30_000);
        assert_eq!(kept.take(&one, 2).await, 0);
        assert_eq!(kept.take(&one, 1).await, 30_000, "it is another's now");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn b07_a_kept_trial_outlives_its_lease_and_no_longer_than_its_keeper() {
    let clock = Clock::at(NOON);
    let theirs = clock.clone();
    let fleet = Arc::new(Fleet::alone(move || theirs.now()));
    let (short, told) = (Duration::from_secs(10), Some("m"));
    let Trial::Ours(lease) = fleet.trial(provider(1), told, short).await else {
        panic!("not let through")
    };
    let keeping = tokio::time::timeout(Duration::from_secs(60), lease.keeper().keep(short));
    let stepping = async {
        for _ in 0..59 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            clock.step(1_000);
            assert!(fleet.trial_is_out(provider(1), told).await);
        }
    };
    drop(tokio::join!(keeping, stepping));
    clock.step(10_000);
    assert!(!fleet.trial_is_out(provider(1), told).await);
    drop(lease);
}

#[tokio::test]
async fn b07_a_provider_and_each_of_its_models_are_tried_apart() {
    on_both(async |kept| {
        let names = [
            name(1, None),
            name(1, Some("a")),
            name(1, Some("b")),
            name(2, Some("a")),
        ];
        for one in &names {
            assert_eq!(kept.take(one, 1).await, 0, "{one:?}");
        }
    })
    .await;
}

async fn ask(plane: &Plane) -> Trial {
    plane.fleet.trial(provider(1), Some("m"), LEASE).await
}

#[tokio::test]
async fn b07_of_calls_at_once_through_three_data_planes_one_is_the_trial() {
    let server = Redis::start().unwrap();
    let ledger = Ledger::new();
    let planes = [1, 2, 3].map(|n| Plane::at(&server.url, n, &ledger));
    for plane in &planes {
        plane.joined().await;
    }
    for _ in 0..3 {
        // The round before may not be told everywhere yet.
        let held = loop {
            let mut trials = join_all((0..30).map(|n| ask(&planes[n % 3]))).await;
            trials.retain(|trial| !matches!(trial, Trial::NotOurs));
            assert!(trials.len() <= 1, "{trials:?}");
            if let Some(held) = trials.pop() {
                break held;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(matches!(held, Trial::Ours(_)), "{held:?}");
        for plane in &planes {
            assert!(matches!(ask(plane).await, Trial::NotOurs));
        }
    }
}

#[tokio::test]
async fn b07_while_redis_is_away_each_data_plane_lets_one_through_and_says_so() {
    let url = format!("redis://127.0.0.1:{}", free_port().unwrap());
    let ledger = Ledger::new();
    for plane in [1, 2].map(|n| Plane::at(&url, n, &ledger)) {
        let Trial::OursAlone(lease) = ask(&plane).await else {
            panic!("not let through")
        };
        assert!(matches!(ask(&plane).await, Trial::NotOurs));
        lease.end();
        assert!(matches!(ask(&plane).await, Trial::OursAlone(_)));
    }
    let alone = Plane::alone(&ledger);
    let held = ask(&alone).await;
    assert!(matches!(held, Trial::Ours(_)), "it is the fleet: {held:?}");
    assert!(matches!(ask(&alone).await, Trial::NotOurs));
}

#[tokio::test]
async fn b07_a_trial_ends_with_the_call_that_was_aborted_while_it_asked() {
    let server = Redis::start().unwrap();
    let plane = Plane::at(&server.url, 1, &Ledger::new());
    plane.joined().await;
    server.signal("STOP").unwrap();
    let asking = ask(&plane);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), asking)
            .await
            .is_err()
    );
    server.signal("CONT").unwrap();
    until(async || matches!(ask(&plane).await, Trial::Ours(_))).await;
}
