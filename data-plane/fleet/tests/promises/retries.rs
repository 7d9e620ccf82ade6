//! `Retry-After` keeps its word: a refused call passes then, and not a second earlier, if nothing else happens.

use penstock_core::limits::exceeded::NEVER;
use penstock_core::limits::{Budget, DailyReset, Exceeded, Limits, Zone};
use penstock_core::money::NanoUsd;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::bench::{Bench, Kind, Limited, NOON, on_both, user};
use crate::server::{Linked, Redis};
use crate::world::{Clock, request};
use penstock_fleet::local::Local;

/// A call that is let in, if it is, and ends at once.
#[derive(Clone, Debug)]
struct Done {
    wait: i64,
    session: Option<usize>,
    tokens: u64,
    money: u64,
}

const SESSIONS: [&str; 3] = ["one", "two", "three"];

fn limits() -> impl Strategy<Value = Limits> {
    let usd = || prop::option::of(20_i64..100).prop_map(|n| NanoUsd(n.unwrap_or(0)));
    let reset = prop_oneof![Just(DailyReset::Rolling), (0_u16..1440).prop_map(DailyReset::At)];
    let counts = (0_u64..5, 0_u64..100, 0_u64..3);
    (usd(), usd(), any::<bool>(), reset, counts).prop_map(|(h, d, strict, reset, (rpm, tpm, sessions))| {
        Limits {
            rpm,
            tpm,
            usd_5h: h,
            usd_daily: d,
            concurrent_sessions: sessions,
            budget: if strict { Budget::Strict } else { Budget::Soft },
            daily_reset: reset,
            zone: Zone("Europe/Berlin".to_owned()),
            ..Limits::default()
        }
    })
}

fn done() -> impl Strategy<Value = Done> {
    let wait = prop_oneof![0_i64..30_000, 0_i64..3_600_000];
    (wait, prop::option::of(0_usize..3), 0_u64..60, 0_u64..25).prop_map(|(wait, session, tokens, money)| {
        Done {
            wait,
            session,
            tokens,
            money,
        }
    })
}

fn limited(key: &Limits, user: &Limits, call: &Done) -> Limited {
    // A call never wants more tokens than a minute has.
    let most = [key.tpm, user.tpm].into_iter().filter(|tpm| *tpm > 0).min();
    Limited {
        key: key.clone(),
        user: user.clone(),
        version: 1,
        tokens: most.map_or(call.tokens, |most| call.tokens.min(most)),
        money: call.money,
        session: call.session.map(|n| SESSIONS[n]),
    }
}

async fn check(bench: &Bench, limited: &Limited, refused: &Exceeded) {
    if refused.retry_after >= NEVER {
        return;
    }
    let wait = i64::try_from(refused.retry_after).unwrap() * 1000;
    if wait > 1000 {
        bench.step(wait - 1000);
        assert!(
            bench.admit(limited).await.is_err(),
            "it passes earlier: {refused:?}"
        );
        bench.step(1000);
    } else {
        bench.step(wait);
    }
    let (id, admitted) = bench
        .admit(limited)
        .await
        .unwrap_or_else(|still| panic!("{refused:?}, then {still:?}"));
    bench.settle(id, admitted.at.0, limited, 0).await;
}

#[test]
fn d02_a_refused_call_passes_after_retry_after_and_not_a_second_earlier() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = Redis::start().unwrap();
    let linked = runtime.block_on(Linked::to(&server)).unwrap();
    let config = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let stories = (limits(), limits(), prop::collection::vec(done(), 1..25));
    let told = TestRunner::new(config).run(&stories, |(key, user, calls)| {
        runtime.block_on(async {
            server.run(&["FLUSHALL"]).await.unwrap();
            let clock = Clock::at(NOON);
            let theirs = clock.clone();
            let local = Bench::new(clock, Kind::Local(Local::new(move || theirs.now())));
            let redis = Bench::new(Clock::at(NOON), Kind::Redis(linked.counters("one")));
            for bench in [local, redis] {
                for call in &calls {
                    bench.step(call.wait);
                    let limited = limited(&key, &user, call);
                    match bench.admit(&limited).await {
                        Ok((id, admitted)) => drop(bench.settle(id, admitted.at.0, &limited, 0).await),
                        Err(refused) => check(&bench, &limited, &refused).await,
                    }
                }
            }
        });
        Ok(())
    });
    told.unwrap();
}

#[tokio::test]
async fn d02_retry_after_counts_a_record_that_came_late_among_the_first_to_leave() {
    const HOUR: i64 = 3_600_000;
    let limited = |money| {
        let usd_5h = NanoUsd(100);
        user(Limits {
            usd_5h,
            ..Limits::default()
        })
        .money(money)
    };
    on_both(NOON, async |bench| {
        bench.step(3 * HOUR);
        bench.spend(&limited(100)).await;
        for _ in 0..2 {
            let refused = bench.admit(&limited(1)).await.unwrap_err();
            assert_eq!(refused.retry_after, 5 * 3600 + 60);
        }
        let late = request(NOON + HOUR, 1);
        bench.settle(late, NOON + HOUR, &limited(100), 0).await;
        bench.step(HOUR);
        let refused = bench.admit(&limited(1)).await.unwrap_err();
        assert_eq!((refused.used, refused.retry_after), (200, 4 * 3600 + 60));
    })
    .await;
}
