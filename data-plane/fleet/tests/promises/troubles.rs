//! Redis forgets its scripts, takes no writes, starts anew; a clock is off; streams outlive an outage. Behaviours D4,
//! D5, D6.

use std::sync::atomic::Ordering;
use std::time::Duration;

use penstock_core::limits::{DailyReset, Dimension, Limits};
use penstock_core::setting::Degraded;
use penstock_core::time::UnixMs;
use penstock_fleet::{Denied, Enforcement, RedisState};

use crate::conformance::strict;
use crate::plane::{Ledger, Plane, held, now, until};
use crate::server::{Redis, free_port};

const TOTAL: Dimension = Dimension::UsdTotal;

#[tokio::test]
async fn d03_scripts_that_redis_forgot_are_given_to_it_again() {
    let server = Redis::start().unwrap();
    let plane = Plane::at(&server.url, 1, &Ledger::new());
    plane.joined().await;
    let limited = held(strict(1000), Degraded::Closed, 1);
    let call = plane.admit(&limited, 10).await.unwrap();
    server.run(&["SCRIPT", "FLUSH"]).await.unwrap();
    plane.admit(&limited, 20).await.unwrap();
    plane.settle(&limited, &call, 5);
    plane.comes_to(&limited, TOTAL, (5, 20)).await;
    assert_eq!(plane.fleet.state(), RedisState::Connected);
}

#[tokio::test]
async fn d05_an_operator_who_is_patient_with_redis_is_obeyed() {
    let server = Redis::start().unwrap();
    let plane = Plane::patient(&server.url, 1, &Ledger::new(), Duration::from_secs(30));
    plane.joined().await;
    let limited = held(strict(1000), Degraded::Closed, 1);
    plane.admit(&limited, 10).await.unwrap();
    server.signal("STOP").unwrap();
    let (call, ()) = tokio::join!(plane.admit(&limited, 10), async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.signal("CONT").unwrap();
    });
    call.unwrap();
    plane.comes_to(&limited, TOTAL, (0, 20)).await;
}

#[tokio::test]
async fn d05_a_redis_that_takes_no_writes_is_set_aside() {
    let server = Redis::start().unwrap();
    let plane = Plane::at(&server.url, 1, &Ledger::new());
    plane.joined().await;
    let limited = held(strict(1000), Degraded::Local, 1);
    let _open = plane.admit(&limited, 10).await.unwrap();
    for (setting, refuses, takes) in [("maxmemory", "1", "0"), ("min-replicas-to-write", "1", "0")] {
        server.run(&["CONFIG", "SET", setting, refuses]).await.unwrap();
        until(async || {
            let call = plane.admit(&limited, 10).await.unwrap();
            plane.settle(&limited, &call, 1);
            plane.fleet.enforcement(limited.policy) == Enforcement::Degraded(Degraded::Local)
        })
        .await;
        server.run(&["CONFIG", "SET", setting, takes]).await.unwrap();
        plane.joined().await;
    }
    until(async || matches!(plane.used(&limited, TOTAL).await, Some((used, 10)) if used >= 2)).await;
}

#[tokio::test]
async fn d06_a_redis_that_starts_anew_and_empty_forgets_nothing_that_was_spent() {
    let port = free_port().unwrap();
    let server = Redis::start_at(port, &[]).unwrap();
    let ledger = Ledger::new();
    let plane = Plane::at(&server.url, 1, &ledger);
    plane.joined().await;
    let limited = held(strict(100), Degraded::Local, 1);
    let calls = [
        plane.admit(&limited, 30).await.unwrap(),
        plane.admit(&limited, 20).await.unwrap(),
        plane.admit(&limited, 40).await.unwrap(),
    ];
    let record = plane.settle(&limited, &calls[0], 30);
    ledger.spent(calls[0].1.admitted_at().0, 30);
    ledger.has(record);
    plane.settle(&limited, &calls[1], 20);
    plane.comes_to(&limited, TOTAL, (50, 40)).await;
    drop(server);
    until(async || plane.fleet.state() == RedisState::Disconnected).await;
    // What was left when it was last seen is little or nothing.
    assert!(matches!(
        plane.admit(&limited, 60).await,
        Err(Denied::Exceeded(_))
    ));
    let _server = Redis::start_at(port, &[]).unwrap();
    plane.joined().await;
    assert!(matches!(
        plane.admit(&limited, 11).await,
        Err(Denied::Exceeded(_))
    ));
    plane.comes_to(&limited, TOTAL, (50, 40)).await;
}

