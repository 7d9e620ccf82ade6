//! Without Redis: what the operator chose holds (D5).

use penstock_core::guard::GuardRules;
use penstock_core::id::KeyId;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::setting::Degraded;
use penstock_fleet::{Denied, Enforcement, RedisState};

use crate::conformance::{strict, total};
use crate::plane::{Ledger, Plane, held, now};
use crate::server::free_port;

fn away(ledger: &std::sync::Arc<Ledger>) -> Plane {
    Plane::at(&format!("redis://127.0.0.1:{}", free_port().unwrap()), 1, ledger)
}

fn rpm(rpm: u64) -> Limits {
    Limits {
        rpm,
        ..Limits::default()
    }
}

#[tokio::test]
async fn d05_local_is_each_data_planes_share_of_counts() {
    let plane = away(&Ledger::failing());
    let three = held(rpm(10), Degraded::Local, 3);
    assert_eq!(plane.fleet.state(), RedisState::Disconnected);
    assert_eq!(
        plane.fleet.enforcement(three.policy),
        Enforcement::Degraded(Degraded::Local)
    );
    assert_eq!(plane.admitted(&three, 0, 10).await, 3);
    let Err(Denied::Exceeded(exceeded)) = plane.admit(&three, 0).await else {
        panic!("let in")
    };
    assert_eq!((exceeded.dimension, exceeded.used), (Dimension::Rpm, 3));

    let plane = away(&Ledger::failing());
    assert_eq!(
        plane.admitted(&held(rpm(2), Degraded::Local, 3), 0, 5).await,
        1,
        "at least one"
    );
    let plane = away(&Ledger::failing());
    let requests = Limits {
        concurrent_requests: 6,
        ..Limits::default()
    };
    let three = held(requests, Degraded::Local, 3);
    let first = plane.admit(&three, 0).await.unwrap();
    assert_eq!(plane.admitted(&three, 0, 5).await, 1);
    plane.settle(&three, &first, 0);
    assert_eq!(plane.admitted(&three, 0, 5).await, 1, "slots are given back here");
}

#[tokio::test]
async fn d05_local_is_each_data_planes_share_of_what_is_left_of_money() {
    let ledger = Ledger::new();
    ledger.spent(now().0, 30);
    // A third of the 60 that are left.
    let plane = away(&ledger);
    assert_eq!(
        plane.admitted(&held(strict(90), Degraded::Local, 3), 10, 5).await,
        2
    );
    let plane = away(&ledger);
    let daily = Limits {
        usd_5h: NanoUsd(90),
        usd_daily: NanoUsd(200),
        ..strict(200)
    };
    assert_eq!(plane.admitted(&held(daily, Degraded::Local, 3), 10, 5).await, 2);
    // Nobody says what is left: a third of the whole.
    let plane = away(&Ledger::failing());
    let soft = held(total(90), Degraded::Local, 3);
    for _ in 0..3 {
        let call = plane.admit(&soft, 10).await.unwrap();
        plane.settle(&soft, &call, 10);
    }
    assert!(matches!(plane.admit(&soft, 10).await, Err(Denied::Exceeded(_))));
}

#[tokio::test]
async fn d05_a_strict_budget_of_which_nobody_knows_what_is_left_is_refused_for_a_moment() {
    let plane = away(&Ledger::failing());
    let one = held(strict(90), Degraded::Local, 1);
    assert_eq!(plane.admit(&one, 10).await.unwrap_err(), Denied::Unknown);
    assert_eq!(plane.fleet.worst_case_overspend(), 0);
    plane
        .admit(&held(total(90), Degraded::Local, 1), 10)
        .await
        .unwrap();
}

#[tokio::test]
async fn d05_open_lets_everything_pass_and_says_what_that_may_cost() {
    let plane = away(&Ledger::failing());
    let open = held(Limits { rpm: 1, ..strict(10) }, Degraded::Open, 3);
    assert_eq!(plane.admitted(&open, 25, 20).await, 20);
    assert_eq!(plane.fleet.worst_case_overspend(), 500);
}

#[tokio::test]
async fn d05_closed_lets_nothing_pass_that_has_a_limit() {
    let plane = away(&Ledger::new());
    let mut closed = held(rpm(10), Degraded::Closed, 1);
    assert_eq!(plane.admit(&closed, 0).await.unwrap_err(), Denied::Unavailable);
    closed.policy.enforce = false;
    assert_eq!(
        plane.admitted(&closed, 0, 20).await,
        20,
        "limits are switched off (D8)"
    );
}

#[tokio::test]
async fn d05_free_calls_are_counted_by_each_data_plane() {
    let key = KeyId::from_parts(1, &[1; 10]);
    for plane in [away(&Ledger::new()), Plane::alone(&Ledger::new())] {
        for _ in 0..5 {
            assert_eq!(plane.fleet.count(key, 5).await, None);
        }
        let wait = plane.fleet.count(key, 5).await.unwrap();
        assert!((60..=61).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn a07_without_redis_the_fleet_knows_of_no_guesses() {
    for plane in [away(&Ledger::new()), Plane::alone(&Ledger::new())] {
        for _ in 0..50 {
            assert_eq!(
                plane.fleet.guessed("192.0.2.1", &GuardRules::default()).await,
                None
            );
        }
    }
}
