//! What several data planes at one Redis share. Behaviours A7, D1, D3.

use futures::future::join_all;
use penstock_core::guard::GuardRules;
use penstock_core::id::KeyId;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::setting::Degraded;

use crate::conformance::strict;
use crate::plane::{Ledger, Plane, held, now};
use crate::server::{Linked, Redis};

async fn planes<const N: usize>(server: &Redis) -> [Plane; N] {
    let ledger = Ledger::new();
    let planes = std::array::from_fn(|n| Plane::at(&server.url, u8::try_from(n + 1).unwrap(), &ledger));
    for plane in &planes {
        plane.joined().await;
    }
    planes
}

#[tokio::test]
async fn d03_of_fifty_calls_at_once_through_three_data_planes_exactly_ten_pass() {
    let server = Redis::start().unwrap();
    let planes: [Plane; 3] = planes(&server).await;
    let limited = held(
        Limits {
            rpm: 10,
            ..Limits::default()
        },
        Degraded::Local,
        3,
    );
    let calls = join_all((0..50).map(|n| planes[n % 3].admit(&limited, 0))).await;
    assert_eq!(calls.iter().filter(|call| call.is_ok()).count(), 10);
}

#[tokio::test]
async fn d04_a_strict_budget_is_never_passed_by_streams_through_two_data_planes() {
    let server = Redis::start().unwrap();
    let planes: [Plane; 2] = planes(&server).await;
    let limited = held(strict(1000), Degraded::Local, 2);
    let calls = join_all((0..60).map(|n| {
        let (planes, limited) = (&planes, &limited);
        async move {
            let plane = &planes[n % 2];
            let call = plane.admit(limited, 20).await.ok()?;
            let mut held = 20;
            while held < 100 && plane.fleet.top_up(&call.1, 10).await {
                held += 10;
            }
            plane.settle(limited, &call, held);
            Some(held)
        }
    }))
    .await;
    let spent: u64 = calls.into_iter().flatten().sum();
    assert!(spent <= 1000, "{spent}");
    planes[0]
        .comes_to(&limited, Dimension::UsdTotal, (spent, 0))
        .await;
    assert!(spent > 900, "it can be used up: {spent}");
}

#[tokio::test]
async fn d01_free_calls_of_a_key_are_counted_by_all() {
    let server = Redis::start().unwrap();
    let planes: [Plane; 2] = planes(&server).await;
    let [one, other] = [1, 2].map(|n| KeyId::from_parts(1, &[n; 10]));
    let calls = join_all((0..30).map(|n| planes[n % 2].fleet.count(one, 20))).await;
    assert_eq!(calls.iter().filter(|wait| wait.is_none()).count(), 20);
    let wait = calls.into_iter().flatten().max().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(planes[0].fleet.count(other, 20).await, None);
}

#[tokio::test]
async fn a07_the_twentieth_guess_blocks_an_address_for_all_data_planes() {
    let server = Redis::start().unwrap();
    let planes: [Plane; 2] = planes(&server).await;
    let rules = GuardRules::default();
    for n in 0..19 {
        assert_eq!(
            planes[n % 2].fleet.guessed("192.0.2.1", &rules).await,
            None,
            "{n}"
        );
    }
    for plane in &planes {
        let until = plane.fleet.guessed("192.0.2.1", &rules).await.unwrap();
        let left = until.0 - now().0;
        assert!(left > 0 && left <= 600_000, "{left}");
        assert_eq!(plane.fleet.guessed("192.0.2.2", &rules).await, None);
    }
}

#[tokio::test]
async fn g06_the_time_of_redis_is_known_while_it_is_there() {
    let server = Redis::start().unwrap();
    let linked = Linked::to(&server).await.unwrap();
    let off = linked.link.time().unwrap().0.abs_diff(now().0);
    assert!(off < 60_000, "it runs on this machine: {off} ms");
}
