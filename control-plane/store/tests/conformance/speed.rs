//! Many rows: every usual question is answered in time, and cleaning does not stop ingest.
//!
//! By default with a few thousand rows and without looking at the clock. With `PENSTOCK_TEST_ROWS=5000000` it fills so many,
//! measures, prints what each question took and holds all of them to [`IN_TIME`]:
//! `PENSTOCK_TEST_ROWS=5000000 ./test -p penstock-store e06_five_million --no-capture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, UsageRecord};
use penstock_store::{Backend, Retained, Store, TrendFilter, UsageFilter, UsageGrouping, UsageOrder};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use crate::bench::{Bench, on_database, run};
use crate::build::*;

const IN_TIME: Duration = Duration::from_millis(200);
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const FEW: u64 = 5_000;

const FILL: &str = include_str!("fill.sql");
const MIGRATION: &str = include_str!("../../../../migrations/postgres/0020_add_retention_and_sums.sql");

/// What took how long.
struct Watch {
    measured: bool,
    slow: Vec<String>,
}

impl Watch {
    fn note(&mut self, what: &str, best: Duration) {
        if !self.measured {
            return;
        }
        println!("{:8.1} ms  {what}", best.as_secs_f64() * 1000.0);
        if best > IN_TIME {
            self.slow.push(format!("{what}: {best:?}"));
        }
    }
}

