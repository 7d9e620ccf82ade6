//! The ledger does not say what was spent, or Redis goes while streams run. Behaviours D1, D4, D5.

use penstock_core::limits::{Dimension, Limits};
use penstock_core::setting::Degraded;
use penstock_fleet::Denied;

use crate::conformance::{strict, total};
use crate::plane::{Ledger, Plane, held, until};
use crate::server::Redis;

fn one_at_a_time() -> Limits {
    Limits {
        concurrent_requests: 1,
        ..total(1000)
    }
}

#[tokio::test]
async fn d01_slots_are_given_back_while_the_ledger_does_not_say_what_was_spent() {
    let server = Redis::start().unwrap();
    let shared = Plane::at(&server.url, 1, &Ledger::failing());
    shared.joined().await;
    for plane in [shared, Plane::alone(&Ledger::failing())] {
        let limited = held(one_at_a_time(), Degraded::Local, 1);
        for _ in 0..4 {
            let call = plane.admit(&limited, 10).await.unwrap();
            let Err(Denied::Exceeded(exceeded)) = plane.admit(&limited, 10).await else {
                panic!("let in")
            };
            assert_eq!(exceeded.dimension, Dimension::ConcurrentRequests);
            plane.settle(&limited, &call, 10);
        }
    }
}

#[tokio::test]
async fn d01_counts_hold_while_the_ledger_does_not_say_what_was_spent_and_the_money_is_held_when_it_does() {
    let ledger = Ledger::failing();
    let plane = Plane::alone(&ledger);
    let limits = Limits {
        rpm: 3,
        ..total(1000)
    };
    let limited = held(limits, Degraded::Local, 1);
    let call = plane.admit(&limited, 10).await.unwrap();
    assert_eq!(plane.admitted(&limited, 10, 5).await, 2);
    plane.settle(&limited, &call, 7);
    ledger.fails.store(false, std::sync::atomic::Ordering::Relaxed);
    plane.comes_to(&limited, Dimension::UsdTotal, (7, 20)).await;
}

#[tokio::test]
async fn d05_streams_are_held_to_the_share_from_their_first_wish_after_redis_went() {
    let server = Redis::start().unwrap();
    let plane = Plane::at(&server.url, 1, &Ledger::new());
    plane.joined().await;
    let limited = held(strict(100), Degraded::Local, 1);
    let closed = held(strict(100), Degraded::Closed, 1);
    let streams = [
        plane.admit(&limited, 30).await.unwrap(),
        plane.admit(&limited, 30).await.unwrap(),
    ];
    let cut = plane.admit(&closed, 10).await.unwrap();
    drop(server);
    assert!(!plane.fleet.top_up(&cut.1, 1).await, "the operator wants none");
    let mut held = 70;
    for stream in streams.iter().cycle().take(20) {
        held += if plane.fleet.top_up(&stream.1, 10).await {
            10
        } else {
            0
        };
    }
    assert_eq!(held, 100);
}

#[tokio::test]
async fn d06_streams_ask_for_more_after_a_flush_as_before() {
    let server = Redis::start().unwrap();
    let plane = Plane::at(&server.url, 1, &Ledger::new());
    plane.joined().await;
    let limited = held(strict(100), Degraded::Local, 1);
    let stream = plane.admit(&limited, 30).await.unwrap();
    server.run(&["FLUSHALL"]).await.unwrap();
    let mut held = 30;
    while plane.fleet.top_up(&stream.1, 10).await {
        held += 10;
        assert!(held <= 100);
    }
    assert_eq!(held, 100);
    until(async || {
        let refused = plane.admit(&limited, 10).await;
        matches!(refused, Err(Denied::Exceeded(_)))
    })
    .await;
}
