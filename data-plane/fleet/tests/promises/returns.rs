//! Redis goes and comes back; callers go away; the ledger is slow. Behaviours D5, D6, D7.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::setting::Degraded;
use penstock_fleet::{Denied, Enforcement, RedisState};
use tokio::time::Instant;

use crate::conformance::{strict, total};
use crate::plane::{Ledger, Plane, held, until};
use crate::server::{Redis, free_port};

const TOTAL: Dimension = Dimension::UsdTotal;
const REQUESTS: Dimension = Dimension::ConcurrentRequests;

#[tokio::test]
async fn d05_what_happened_without_redis_is_in_it_exactly_once_when_it_is_back() {
    let port = free_port().unwrap();
    let ledger = Ledger::new();
    let plane = Plane::at(&format!("redis://127.0.0.1:{port}"), 1, &ledger);
    let limited = held(
        Limits {
            concurrent_requests: 10,
            ..total(1000)
        },
        Degraded::Local,
        1,
    );
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(plane.admit(&limited, 50).await.unwrap());
    }
    let first = plane.settle(&limited, &calls[0], 10);
    plane.settle(&limited, &calls[1], 20);
    // One record is in the ledger by now.
    ledger.spent(calls[0].1.admitted_at().0, 10);
    ledger.has(first);
    let server = Redis::start_at(port, &[]).unwrap();
    plane.joined().await;
    plane.comes_to(&limited, TOTAL, (30, 100)).await;
    let other = Plane::at(&server.url, 2, &ledger);
    other.joined().await;
    other.comes_to(&limited, TOTAL, (30, 100)).await;
    other.comes_to(&limited, REQUESTS, (2, 0)).await;
    for call in &calls {
        // Two of them for the second time.
        plane.settle(&limited, call, 40);
    }
    other.comes_to(&limited, TOTAL, (110, 0)).await;
    other.comes_to(&limited, REQUESTS, (0, 0)).await;
}

#[tokio::test]
async fn d04_strict_money_that_went_out_without_redis_is_a_risk_until_it_is_said_there() {
    let port = free_port().unwrap();
    let plane = Plane::at(&format!("redis://127.0.0.1:{port}"), 1, &Ledger::new());
    let limited = held(strict(1000), Degraded::Local, 1);
    let calls = [
        plane.admit(&limited, 50).await.unwrap(),
        plane.admit(&limited, 70).await.unwrap(),
    ];
    assert_eq!(plane.fleet.worst_case_overspend(), 120);
    plane.settle(&limited, &calls[0], 30);
    assert_eq!(plane.fleet.worst_case_overspend(), 100);
    let _server = Redis::start_at(port, &[]).unwrap();
    plane.joined().await;
    plane.comes_to(&limited, TOTAL, (30, 70)).await;
    until(async || plane.fleet.worst_case_overspend() == 0).await;
}

#[tokio::test]
async fn d06_a_flush_forgets_nothing_that_was_spent() {
    let server = Redis::start().unwrap();
    let ledger = Ledger::new();
    let [one, two] = [1, 2].map(|name| Plane::at(&server.url, name, &ledger));
    one.joined().await;
    two.joined().await;
    let limited = held(strict(100), Degraded::Local, 2);
    let first = one.admit(&limited, 30).await.unwrap();
    one.settle(&limited, &first, 30);
    let _open = two.admit(&limited, 40).await.unwrap();
    one.comes_to(&limited, TOTAL, (30, 40)).await;
    server.run(&["FLUSHALL"]).await.unwrap();
    // Whoever comes first has it made anew; the other one says what it has when it hears of that.
    let refused = one.admit(&limited, 80).await;
    assert!(matches!(refused, Err(Denied::Exceeded(_))), "{refused:?}");
    let hears = two.admit(&limited, 30).await.unwrap();
    one.comes_to(&limited, TOTAL, (30, 70)).await;
    two.settle(&limited, &hears, 0);
    one.comes_to(&limited, TOTAL, (30, 40)).await;
}

