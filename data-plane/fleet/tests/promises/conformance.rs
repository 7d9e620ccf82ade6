//! Small promises of both implementations. Behaviours D1, D2, D3, D4, D6.

use futures::future::join_all;
use penstock_core::limits::{Budget, Dimension, Exceeded, Level, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_fleet::account::SubjectName;
use penstock_fleet::counters::Verdict;

use crate::bench::{Bench, Limited, NOON, on_both, user};
use crate::world::{call, key};

const TOTAL: Dimension = Dimension::UsdTotal;

pub(crate) fn total(limit: i64) -> Limits {
    Limits {
        usd_total: NanoUsd(limit),
        ..Limits::default()
    }
}

pub(crate) fn strict(limit: i64) -> Limits {
    Limits {
        budget: Budget::Strict,
        ..total(limit)
    }
}

#[tokio::test]
async fn d03_of_fifty_calls_at_once_exactly_ten_fit_into_ten_a_minute() {
    on_both(NOON, async |bench| {
        let limited = user(Limits {
            rpm: 10,
            ..Limits::default()
        });
        let answers = join_all((0..50).map(|_| bench.admit(&limited))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
        let refused = answers.into_iter().find_map(Result::err).unwrap();
        let expected = Exceeded {
            level: Level::User,
            dimension: Dimension::Rpm,
            used: 10,
            limit: 10,
            reset_at: None,
            retry_after: 61,
        };
        assert_eq!(refused, expected);
        bench.step(60_999);
        assert!(bench.admit(&limited).await.is_err());
        bench.step(1);
        assert!(bench.admit(&limited).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn d03_a_refusal_takes_nothing_of_the_key_or_its_user() {
    on_both(NOON, async |bench| {
        let mut limited = user(Limits {
            concurrent_requests: 1,
            rpm: 9,
            ..total(100)
        });
        limited.key = Limits {
            rpm: 9,
            tpm: 90,
            concurrent_sessions: 9,
            concurrent_requests: 9,
            ..strict(100)
        };
        (limited.tokens, limited.money, limited.session) = (5, 7, Some("one"));
        let (id, admitted) = bench.admit(&limited).await.unwrap();
        let before = bench.read(&limited).await.unwrap();
        limited.session = Some("two");
        assert_eq!(
            bench.admit(&limited).await.unwrap_err().dimension,
            Dimension::ConcurrentRequests
        );
        assert_eq!(bench.read(&limited).await.unwrap(), before);
        // The other way round: the user's would fit, the key's does not.
        bench.settle(id, admitted.at.0, &limited, 0).await;
        let before = bench.read(&limited).await.unwrap();
        limited.money = 94;
        let refused = bench.admit(&limited).await.unwrap_err();
        assert_eq!((refused.level, refused.dimension), (Level::Key, TOTAL));
        assert_eq!(bench.read(&limited).await.unwrap(), before);
    })
    .await;
}

/// Without the limit in one dimension.
fn without(limits: &mut Limits, dimension: Dimension) {
    match dimension {
        Dimension::UsdTotal => limits.usd_total = NanoUsd(0),
        Dimension::ConcurrentSessions => limits.concurrent_sessions = 0,
        Dimension::ConcurrentRequests => limits.concurrent_requests = 0,
        Dimension::Rpm => limits.rpm = 0,
        Dimension::Tpm => limits.tpm = 0,
        Dimension::Usd5h => limits.usd_5h = NanoUsd(0),
        Dimension::UsdDaily => limits.usd_daily = NanoUsd(0),
        Dimension::UsdWeekly => limits.usd_weekly = NanoUsd(0),
        Dimension::UsdMonthly => limits.usd_monthly = NanoUsd(0),
    }
}

#[tokio::test]
async fn d02_refusals_name_limits_in_their_order_and_the_key_before_its_user() {
    on_both(NOON, async |bench| {
        let one = NanoUsd(1);
        let full = Limits {
            rpm: 1,
            tpm: 1,
            usd_5h: one,
            usd_daily: one,
            usd_weekly: one,
            usd_monthly: one,
            usd_total: one,
            concurrent_sessions: 1,
            concurrent_requests: 1,
            ..Limits::default()
        };
        let mut limited = user(full.clone());
        limited.key = full;
        (limited.tokens, limited.money, limited.session) = (1, 1, Some("one"));
        bench.admit(&limited).await.unwrap();
        limited.session = Some("two");
        for dimension in Dimension::ALL {
            for level in [Level::Key, Level::User] {
                let refused = bench.admit(&limited).await.unwrap_err();
                assert_eq!((refused.dimension, refused.level), (dimension, level));
                limited.version += 1;
                match level {
                    Level::Key => without(&mut limited.key, dimension),
                    Level::User | Level::Provider => without(&mut limited.user, dimension),
                }
            }
        }
        bench.admit(&limited).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn property_8_a_caller_with_a_wrong_clock_is_told_and_widens_nothing() {
    const DAY: i64 = 86_400_000;
    on_both(NOON, async |bench| {
        let limited = user(Limits {
            usd_daily: NanoUsd(10),
            ..Limits::default()
        });
        bench.spend(&Limited { ..limited.money(10) }).await;
        let limited = user(Limits {
            usd_daily: NanoUsd(10),
            ..Limits::default()
        });
        for days in [-40, -3, 3, 40] {
            let subjects = limited.subjects(NOON + days * DAY);
            let verdict = bench.ask(call(bench.id(), subjects), None).await;
            assert_eq!(verdict, Verdict::Clock(UnixMs(NOON)), "{days}");
        }
        // A day off, today is still among the windows that the caller knows.
        for days in [-1, 1, 0] {
            let subjects = limited.subjects(NOON + days * DAY);
            let verdict = bench.ask(call(bench.id(), subjects), None).await;
            let Verdict::Refused(refused) = verdict else {
                panic!("{days}: {verdict:?}")
            };
            assert_eq!((refused.used, refused.limit), (10, 10));
            assert_eq!(refused.reset_at, Some(UnixMs(NOON + DAY / 2)));
        }
    })
    .await;
}

#[tokio::test]
async fn property_8_time_that_goes_back_stands_still() {
    on_both(NOON, async |bench| {
        let limited = user(Limits {
            rpm: 1,
            ..Limits::default()
        });
        bench.admit(&limited).await.unwrap();
        bench.step(30_000);
        assert!(bench.admit(&limited).await.is_err());
        bench.step(-86_400_000);
        assert!(bench.admit(&limited).await.is_err());
        bench.step_to(NOON + 61_000);
        assert!(bench.admit(&limited).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn d03_sessions_count_until_they_are_idle() {
    on_both(NOON, async |bench: Bench| {
        let mut limited = user(Limits {
            concurrent_sessions: 1,
            ..Limits::default()
        });
        limited.key.concurrent_sessions = 5;
        limited.session = Some("one");
        bench.spend(&limited).await;
        bench.spend(&limited).await;
        limited.session = Some("two");
        let refused = bench.admit(&limited).await.unwrap_err();
        assert_eq!(
            (refused.level, refused.used, refused.retry_after),
            (Level::User, 1, 300)
        );
        let sessions = Dimension::ConcurrentSessions;
        assert_eq!(bench.used_by(key(0), &limited, sessions).await, (1, 0));
        bench.step(300_000);
        assert_eq!(bench.used_by(SubjectName::User, &limited, sessions).await, (0, 0));
        bench.spend(&limited).await;
        limited.session = None;
        bench.spend(&limited).await;
    })
    .await;
}
