//! Money is booked once, whoever says it how often, and topped up as far as there is room. Behaviours D4, D6.

use penstock_core::limits::{Dimension, Exceeded, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_fleet::counters::{Noted, TopUp};

use crate::bench::{NOON, on_both, user};
use crate::conformance::{strict, total};
use crate::world::mark;

const TOTAL: Dimension = Dimension::UsdTotal;

#[tokio::test]
async fn d04_settling_twice_charges_once() {
    on_both(NOON, async |bench| {
        let limited = user(total(100)).money(30);
        let (id, admitted) = bench.admit(&limited).await.unwrap();
        assert_eq!(bench.used(&limited, TOTAL).await, (0, 30));
        let used = user(total(100)).money(12);
        for _ in 0..3 {
            assert_eq!(
                bench.settle(id, admitted.at.0, &used, 1).await,
                Noted::At(admitted.generation)
            );
            assert_eq!(bench.used(&limited, TOTAL).await, (12, 0));
        }
        assert_eq!(bench.top_up(id, &used).await, TopUp::Lost);
        assert_eq!(
            bench.adopt(id, admitted.at.0, &limited).await,
            Noted::At(admitted.generation)
        );
        assert_eq!(bench.used(&limited, TOTAL).await, (12, 0));
    })
    .await;
}

#[tokio::test]
async fn d04_settling_a_call_that_is_not_known_books_it_once() {
    on_both(NOON, async |bench| {
        let limited = user(total(100)).money(5);
        let stranger = bench.id();
        assert_eq!(
            bench.settle(stranger, NOON, &limited, 1).await,
            Noted::Gone,
            "no counters"
        );
        bench.spend(&limited).await;
        for _ in 0..2 {
            bench.settle(stranger, NOON - 1000, &limited, 1).await;
            assert_eq!(bench.used(&limited, TOTAL).await, (10, 0));
        }
    })
    .await;
}

#[tokio::test]
async fn d06_a_record_that_the_baseline_has_is_not_booked_again() {
    on_both(NOON, async |bench| {
        bench.spends.replace(vec![(NOON - 5000, 40)]);
        bench.marks.replace(vec![mark(7)]);
        let limited = user(total(100)).money(9);
        bench.spend(&limited).await;
        assert_eq!(bench.used(&limited, TOTAL).await, (49, 0));
        for (number, used) in [(6, 49), (7, 49), (8, 58), (8, 67)] {
            let id = bench.id();
            bench.settle(id, NOON - 5000, &limited, number).await;
            bench.settle(id, NOON - 5000, &limited, number).await;
            assert_eq!(bench.used(&limited, TOTAL).await, (used, 0), "{number}");
        }
    })
    .await;
}

#[tokio::test]
async fn d04_a_strict_budget_is_topped_up_as_far_as_there_is_room() {
    on_both(NOON, async |bench| {
        let limited = user(strict(100)).money(60);
        let (id, _) = bench.admit(&limited).await.unwrap();
        assert_eq!(bench.admit(&limited).await.unwrap_err().used, 60);
        assert_eq!(bench.top_up(id, &user(strict(100)).money(40)).await, TopUp::Held);
        let more = bench.top_up(id, &user(strict(100)).money(1)).await;
        assert!(
            matches!(more, TopUp::Refused(Exceeded { used: 100, .. })),
            "{more:?}"
        );
        assert_eq!(bench.used(&limited, TOTAL).await, (0, 100));
    })
    .await;
}

#[tokio::test]
async fn d06_a_reset_forgets_what_was_spent_before_it() {
    on_both(NOON, async |bench| {
        let limited = user(total(100)).money(60);
        let (open, _) = bench.admit(&limited).await.unwrap();
        bench.spend(&limited).await;
        assert!(bench.admit(&limited).await.is_err());
        bench.spends.replace(vec![(NOON, 60)]);
        bench.step(1000);
        let mut reset = user(total(100)).money(60);
        reset.version = 2;
        reset.user.resets.insert(TOTAL, UnixMs(NOON + 500));
        let (id, admitted) = bench.admit(&reset).await.unwrap();
        assert_eq!(
            bench.used(&reset, TOTAL).await,
            (0, 60),
            "the older one is in flight, and free"
        );
        bench.settle(open, NOON, &reset, 0).await;
        assert_eq!(bench.used(&reset, TOTAL).await, (0, 60));
        bench.settle(id, admitted.at.0, &reset, 0).await;
        assert_eq!(bench.used(&reset, TOTAL).await, (60, 0));
    })
    .await;
}

#[tokio::test]
async fn d06_a_reset_by_a_clock_that_is_ahead_switches_no_budget_off() {
    on_both(NOON, async |bench| {
        let mut reset = user(total(100)).money(60);
        reset.user.resets.insert(TOTAL, UnixMs(NOON + 5000));
        let (id, admitted) = bench.admit(&reset).await.unwrap();
        assert_eq!(bench.used(&reset, TOTAL).await, (0, 60));
        bench.settle(id, admitted.at.0, &reset, 0).await;
        assert_eq!(bench.used(&reset, TOTAL).await, (60, 0));
    })
    .await;
}

#[tokio::test]
async fn d01_a_caller_with_an_older_configuration_is_answered_by_the_newer_counters() {
    on_both(NOON, async |bench| {
        let mut newer = user(Limits {
            usd_5h: NanoUsd(50),
            ..total(100)
        })
        .money(60);
        newer.version = 2;
        bench.spend(&newer).await;
        let older = user(total(90)).money(20);
        bench.spend(&older).await;
        assert_eq!(bench.used(&newer, TOTAL).await, (80, 0));
        assert_eq!(bench.used(&newer, Dimension::Usd5h).await, (80, 0));
        bench.spend(&older).await;
        let refused = bench.admit(&older).await.unwrap_err();
        assert_eq!(
            (refused.used, refused.limit),
            (100, 90),
            "by its own limit, as it has it"
        );
    })
    .await;
}