#[tokio::test]
async fn property_8_a_data_plane_whose_clock_is_off_counts_by_that_of_redis() {
    const DAY: i64 = 86_400_000;
    let server = Redis::start().unwrap();
    let ledger = Ledger::new();
    let right = Plane::at(&server.url, 1, &ledger);
    right.joined().await;
    let limited = held(
        Limits {
            usd_daily: penstock_core::money::NanoUsd(100),
            usd_monthly: penstock_core::money::NanoUsd(1000),
            ..Limits::default()
        },
        Degraded::Closed,
        1,
    );
    let call = right.admit(&limited, 60).await.unwrap();
    right.settle(&limited, &call, 60);
    right.comes_to(&limited, Dimension::UsdDaily, (60, 0)).await;
    for (name, days) in [(2, 3), (3, -40), (4, 400)] {
        let wrong = Plane::with_clock(&server.url, name, &ledger, move || UnixMs(now().0 + days * DAY));
        wrong.joined().await;
        let call = wrong.admit(&limited, 1).await.unwrap();
        assert!((call.1.admitted_at().0 - now().0).abs() < DAY / 24);
        wrong.settle(&limited, &call, 1);
        wrong.end().await;
    }
    right.comes_to(&limited, Dimension::UsdDaily, (63, 0)).await;
    right.comes_to(&limited, Dimension::UsdMonthly, (63, 0)).await;
}

#[tokio::test]
async fn d06_a_data_plane_that_is_slow_at_midnight_asks_the_ledger_again_for_the_new_day() {
    const MINUTE: i64 = 60_000;
    let midnight = now().0 / MINUTE * MINUTE;
    let ledger = Ledger::new();
    ledger.spent(midnight - 2 * MINUTE, 50);
    ledger.spent(midnight, 40);
    let server = Redis::start().unwrap();
    let slow = Plane::with_clock(&server.url, 1, &ledger, || UnixMs(now().0 - MINUTE * 3 / 2));
    slow.joined().await;
    let minute_of_day = u16::try_from(midnight / MINUTE % 1440).unwrap();
    let limited = held(
        Limits {
            usd_daily: penstock_core::money::NanoUsd(100),
            daily_reset: DailyReset::At(minute_of_day),
            ..strict(1000)
        },
        Degraded::Closed,
        1,
    );
    let refused = slow.admit(&limited, 61).await;
    assert!(matches!(refused, Err(Denied::Exceeded(_))), "{refused:?}");
    slow.admit(&limited, 60).await.unwrap();
    slow.comes_to(&limited, Dimension::UsdDaily, (40, 60)).await;
    assert_eq!(ledger.questions.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn d04_a_stream_that_began_without_redis_is_held_to_the_budget_when_it_is_back() {
    let port = free_port().unwrap();
    let plane = Plane::at(&format!("redis://127.0.0.1:{port}"), 1, &Ledger::new());
    let limited = held(strict(1000), Degraded::Local, 1);
    let call = plane.admit(&limited, 50).await.unwrap();
    assert!(plane.fleet.top_up(&call.1, 50).await);
    assert!(!plane.fleet.top_up(&call.1, 901).await);
    let _server = Redis::start_at(port, &[]).unwrap();
    plane.joined().await;
    plane.comes_to(&limited, TOTAL, (0, 100)).await;
    assert!(plane.fleet.top_up(&call.1, 50).await);
    plane.comes_to(&limited, TOTAL, (0, 150)).await;
    assert!(!plane.fleet.top_up(&call.1, 851).await);
    plane.settle(&limited, &call, 120);
    plane.comes_to(&limited, TOTAL, (120, 0)).await;
}

#[tokio::test]
async fn d04_what_a_stream_gets_while_redis_is_away_is_a_risk_that_is_told() {
    let server = Redis::start().unwrap();
    let plane = Plane::patient(&server.url, 1, &Ledger::new(), Duration::from_millis(200));
    plane.joined().await;
    let limited = held(strict(1000), Degraded::Local, 1);
    let call = plane.admit(&limited, 50).await.unwrap();
    assert_eq!(plane.fleet.worst_case_overspend(), 0);
    server.signal("STOP").unwrap();
    assert!(plane.fleet.top_up(&call.1, 100).await);
    assert_eq!(plane.fleet.worst_case_overspend(), 150);
    server.signal("CONT").unwrap();
    plane.joined().await;
    until(async || plane.fleet.worst_case_overspend() == 0).await;
    plane.settle(&limited, &call, 140);
    plane.comes_to(&limited, TOTAL, (140, 0)).await;
}

#[tokio::test]
async fn d07_a_data_plane_that_is_shut_down_says_first_what_it_settled() {
    let server = Redis::start().unwrap();
    let ledger = Ledger::new();
    let [one, two] = [1, 2].map(|name| Plane::at(&server.url, name, &ledger));
    one.joined().await;
    two.joined().await;
    let limited = held(
        Limits {
            concurrent_requests: 200,
            ..strict(1_000_000)
        },
        Degraded::Closed,
        2,
    );
    for _ in 0..100 {
        let call = one.admit(&limited, 50).await.unwrap();
        one.settle(&limited, &call, 3);
    }
    one.end().await;
    assert_eq!(two.used(&limited, TOTAL).await, Some((300, 0)));
    assert_eq!(
        two.used(&limited, Dimension::ConcurrentRequests).await,
        Some((0, 0))
    );
}
