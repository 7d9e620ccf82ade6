//! Every question gives what the records themselves give, whichever sums answer it.

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, UsageRecord};
use penstock_store::{
    Among, TrendFilter, UsageFilter, UsageGroup, UsageGrouping, UsageOrder, UsageSubject, UsageTotals,
};

use crate::bench::{Bench, on_both};
use crate::build::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

on_both!(
    e06_sums_agree_with_the_records_whatever_is_asked,
    e06_top_lists_come_in_the_order_that_was_asked_for,
    e06_records_are_filtered_by_session_status_outcome_and_tags,
    g06_trends_tell_how_calls_ended_and_how_long_they_took,
    g06_sessions_come_newest_first_with_their_last_provider,
);

/// Calls over five days: users, keys, providers, models, sessions and outcomes are mixed.
fn calls() -> Vec<UsageRecord> {
    let calls = (0..600_u64).map(|n| {
        let pick = |of: u64| u8::try_from(n * 7 % of).unwrap();
        let ago = i64::try_from(n).unwrap() * 12 * 60_000;
        let at = NOW.0 - ago;
        let base = record(n);
        let outcome = match n % 10 {
            7 => Outcome::Rejected,
            8 => Outcome::UpstreamError,
            9 => Outcome::ClientAbort,
            _ => Outcome::Succeeded,
        };
        let ms = u128::from(at.unsigned_abs());
        UsageRecord {
            id: penstock_core::id::RequestId(uuid::Uuid::from_u128(
                ms << 80 | 0x7000 << 64 | 0x8000 << 48 | u128::from(n),
            )),
            started_at: UnixMs(at),
            user_id: user_id(pick(3)),
            key_id: key_id(pick(5)),
            provider_id: (outcome != Outcome::Rejected).then(|| provider_id(pick(4))),
            model: format!("model-{}", n % 3),
            session: (n % 4 != 0).then(|| format!("session-{}", n % 6)),
            status: match outcome {
                Outcome::Rejected => 429,
                Outcome::UpstreamError => 529,
                Outcome::ClientAbort => 499,
                Outcome::Succeeded | Outcome::Interrupted | Outcome::Failed => 200,
            },
            code: (outcome == Outcome::Rejected).then(|| "RATE_LIMIT_EXCEEDED".to_owned()),
            outcome,
            attempts: if n % 5 == 0 { 2 } else { 1 },
            duration_ms: u32::try_from(n * 37 % 40_000).unwrap(),
            first_byte_ms: (n % 3 != 0).then_some(400),
            ..base
        }
    });
    calls.collect()
}

fn of(record: &UsageRecord) -> UsageTotals {
    let answered = record.outcome.answered();
    UsageTotals {
        requests: u64::from(answered),
        rejected: u64::from(!answered),
        unpriced_requests: 0,
        input_tokens: record.tokens.input,
        output_tokens: record.tokens.output,
        cache_read_tokens: record.tokens.cache_read,
        cache_write_tokens: record.tokens.cache_write,
        cache_write_1h_tokens: record.tokens.cache_write_1h,
        cache_write_12h_tokens: record.tokens.cache_write_12h,
        reasoning_tokens: record.tokens.reasoning,
        web_searches: record.tokens.web_searches.into(),
        audio_input_tokens: record.tokens.audio_input,
        image_input_tokens: record.tokens.image_input,
        audio_output_tokens: record.tokens.audio_output,
        image_output_tokens: record.tokens.image_output,
        cost: record.cost,
    }
}

fn sum<'a>(records: impl Iterator<Item = &'a UsageRecord>) -> UsageTotals {
    let mut sum = UsageTotals::default();
    for record in records {
        sum += of(record);
    }
    sum
}

fn matches(filter: &UsageFilter, record: &UsageRecord) -> bool {
    let among = |among: &Among| among.users.contains(&record.user_id) || among.keys.contains(&record.key_id);
    (filter.from.hour()..UnixMs(filter.to.0 - 1).hour().plus_ms(3_600_000)).contains(&record.started_at)
        && filter.user.is_none_or(|user| user == record.user_id)
        && filter.key.is_none_or(|key| key == record.key_id)
        && filter
            .provider
            .is_none_or(|provider| Some(provider) == record.provider_id)
        && filter.model.as_ref().is_none_or(|model| *model == record.model)
        && filter.among.as_ref().is_none_or(among)
        && filter
            .session
            .as_ref()
            .is_none_or(|session| Some(session) == record.session.as_ref())
        && filter
            .status
            .is_none_or(|(from, to)| (from..=to).contains(&record.status))
        && filter.outcome.is_none_or(|outcome| outcome == record.outcome)
}

