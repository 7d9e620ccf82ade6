//! What comes when nobody expects it any more: admissions behind their settlement, top-ups without Redis. Behaviours
//! D4, D5, D7.

use std::time::Duration;

use penstock_core::limits::Dimension;
use penstock_core::setting::Degraded;

use crate::bench::{NOON, on_both, user};
use crate::conformance::{strict, total};
use crate::plane::{Ledger, Plane, held};
use crate::server::Redis;
use crate::world::call;

const TOTAL: Dimension = Dimension::UsdTotal;

#[tokio::test]
async fn d07_an_admission_that_comes_behind_its_settlement_takes_nothing() {
    on_both(NOON, async |bench| {
        let limited = user(total(100)).money(30);
        bench.spend(&limited).await;
        let (spent, _) = bench.used(&limited, TOTAL).await;
        let late = bench.id();
        bench.settle(late, NOON, &user(total(100)).money(0), 2).await;
        bench.ask(call(late, limited.subjects(bench.now())), None).await;
        assert_eq!(bench.used(&limited, TOTAL).await, (spent, 0));
    })
    .await;
}

#[tokio::test]
async fn d04_adopting_again_holds_what_the_call_holds_by_now() {
    on_both(NOON, async |bench| {
        let limited = user(total(100)).money(30);
        let (id, admitted) = bench.admit(&limited).await.unwrap();
        bench.adopt(id, admitted.at.0, &user(total(100)).money(45)).await;
        assert_eq!(bench.used(&limited, TOTAL).await, (0, 45));
        bench.adopt(id, admitted.at.0, &limited).await;
        assert_eq!(bench.used(&limited, TOTAL).await, (0, 45), "never less");
    })
    .await;
}

#[tokio::test]
async fn d05_without_redis_a_strict_stream_is_held_to_this_nodes_share_and_said_with_all_it_holds() {
    let server = Redis::start().unwrap();
    let plane = Plane::patient(&server.url, 1, &Ledger::new(), Duration::from_millis(200));
    plane.joined().await;
    let limited = held(strict(1000), Degraded::Local, 2);
    let first = plane.admit(&limited, 100).await.unwrap();
    server.signal("STOP").unwrap();
    // Sets Redis aside. This node's share is half of the 900 that were left when it last saw them.
    let second = plane.admit(&limited, 1).await.unwrap();
    plane.settle(&limited, &second, 0);
    assert!(plane.fleet.top_up(&first.1, 400).await);
    assert!(!plane.fleet.top_up(&first.1, 400).await, "the share is used up");
    server.signal("CONT").unwrap();
    plane.joined().await;
    plane.comes_to(&limited, TOTAL, (0, 500)).await;
    plane.settle(&limited, &first, 321);
    plane.comes_to(&limited, TOTAL, (321, 0)).await;
}