/// Asks, and looks at the clock: the best of three, as of a server that is not busy otherwise.
macro_rules! ask {
    ($watch:ident, $what:expr, $question:expr) => {{
        let mut best = Duration::MAX;
        for _ in 0..if $watch.measured { 2 } else { 0 } {
            let began = Instant::now();
            $question.await.unwrap();
            best = best.min(began.elapsed());
        }
        let began = Instant::now();
        let answer = $question.await.unwrap();
        $watch.note($what, best.min(began.elapsed()));
        answer
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e06_five_million_rows_are_asked_in_time_and_cleaned_without_stopping_ingest() {
    let rows = std::env::var("PENSTOCK_TEST_ROWS")
        .ok()
        .and_then(|rows| rows.parse().ok());
    run(Backend::Postgres, move |bench: Bench| async move {
        fill(&bench, rows.unwrap_or(FEW)).await;
        let mut watch = Watch {
            measured: rows.is_some(),
            slow: Vec::new(),
        };
        ask_for_sums(&bench.store, &mut watch).await;
        ask_for_records(&bench, &mut watch).await;
        clean_while_records_come(&bench, &mut watch).await;
        assert!(watch.slow.is_empty(), "{:#?}", watch.slow);
    })
    .await;
}

async fn fill(bench: &Bench, rows: u64) {
    let text = FILL
        .replace("NOW_MS", &NOW.0.to_string())
        .replace("ROWS", &rows.to_string());
    let mut connection = PgConnection::connect(&bench.url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    // The sums of what was there before a release.
    let (_, sums) = MIGRATION
        .split_once("Sound and pictures were not told apart.\n")
        .unwrap();
    on_database(&bench.url, sums.to_owned()).await;
    on_database(&bench.url, "VACUUM ANALYZE".to_owned()).await;
}

fn last(days: i64) -> UsageFilter {
    UsageFilter::span(UnixMs(NOW.0 - days * DAY), NOW)
}

/// The one with the most calls.
fn busy_user() -> UserId {
    UserId(Uuid::from_u128(0x7000_8000 << 48))
}

fn busy_key() -> KeyId {
    KeyId(Uuid::from_u128(0x7000_9000 << 48))
}

async fn ask_for_sums(store: &Arc<dyn Store>, watch: &mut Watch) {
    use UsageGrouping::{Hour, Key, Model, Provider, Session, User};
    for (days, name) in [(1, "day"), (30, "month")] {
        for by in [User, Key, Provider, Model] {
            let (filter, what) = (last(days), format!("summary of a {name} by {by:?}"));
            let summary = ask!(watch, &what, store.summarize_usage(&filter, Some(by)));
            assert!(!summary.groups.is_empty() && !summary.truncated, "{what}");
            let sum: u64 = summary.groups.iter().map(|group| group.totals.requests).sum();
            assert_eq!(sum, summary.totals.requests, "{what}");
        }
    }
    let (day, month) = (last(1), last(30));
    let of_user = UsageFilter {
        user: Some(busy_user()),
        ..month.clone()
    };
    let of_provider = UsageFilter {
        provider: Some(ProviderId(Uuid::from_u128(0x7000_a000 << 48 | 2))),
        ..month.clone()
    };
    for (what, filter, by) in [
        ("series of 30 days", &month, Hour),
        ("series of 30 days of a user", &of_user, Hour),
        ("month of a user by model", &of_user, Model),
        ("month of a provider by user", &of_provider, User),
    ] {
        let summary = ask!(watch, what, store.summarize_usage(filter, Some(by)));
        assert!(!summary.groups.is_empty(), "{what}");
    }
    for order in [UsageOrder::Cost, UsageOrder::Tokens, UsageOrder::Requests] {
        let what = format!("top 10 users of a month by {order:?}");
        let top = ask!(watch, &what, store.top_usage(&month, User, order, 10));
        assert!(top.groups.len() <= 10);
    }
    let sessions = store
        .top_usage(&day, Session, UsageOrder::Cost, 10)
        .await
        .unwrap();
    assert!(!sessions.groups.is_empty());
    let by = UsageOrder::Cost;
    ask!(
        watch,
        "top 10 sessions of a day",
        store.top_usage(&day, Session, by, 10)
    );
    let trend = TrendFilter {
        from: day.from,
        to: day.to,
        provider: None,
        model: None,
    };
    let trends = ask!(watch, "error trends of a day", store.usage_trends(&trend));
    assert!(!trends.hours.is_empty() && !trends.routes.is_empty());
}

/// Single records, as operators look for them.
fn searches() -> Vec<(&'static str, UsageFilter)> {
    let all = last(30);
    let of_key = UsageFilter {
        key: Some(busy_key()),
        ..all.clone()
    };
    let status = |of: &UsageFilter, from, to| UsageFilter {
        status: Some((from, to)),
        ..of.clone()
    };
    let outcome = |outcome| UsageFilter {
        outcome: Some(outcome),
        ..all.clone()
    };
    let model = |of: &UsageFilter, model: &str| UsageFilter {
        model: Some(model.to_owned()),
        ..of.clone()
    };
    vec![
        ("newest records", all.clone()),
        ("newest records of a key", of_key.clone()),
        ("newest records of a key with 5xx", status(&of_key, 500, 599)),
        ("newest records of a key and a model", model(&of_key, "model-0")),
        ("newest records with 529", status(&all, 529, 529)),
        ("newest rejected records", outcome(Outcome::Rejected)),
        (
            "records that broke off, of which there are none",
            outcome(Outcome::Interrupted),
        ),
        ("records of a model that nobody asked for", model(&all, "none")),
    ]
}

async fn ask_for_records(bench: &Bench, watch: &mut Watch) {
    let store = &bench.store;
    let mut session = None;
    for (what, filter) in &searches() {
        let records = ask!(watch, what, store.usage_records(filter, 100, None));
        session = session.or_else(|| records.first().and_then(|record| record.session.clone()));
    }
    assert!(session.is_some());
    let of_session = UsageFilter { session, ..last(60) };
    let records = ask!(watch, "one session", store.usage_records(&of_session, 100, None));
    let id = records[0].id;
    assert!(ask!(watch, "one call", store.usage_record(id)).is_some());
    let month = last(30);
    let page = ask!(
        watch,
        "first page of an export",
        store.usage_after(&month, None, 1_000)
    );
    assert!(!page.is_empty());
    let hour = UsageFilter::span(UnixMs(NOW.0 - HOUR), NOW);
    assert!(!ask!(watch, "sessions of an hour", store.sessions(&hour, 100)).is_empty());
}

/// A partition is dropped and rows are deleted while another replica takes batches in.
async fn clean_while_records_come(bench: &Bench, watch: &mut Watch) {
    let replica = bench.another().await;
    let before = UnixMs(NOW.0 - 58 * DAY);
    // The hours before those in which records come now.
    let span = UsageFilter::span(UnixMs(0), UnixMs(NOW.0 - HOUR));
    let sums = bench
        .store
        .summarize_usage(&span, None)
        .await
        .unwrap()
        .totals
        .requests;
    let done = Arc::new(AtomicBool::new(false));
    let mut cleaning = JoinSet::new();
    {
        let (store, done) = (Arc::clone(&bench.store), Arc::clone(&done));
        cleaning.spawn(async move {
            let (mut rows, mut longest) = (0, Duration::ZERO);
            loop {
                let began = Instant::now();
                let step = store.clean(Retained::UsageRecords, before, NOW).await.unwrap();
                longest = longest.max(began.elapsed());
                rows += step.rows;
                if !step.more {
                    done.store(true, Ordering::Release);
                    return (rows, longest);
                }
                tokio::time::sleep(began.elapsed()).await;
            }
        });
    }
    let (mut batches, mut longest) = (0_u64, Duration::ZERO);
    while !done.load(Ordering::Acquire) || batches < 5 {
        let batch: Vec<UsageRecord> = (0..100).map(|n| record(batches * 100 + n)).collect();
        let began = Instant::now();
        assert_eq!(
            replica.ingest_usage(&batch, delivered(1)).await.unwrap().fresh,
            100
        );
        longest = longest.max(began.elapsed());
        batches += 1;
    }
    let (rows, step) = cleaning.join_next().await.unwrap().unwrap();
    assert!(rows > 0);
    assert_eq!(
        bench
            .store
            .summarize_usage(&span, None)
            .await
            .unwrap()
            .totals
            .requests,
        sums
    );
    if watch.measured {
        println!(
            "cleaned {rows} rows, longest step {step:?}; meanwhile {batches} batches of 100, the longest {longest:?}"
        );
        if longest > Duration::from_secs(2) {
            watch
                .slow
                .push(format!("a batch took {longest:?} while old records were cleaned"));
        }
    }
    replica.close().await;
}