fn subject(by: UsageGrouping, record: &UsageRecord) -> Option<UsageSubject> {
    Some(match by {
        UsageGrouping::User => UsageSubject::User(record.user_id),
        UsageGrouping::Key => UsageSubject::Key(record.key_id),
        UsageGrouping::Provider => UsageSubject::Provider(record.provider_id),
        UsageGrouping::Model => UsageSubject::Model(record.model.clone()),
        UsageGrouping::Hour => UsageSubject::Hour(record.started_at.hour()),
        UsageGrouping::Session => UsageSubject::Session(record.session.clone()?),
    })
}

fn span(from_ago: i64, to_ago: i64) -> UsageFilter {
    UsageFilter::span(UnixMs(NOW.0 - from_ago), UnixMs(NOW.0 - to_ago))
}

/// Spans that lie in hours, in a day, over days, over all; filters of every kind.
fn filters() -> Vec<UsageFilter> {
    let spans = [
        span(2 * HOUR, HOUR),
        span(DAY / 2, 0),
        span(3 * DAY + HOUR, HOUR),
        span(10 * DAY, -DAY),
        UsageFilter::span(UnixMs(NOW.0 / DAY * DAY - 2 * DAY), UnixMs(NOW.0 / DAY * DAY)),
    ];
    let among = Among {
        users: vec![user_id(2)],
        keys: vec![key_id(1), key_id(3)],
    };
    let restrict = |span: &UsageFilter| {
        [
            span.clone(),
            UsageFilter {
                user: Some(user_id(1)),
                ..span.clone()
            },
            UsageFilter {
                key: Some(key_id(2)),
                model: Some("model-1".into()),
                ..span.clone()
            },
            UsageFilter {
                provider: Some(provider_id(3)),
                ..span.clone()
            },
            UsageFilter {
                among: Some(among.clone()),
                ..span.clone()
            },
            UsageFilter {
                among: Some(Among::default()),
                ..span.clone()
            },
            UsageFilter {
                status: Some((500, 599)),
                ..span.clone()
            },
            UsageFilter {
                outcome: Some(Outcome::Rejected),
                ..span.clone()
            },
            UsageFilter {
                session: Some("session-1".into()),
                ..span.clone()
            },
        ]
    };
    spans.iter().flat_map(restrict).collect()
}

async fn filled(bench: &Bench) -> Vec<UsageRecord> {
    let calls = calls();
    for batch in calls.chunks(100) {
        bench.store.ingest_usage(batch, delivered(1)).await.unwrap();
    }
    calls
}

async fn e06_sums_agree_with_the_records_whatever_is_asked(bench: Bench) {
    let calls = filled(&bench).await;
    for filter in filters() {
        let asked: Vec<&UsageRecord> = calls.iter().filter(|call| matches(&filter, call)).collect();
        let totals = sum(asked.iter().copied());
        assert_eq!(
            bench.store.summarize_usage(&filter, None).await.unwrap().totals,
            totals,
            "{filter:?}"
        );
        for by in [
            UsageGrouping::User,
            UsageGrouping::Key,
            UsageGrouping::Provider,
            UsageGrouping::Model,
            UsageGrouping::Hour,
            UsageGrouping::Session,
        ] {
            let summary = bench.store.summarize_usage(&filter, Some(by)).await.unwrap();
            assert_eq!(summary.totals, totals, "{by:?} {filter:?}");
            for UsageGroup {
                subject: found,
                totals,
            } in &summary.groups
            {
                let own = asked
                    .iter()
                    .copied()
                    .filter(|call| subject(by, call).as_ref() == Some(found));
                assert_eq!(*totals, sum(own), "{found:?} {filter:?}");
            }
            let mut subjects: Vec<_> = asked.iter().filter_map(|call| subject(by, call)).collect();
            subjects.sort_by_key(|subject| format!("{subject:?}"));
            subjects.dedup();
            assert_eq!(summary.groups.len(), subjects.len(), "{by:?} {filter:?}");
        }
    }
}

async fn e06_top_lists_come_in_the_order_that_was_asked_for(bench: Bench) {
    filled(&bench).await;
    let all = span(10 * DAY, -DAY);
    for by in [
        UsageGrouping::User,
        UsageGrouping::Provider,
        UsageGrouping::Session,
    ] {
        for order in [UsageOrder::Cost, UsageOrder::Tokens, UsageOrder::Requests] {
            let top = bench.store.top_usage(&all, by, order, 2).await.unwrap();
            assert!(top.truncated && top.groups.len() == 2, "{by:?} {order:?}");
            let whole = bench.store.top_usage(&all, by, order, 1_000).await.unwrap();
            assert!(!whole.truncated);
            assert_eq!(whole.groups[..2], top.groups[..], "{by:?} {order:?}");
            assert_eq!(whole.totals, top.totals);
            let measure = |group: &UsageGroup| match order {
                UsageOrder::Cost => u64::try_from(group.totals.cost.0).unwrap(),
                UsageOrder::Requests => group.totals.requests,
                UsageOrder::Tokens => {
                    let t = &group.totals;
                    t.input_tokens
                        + t.output_tokens
                        + t.cache_read_tokens
                        + t.cache_write_tokens
                        + t.cache_write_1h_tokens
                        + t.cache_write_12h_tokens
                }
            };
            assert!(
                whole
                    .groups
                    .is_sorted_by_key(|group| std::cmp::Reverse(measure(group))),
                "{by:?} {order:?}"
            );
        }
    }
}

