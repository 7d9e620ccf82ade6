//! Days that begin at a wall clock's time, around changes of daylight saving in Berlin.

use penstock_core::limits::{DailyReset, Dimension, Limits, Zone};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_fleet::counters::Seeded;

use crate::bench::{Bench, Limited, NOON, on_both, user};

const HOUR: i64 = 3_600_000;
/// 2026-03-29 00:00 in Berlin; at 02:00 it is 03:00.
const SPRING: i64 = 1_774_738_800_000;
/// 2026-10-25 00:00 in Berlin; at 03:00 it is 02:00.
const AUTUMN: i64 = 1_792_879_200_000;

fn berlin(minute: u16) -> Limited {
    user(Limits {
        usd_daily: NanoUsd(10),
        daily_reset: DailyReset::At(minute),
        zone: Zone("Europe/Berlin".to_owned()),
        ..Limits::default()
    })
    .money(10)
}

/// What is spent at the beginning of a day counts until its last millisecond.
async fn lasts(bench: &Bench, begins: i64, ends: i64, minute: u16) {
    bench.step_to(begins);
    bench.spend(&berlin(minute)).await;
    bench.step_to(ends - 1);
    let refused = bench.admit(&berlin(minute)).await.unwrap_err();
    assert_eq!(
        (refused.used, refused.reset_at, refused.retry_after),
        (10, Some(UnixMs(ends)), 1)
    );
    bench.step_to(ends);
    assert_eq!(bench.used(&berlin(minute), Dimension::UsdDaily).await, (0, 0));
}

#[tokio::test]
async fn d01_a_day_in_berlin_has_23_24_or_25_hours() {
    on_both(SPRING - 30 * HOUR, async |bench| {
        lasts(&bench, SPRING - 24 * HOUR, SPRING, 0).await;
        lasts(&bench, SPRING, SPRING + 23 * HOUR, 0).await;
        lasts(&bench, SPRING + 23 * HOUR, SPRING + 47 * HOUR, 0).await;
    })
    .await;
    on_both(AUTUMN - 30 * HOUR, async |bench| {
        lasts(&bench, AUTUMN - 24 * HOUR, AUTUMN, 0).await;
        lasts(&bench, AUTUMN, AUTUMN + 25 * HOUR, 0).await;
        lasts(&bench, AUTUMN + 25 * HOUR, AUTUMN + 49 * HOUR, 0).await;
    })
    .await;
}

#[tokio::test]
async fn d01_a_reset_time_that_a_day_does_not_have_is_the_next_instant_that_it_has() {
    // 02:30 of the 28th, 03:00 of the 29th, 02:30 of the 30th.
    let half_past_two = [
        SPRING - 21 * HOUR - HOUR / 2,
        SPRING + 2 * HOUR,
        SPRING + 25 * HOUR + HOUR / 2,
    ];
    on_both(SPRING - 30 * HOUR, async |bench| {
        lasts(&bench, half_past_two[0], half_past_two[1], 150).await;
        lasts(&bench, half_past_two[1], half_past_two[2], 150).await;
    })
    .await;
}

#[tokio::test]
async fn d01_a_baseline_of_another_day_than_the_counters_is_not_taken() {
    let limited = || {
        let usd_daily = NanoUsd(100);
        user(Limits {
            usd_daily,
            ..Limits::default()
        })
    };
    let begins = NOON + 12 * HOUR;
    on_both(NOON, async |bench| {
        bench.step_to(begins + 1000);
        bench.spends.replace(vec![(begins - 5, 70), (begins + 500, 40)]);
        for off in [begins - 1000, begins + 24 * HOUR + 1000] {
            let subjects = limited().subjects(off);
            let seeded = bench.seed(subjects.iter().skip(1)).await;
            assert_eq!(seeded, Seeded::Clock(bench.clock.now()));
            assert_eq!(bench.read(&limited()).await, None);
        }
        bench.admit(&limited().money(1)).await.unwrap();
        assert_eq!(bench.used(&limited(), Dimension::UsdDaily).await, (40, 1));
    })
    .await;
}
