//! A data plane that dies leaks nothing (D7), and what it held counts until its records come (property 5).

use penstock_core::limits::{Dimension, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_fleet::counters::{LEASE_MS, Noted, Renewed, Verdict};

use crate::bench::{Bench, Kind, Limited, NOON, user};
use crate::conformance::{strict, total};
use crate::server::{Linked, Redis};
use crate::world::{Clock, call};

const TOTAL: Dimension = Dimension::UsdTotal;
const REQUESTS: Dimension = Dimension::ConcurrentRequests;
const LEASE: i64 = LEASE_MS as i64;

/// Two data planes at one Redis.
struct Two {
    one: Bench,
    two: Bench,
    linked: Linked,
    server: Redis,
}

impl Two {
    async fn start() -> Self {
        let server = Redis::start().unwrap();
        let linked = Linked::to(&server).await.unwrap();
        let clock = Clock::at(NOON);
        let bench = |name| Bench::new(clock.clone(), Kind::Redis(linked.counters(name)));
        Self {
            one: bench("one"),
            two: bench("two"),
            server,
            linked,
        }
    }

    fn step(&self, ms: i64) {
        self.one.step(ms);
        self.two.step(0);
    }
}

fn limited(money: u64) -> Limited {
    user(Limits {
        concurrent_requests: 1,
        ..strict(100)
    })
    .money(money)
}

#[tokio::test]
async fn d07_a_dead_processs_slots_are_free_and_its_money_counts_as_spent_until_the_record_comes() {
    let fleet = Two::start().await;
    let (id, admitted) = fleet.one.admit(&limited(30)).await.unwrap();
    fleet.step(LEASE - 1);
    assert_eq!(fleet.two.used(&limited(0), REQUESTS).await, (1, 0));
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (0, 30));
    let refused = fleet.two.admit(&limited(1)).await.unwrap_err();
    assert_eq!((refused.dimension, refused.retry_after), (REQUESTS, 1));
    fleet.step(1);
    assert_eq!(fleet.two.used(&limited(0), REQUESTS).await, (0, 0));
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (30, 0));
    assert_eq!(fleet.two.admit(&limited(71)).await.unwrap_err().used, 30);
    let (other, at) = fleet.two.admit(&limited(70)).await.unwrap();
    fleet.two.settle(other, at.at.0, &limited(50), 2).await;
    for _ in 0..2 {
        // By the spool, hours later, from anybody.
        fleet.step(3_600_000);
        fleet.two.settle(id, admitted.at.0, &limited(12), 1).await;
        assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (62, 0));
    }
}

#[tokio::test]
async fn d07_an_admission_frees_the_slots_of_the_dead_by_itself() {
    let fleet = Two::start().await;
    fleet.one.admit(&limited(30)).await.unwrap();
    fleet.step(LEASE);
    fleet.two.admit(&limited(70)).await.unwrap();
    assert_eq!(fleet.two.used(&limited(0), REQUESTS).await, (1, 0));
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (30, 70));
}

#[tokio::test]
async fn d07_the_dead_are_freed_also_by_a_call_whose_clock_is_off() {
    let fleet = Two::start().await;
    let limited = |money| {
        user(Limits {
            concurrent_requests: 1,
            usd_daily: NanoUsd(100),
            ..strict(100)
        })
        .money(money)
    };
    fleet.one.admit(&limited(30)).await.unwrap();
    fleet.step(LEASE);
    let off = limited(1).subjects(fleet.two.now() - 5 * 86_400_000);
    let verdict = fleet.two.ask(call(fleet.two.id(), off), None).await;
    assert_eq!(verdict, Verdict::Clock(UnixMs(fleet.two.now())));
    for dimension in [TOTAL, Dimension::UsdDaily] {
        assert_eq!(fleet.two.used(&limited(0), dimension).await, (30, 0));
    }
    assert_eq!(fleet.two.used(&limited(0), REQUESTS).await, (0, 0));
    fleet.two.admit(&limited(70)).await.unwrap();
}

#[tokio::test]
async fn d07_a_lease_that_is_renewed_keeps_what_is_in_flight() {
    let fleet = Two::start().await;
    let (id, admitted) = fleet.one.admit(&limited(30)).await.unwrap();
    let running = Renewed::At {
        generation: admitted.generation,
        was_running: true,
    };
    for _ in 0..20 {
        fleet.step(LEASE - 1);
        assert_eq!(fleet.one.renew().await, running);
        assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (0, 30));
    }
    fleet.one.settle(id, admitted.at.0, &limited(20), 1).await;
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (20, 0));
}