async fn e06_records_are_filtered_by_session_status_outcome_and_tags(bench: Bench) {
    let calls = filled(&bench).await;
    for filter in filters() {
        // Sums widen to hours, records do not.
        let filter = UsageFilter {
            from: filter.from.hour(),
            to: filter.to.hour(),
            ..filter
        };
        let asked = calls
            .iter()
            .filter(|call| (filter.from..filter.to).contains(&call.started_at));
        let asked: Vec<_> = asked
            .filter(|call| matches(&filter, call))
            .map(|call| call.id)
            .collect();
        let found = bench.store.usage_records(&filter, 1_000, None).await.unwrap();
        let found: Vec<_> = found.iter().map(|record| record.id).collect();
        assert_eq!(found, asked, "{filter:?}");
        assert_eq!(
            bench.store.count_usage(&filter).await.unwrap(),
            u64::try_from(asked.len()).unwrap()
        );
    }
}

async fn g06_trends_tell_how_calls_ended_and_how_long_they_took(bench: Bench) {
    let calls = filled(&bench).await;
    let all = TrendFilter {
        from: UnixMs(NOW.0 - 10 * DAY),
        to: UnixMs(NOW.0 + DAY),
        provider: None,
        model: None,
    };
    let trends = bench.store.usage_trends(&all).await.unwrap();
    let count =
        |test: &dyn Fn(&&UsageRecord) -> bool| u64::try_from(calls.iter().filter(test).count()).unwrap();
    let mut totals = penstock_store::Endings::default();
    for (_, hour) in &trends.hours {
        totals += *hour;
    }
    assert_eq!(totals.calls, 600);
    assert_eq!(
        totals.succeeded,
        count(&|call| call.outcome == Outcome::Succeeded)
    );
    assert_eq!(totals.failed, count(&|call| call.outcome.failed()));
    assert_eq!(totals.rejected, count(&|call| call.outcome == Outcome::Rejected));
    assert_eq!(totals.retried, count(&|call| call.attempts > 1));
    let again = count(&|call| call.attempts > 1 && call.outcome == Outcome::Succeeded);
    assert_eq!(totals.retried_succeeded, again);
    assert_eq!((totals.rate_limited, totals.upstream_rate_limited), (60, 0));
    let of_routes: u64 = trends.routes.iter().map(|route| route.endings.calls).sum();
    assert_eq!(of_routes, 600);
    let timed: u64 = trends.routes.iter().map(|route| route.duration.calls()).sum();
    assert_eq!(timed, count(&|call| call.outcome.answered()));
    let kinds: Vec<_> = trends
        .kinds
        .iter()
        .map(|kind| (kind.status, kind.code.as_str(), kind.calls))
        .collect();
    assert_eq!(
        kinds,
        [(499, "", 60), (429, "RATE_LIMIT_EXCEEDED", 60), (529, "", 60)]
    );
    let one = TrendFilter {
        provider: Some(provider_id(1)),
        model: Some("model-1".to_owned()),
        ..all
    };
    let trends = bench.store.usage_trends(&one).await.unwrap();
    assert_eq!(trends.routes.len(), 1);
    let own: Vec<u64> = calls
        .iter()
        .filter(|call| call.provider_id == Some(provider_id(1)) && call.model == "model-1")
        .map(|call| call.duration_ms.into())
        .collect();
    let duration = &trends.routes[0].duration;
    assert_eq!(
        (duration.calls(), duration.sum_ms),
        (u64::try_from(own.len()).unwrap(), own.iter().sum())
    );
}

async fn g06_sessions_come_newest_first_with_their_last_provider(bench: Bench) {
    let calls = filled(&bench).await;
    let all = span(10 * DAY, -DAY);
    let sessions = bench.store.sessions(&all, 100).await.unwrap();
    assert_eq!(sessions.len(), 6);
    assert!(sessions.is_sorted_by_key(|session| std::cmp::Reverse(session.last_call)));
    for session in &sessions {
        let own: Vec<_> = calls
            .iter()
            .filter(|call| call.session.as_ref() == Some(&session.id))
            .collect();
        assert_eq!(session.calls, u64::try_from(own.len()).unwrap());
        assert_eq!(
            (session.last_call, session.provider),
            (own[0].started_at, own[0].provider_id)
        );
        assert_eq!(session.cost, NanoUsd(own.iter().map(|call| call.cost.0).sum()));
    }
    assert_eq!(bench.store.sessions(&all, 2).await.unwrap(), sessions[..2]);
}