#[tokio::test]
async fn d05_a_redis_that_hangs_holds_up_the_first_calls_only_and_once() {
    let server = Redis::start().unwrap();
    let timeout = Duration::from_millis(200);
    let plane = Plane::patient(&server.url, 1, &Ledger::new(), timeout);
    plane.joined().await;
    let limited = held(
        Limits {
            rpm: 1_000_000,
            concurrent_requests: 1_000,
            ..Limits::default()
        },
        Degraded::Local,
        1,
    );
    let before = plane.admit(&limited, 0).await.unwrap();
    server.signal("STOP").unwrap();
    let begun = Instant::now();
    let mut calls = join_all((0..20).map(|_| plane.admit(&limited, 0))).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(plane.fleet.state(), RedisState::Disconnected);
    assert_eq!(
        plane.fleet.enforcement(limited.policy),
        Enforcement::Degraded(Degraded::Local)
    );
    // Each would wait for as long.
    let begun = Instant::now();
    for _ in 0..100 {
        calls.push(plane.admit(&limited, 0).await);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    server.signal("CONT").unwrap();
    plane.joined().await;
    plane.comes_to(&limited, REQUESTS, (121, 0)).await;
    for call in calls {
        plane.settle(&limited, &call.unwrap(), 0);
    }
    plane.settle(&limited, &before, 0);
    plane.comes_to(&limited, REQUESTS, (0, 0)).await;
}

#[tokio::test]
async fn d07_a_caller_who_goes_away_while_redis_is_asked_leaves_nothing_behind() {
    let server = Redis::start().unwrap();
    let plane = Plane::at(&server.url, 1, &Ledger::new());
    plane.joined().await;
    let limited = held(
        Limits {
            concurrent_requests: 50,
            ..strict(1000)
        },
        Degraded::Local,
        1,
    );
    let here = plane.admit(&limited, 10).await.unwrap();
    for _ in 0..20 {
        let mut asking = Box::pin(plane.admit(&limited, 10));
        assert!(futures::poll!(&mut asking).is_pending());
        tokio::task::yield_now().await;
        drop(asking);
    }
    plane.comes_to(&limited, REQUESTS, (1, 0)).await;
    plane.comes_to(&limited, TOTAL, (0, 10)).await;
    plane.settle(&limited, &here, 0);
    plane.comes_to(&limited, REQUESTS, (0, 0)).await;
}

#[tokio::test]
async fn d07_a_caller_who_goes_away_while_the_ledger_is_asked_leaves_nothing_behind() {
    let server = Redis::start().unwrap();
    let ledger = Ledger::new();
    let limited = held(
        Limits {
            concurrent_requests: 5,
            ..strict(1000)
        },
        Degraded::Local,
        1,
    );
    for plane in [Plane::at(&server.url, 1, &ledger), Plane::alone(&ledger)] {
        if plane.fleet.changes().is_some() {
            plane.joined().await;
        }
        ledger.hold(true);
        let asked = ledger.questions.load(Ordering::Relaxed);
        let mut asking = Box::pin(plane.admit(&limited, 10));
        while ledger.questions.load(Ordering::Relaxed) == asked {
            assert!(futures::poll!(&mut asking).is_pending());
            tokio::task::yield_now().await;
        }
        drop(asking);
        ledger.hold(false);
        plane.comes_to(&limited, REQUESTS, (0, 0)).await;
        plane.comes_to(&limited, TOTAL, (0, 0)).await;
        assert_eq!(plane.fleet.worst_case_overspend(), 0);
    }
}

#[tokio::test]
async fn d06_one_question_for_a_hundred_callers_is_on_its_way_to_the_ledger() {
    let server = Redis::start().unwrap();
    let absent = format!("redis://127.0.0.1:{}", free_port().unwrap());
    let limited = held(total(1000), Degraded::Local, 1);
    for url in ["", &server.url, &absent] {
        let ledger = Ledger::new();
        let plane = match url {
            "" => Plane::alone(&ledger),
            url => Plane::at(url, 1, &ledger),
        };
        if url == server.url {
            plane.joined().await;
        }
        ledger.hold(true);
        let opens = async {
            until(async || ledger.questions.load(Ordering::Relaxed) > 0).await;
            tokio::task::yield_now().await;
            ledger.hold(false);
        };
        let calls = join_all((0..100).map(|_| plane.admit(&limited, 1)));
        let (calls, ()) = tokio::join!(calls, opens);
        assert!(calls.iter().all(Result::is_ok));
        assert_eq!(ledger.most_asking.load(Ordering::Relaxed), 1, "{url:?}");
        // Whoever was told of the unknown before the answer came may ask once more behind it.
        assert!(ledger.questions.load(Ordering::Relaxed) <= 5, "{url:?}");
    }
}

#[tokio::test]
async fn d07_a_call_that_redis_lets_in_after_it_was_refused_here_leaves_nothing_there() {
    let server = Redis::start().unwrap();
    let plane = Plane::patient(&server.url, 1, &Ledger::new(), Duration::from_millis(200));
    plane.joined().await;
    let limited = held(
        Limits {
            concurrent_requests: 1_000,
            ..strict(1000)
        },
        Degraded::Closed,
        1,
    );
    let here = plane.admit(&limited, 10).await.unwrap();
    server.signal("STOP").unwrap();
    let calls = join_all((0..10).map(|_| plane.admit(&limited, 10))).await;
    for call in calls {
        assert_eq!(call.unwrap_err(), Denied::Unavailable);
    }
    // It finds them in its socket.
    server.signal("CONT").unwrap();
    plane.joined().await;
    plane.comes_to(&limited, REQUESTS, (1, 0)).await;
    plane.comes_to(&limited, TOTAL, (0, 10)).await;
    plane.settle(&limited, &here, 10);
    plane.comes_to(&limited, TOTAL, (10, 0)).await;
}