#[tokio::test]
async fn d07_a_process_that_comes_back_late_takes_its_calls_in_again() {
    let fleet = Two::start().await;
    let (id, admitted) = fleet.one.admit(&limited(30)).await.unwrap();
    fleet.step(LEASE);
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (30, 0));
    fleet.step(LEASE);
    let Renewed::At { was_running, .. } = fleet.one.renew().await else {
        panic!("gone")
    };
    assert!(!was_running);
    for _ in 0..2 {
        let adopted = fleet.one.adopt(id, admitted.at.0, &limited(30)).await;
        assert_eq!(adopted, Noted::At(admitted.generation));
        assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (0, 30));
        assert_eq!(fleet.two.used(&limited(0), REQUESTS).await, (1, 0));
    }
    fleet.one.settle(id, admitted.at.0, &limited(12), 1).await;
    fleet.step(LEASE);
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (12, 0));
    assert_eq!(fleet.two.used(&limited(0), REQUESTS).await, (0, 0));
}

#[tokio::test]
async fn d07_a_call_that_was_settled_is_not_taken_in_again() {
    let fleet = Two::start().await;
    let (id, admitted) = fleet.one.admit(&limited(30)).await.unwrap();
    fleet.step(LEASE);
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (30, 0));
    fleet.two.settle(id, admitted.at.0, &limited(12), 1).await;
    fleet.one.adopt(id, admitted.at.0, &limited(30)).await;
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (12, 0));
    assert_eq!(fleet.two.used(&limited(0), REQUESTS).await, (0, 0));
}

#[tokio::test]
async fn d07_what_lapsed_before_the_counters_were_made_anew_is_in_the_ledger_alone() {
    let fleet = Two::start().await;
    let (id, admitted) = fleet.one.admit(&limited(30)).await.unwrap();
    fleet.step(LEASE);
    assert_eq!(fleet.two.used(&limited(0), TOTAL).await, (30, 0));
    // The limits are changed; the ledger has the record by then.
    let mut changed = limited(0);
    changed.user.usd_5h = NanoUsd(1000);
    changed.version = 2;
    fleet.two.spends.replace(vec![(admitted.at.0, 12)]);
    fleet.two.marks.replace(vec![crate::world::mark(1)]);
    fleet.two.spend(&changed).await;
    assert_eq!(fleet.two.used(&changed, TOTAL).await, (12, 0));
    fleet.two.settle(id, admitted.at.0, &limited(12), 1).await;
    assert_eq!(fleet.two.used(&changed, TOTAL).await, (12, 0));
}

#[tokio::test]
async fn d07_sessions_of_a_dead_process_end() {
    let fleet = Two::start().await;
    let mut limited = user(Limits {
        concurrent_sessions: 1,
        ..total(100)
    });
    limited.session = Some("one");
    fleet.one.admit(&limited).await.unwrap();
    limited.session = Some("two");
    let refused = fleet.two.admit(&limited).await.unwrap_err();
    assert_eq!(refused.dimension, Dimension::ConcurrentSessions);
    fleet.step(LEASE);
    // It is idle from now on.
    assert_eq!(fleet.two.admit(&limited).await.unwrap_err().retry_after, 300);
    fleet.step(300_000);
    fleet.two.admit(&limited).await.unwrap();
}

#[tokio::test]
async fn d07_a_lost_set_of_leases_is_made_again_for_all() {
    let fleet = Two::start().await;
    let mut limited = limited(30);
    limited.user.concurrent_requests = 2;
    fleet.one.admit(&limited).await.unwrap();
    let leases = format!("penstock:1:{{{}}}:l", crate::world::account());
    let deleted: u64 = fleet.server.ask(&["DEL", &leases]).await.unwrap();
    assert_eq!(deleted, 1);
    fleet.two.admit(&limited).await.unwrap();
    assert_eq!(fleet.two.used(&limited, REQUESTS).await, (2, 0));
    fleet.step(LEASE - 1);
    fleet.two.renew().await;
    fleet.step(1);
    assert_eq!(fleet.two.used(&limited, REQUESTS).await, (1, 0));
    assert_eq!(fleet.two.used(&limited, TOTAL).await, (30, 30));
    assert!(fleet.linked.link.connection_number() == Some(1));
}
