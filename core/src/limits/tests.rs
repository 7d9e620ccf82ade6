use proptest::prelude::*;

use super::window::{Bounds, Window};
use super::*;

fn limits(zone: &str, daily_reset: &str) -> Limits {
    Limits {
        zone: Zone(zone.to_owned()),
        daily_reset: daily_reset.parse().unwrap(),
        ..Limits::default()
    }
}

fn at(text: &str) -> UnixMs {
    UnixMs(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn fixed(limits: &Limits, dimension: Dimension, now: &str) -> Bounds {
    let Window::Fixed(bounds) = limits.window(dimension, at(now)) else {
        panic!("{dimension:?} is not fixed");
    };
    bounds
}

#[test]
fn d01_a_day_begins_at_its_reset_time_in_its_zone() {
    let limits = limits("Asia/Shanghai", "08:00");
    let early = fixed(&limits, Dimension::UsdDaily, "2026-11-25T23:59:59Z");
    assert_eq!(early.current, at("2026-11-25T00:00:00Z"));
    assert_eq!(early.next, at("2026-11-26T00:00:00Z"));
    let late = fixed(&limits, Dimension::UsdDaily, "2026-11-26T00:00:00Z");
    assert_eq!(late.previous, early.current);
    assert_eq!(late.current, early.next);
}

#[test]
fn d01_weeks_begin_on_monday_and_months_on_the_first() {
    let limits = limits("Europe/Berlin", "00:00");
    let week = fixed(&limits, Dimension::UsdWeekly, "2026-11-25T12:00:00Z");
    assert_eq!(week.current, at("2026-11-22T23:00:00Z"));
    assert_eq!(week.next, at("2026-11-29T23:00:00Z"));
    let month = fixed(&limits, Dimension::UsdMonthly, "2026-10-15T12:00:00Z");
    assert_eq!(month.current, at("2026-09-30T22:00:00Z"));
    assert_eq!(month.next, at("2026-10-31T23:00:00Z"));
}

#[test]
fn d01_a_day_may_have_23_or_25_hours() {
    let limits = limits("Europe/Berlin", "00:00");
    let hours = |bounds: Bounds| (bounds.next.0 - bounds.current.0) / 3_600_000;
    assert_eq!(
        hours(fixed(&limits, Dimension::UsdDaily, "2026-03-29T12:00:00Z")),
        23
    );
    assert_eq!(
        hours(fixed(&limits, Dimension::UsdDaily, "2026-10-25T12:00:00Z")),
        25
    );
}

#[test]
fn d01_a_reset_time_that_does_not_exist_is_the_next_instant_that_does() {
    let limits = limits("Europe/Berlin", "02:30");
    let day = fixed(&limits, Dimension::UsdDaily, "2026-03-29T12:00:00Z");
    assert_eq!(
        day.current,
        at("2026-03-29T01:00:00Z"),
        "02:00 local became 03:00"
    );
    let before = fixed(&limits, Dimension::UsdDaily, "2026-03-29T00:59:59Z");
    assert_eq!(before.current, at("2026-03-28T01:30:00Z"));
    let twice = fixed(&limits, Dimension::UsdDaily, "2026-10-25T12:00:00Z");
    assert_eq!(twice.current, at("2026-10-25T00:30:00Z"), "the first 02:30");
}

#[test]
fn d01_a_zone_that_skips_midnight_or_a_whole_day_still_has_edges() {
    let beirut = limits("Asia/Beirut", "00:00");
    let day = fixed(&beirut, Dimension::UsdDaily, "2024-03-31T12:00:00Z");
    assert_eq!(day.current, at("2024-03-30T22:00:00Z"));
    let apia = limits("Pacific/Apia", "00:00");
    let skipped = fixed(&apia, Dimension::UsdDaily, "2011-12-30T12:00:00Z");
    assert!(skipped.current <= at("2011-12-30T12:00:00Z") && at("2011-12-30T12:00:00Z") < skipped.next);
}

#[test]
fn d01_rolling_windows_have_no_edges() {
    let limits = limits("UTC", "rolling");
    assert_eq!(
        limits.window(Dimension::UsdDaily, UnixMs(0)),
        Window::Rolling(86_400_000)
    );
    assert_eq!(
        limits.window(Dimension::Usd5h, UnixMs(0)),
        Window::Rolling(18_000_000)
    );
    assert_eq!(limits.window(Dimension::UsdTotal, UnixMs(0)), Window::Total);
}

#[test]
fn a_reset_time_reads_back_as_written() {
    for text in ["00:00", "08:05", "23:59", "rolling"] {
        assert_eq!(text.parse::<DailyReset>().unwrap().to_string(), text);
    }
    for text in ["24:00", "8", "08:60", "08:5", "", "-1:00", "+1:00", "008:00"] {
        assert!(text.parse::<DailyReset>().is_err(), "{text}");
    }
}

#[test]
fn limits_that_cannot_be_held_are_refused() {
    let refused = |limits: Limits| limits.validate().unwrap_err().field;
    let over = NanoUsd(MAX_BUDGET.0 + 1);
    assert_eq!(
        refused(Limits {
            usd_total: over,
            ..Limits::default()
        }),
        "limits.usd_total"
    );
    assert_eq!(
        refused(Limits {
            usd_5h: NanoUsd(-1),
            ..Limits::default()
        }),
        "limits.usd_5h"
    );
    assert_eq!(
        refused(Limits {
            rpm: MAX_COUNT + 1,
            ..Limits::default()
        }),
        "limits.rpm"
    );
    assert_eq!(refused(limits("Mars/Olympus", "00:00")), "limits.zone");
    assert_eq!(Limits::default().validate(), Ok(()));
}

#[test]
fn no_limit_is_written_as_nothing_and_reads_back() {
    assert_eq!(serde_json::to_string(&Limits::default()).unwrap(), "{}");
    let some = Limits {
        rpm: 10,
        usd_5h: NanoUsd(1_500_000_000),
        budget: Budget::Strict,
        daily_reset: DailyReset::Rolling,
        zone: Zone("Asia/Shanghai".into()),
        resets: BTreeMap::from([(Dimension::Usd5h, UnixMs(7))]),
        ..Limits::default()
    };
    let text = serde_json::to_string(&some).unwrap();
    assert_eq!(serde_json::from_str::<Limits>(&text).unwrap(), some);
}

#[test]
fn d02_a_refusal_names_dimension_level_used_limit_and_reset() {
    let exceeded = Exceeded {
        level: Level::Key,
        dimension: Dimension::UsdDaily,
        used: 1_500_000_000,
        limit: 1_000_000_000,
        reset_at: Some(at("2026-11-26T00:00:00Z")),
        retry_after: 7200,
    };
    assert_eq!(
        exceeded.message(),
        "Quota exceeded: usd_daily of this key (1.5 of 1 USD used); resets at 2026-11-26T00:00:00Z."
    );
    assert!(exceeded.is_lasting());
}

proptest! {
    #[test]
    fn d01_every_instant_lies_in_its_window_and_windows_join(
        ms in 0_i64..4_000_000_000_000,
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu",
            "Pacific/Apia", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut"]),
        minute in 0_u16..1440,
    ) {
        let limits = Limits {
            zone: Zone(zone.to_owned()),
            daily_reset: DailyReset::At(minute),
            ..Limits::default()
        };
        for dimension in [Dimension::UsdDaily, Dimension::UsdWeekly, Dimension::UsdMonthly] {
            let Window::Fixed(now) = limits.window(dimension, UnixMs(ms)) else { panic!() };
            prop_assert!(now.previous <= now.current && now.current <= UnixMs(ms));
            prop_assert!(UnixMs(ms) < now.next && now.next <= now.after);
            let Window::Fixed(next) = limits.window(dimension, now.next) else { panic!() };
            prop_assert_eq!((next.previous, next.current, next.next), (now.current, now.next, now.after));
        }
    }
}
