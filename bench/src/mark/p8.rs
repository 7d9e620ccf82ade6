//! P8: admissions in Redis through the product's own client, beside `redis-benchmark` with the same script and arguments.
//!
//! Each begins with counters just made from an empty ledger. How many script calls were answered is Redis's own count on
//! both sides. The client's calls are of many users; `redis-benchmark` can vary one number only, which is the request's
//! id, so its calls are of one user.

mod accounts;
mod client;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

use super::{Bench, Mark};
use crate::report::{Bound, Row, Series, micros, progress};
use crate::stand::{Meter, Redis, RedisBenchmark};
use accounts::Accounts;
use client::{Client, Flow};

/// Calls under way at once; connections of `redis-benchmark`.
const IN_FLIGHT: usize = 64;
/// Users, each with a key.
const USERS: u8 = 100;
const WARM_UP: Duration = Duration::from_millis(500);
const SYSTEMS: [System; 3] = [
    System::Reference,
    System::Client(Flow::Admit),
    System::Client(Flow::AdmitAndSettle),
];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Reference,
    Client(Flow),
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Script calls by Redis's count, and requests that the client has finished.
    scripts: f64,
    finished: f64,
    /// Script calls for each request, from the first to the last.
    calls_each: f64,
    time: Duration,
    redis: Duration,
}

pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let Some(redis) = bench.stand.spare_redis().await? else {
        return Ok(Vec::new());
    };
    let accounts = Accounts::new(USERS);
    let client = Client::connect(&redis.url()).await?;
    let mut paces: [Vec<Pace>; 3] = Default::default();
    for round in 1..=bench.rounds {
        for (system, paces) in SYSTEMS.iter().zip(&mut paces) {
            let title = format!("P8 round {round} of {}, {system:?}", bench.rounds);
            let pace = once(bench, &redis, &client, &accounts, (*system, &title));
            paces.extend(pace.await.context(title.clone())?);
        }
    }
    let [reference, admit, both] = paces;
    rows(&reference, &admit, &both)
}

/// None where `redis-benchmark` is not installed.
async fn once(
    bench: &Bench<'_>,
    redis: &Redis,
    client: &Client,
    accounts: &Accounts,
    (system, title): (System, &str),
) -> Result<Option<Pace>> {
    bench.stand.settle().await?;
    progress(title);
    redis.flush().await?;
    client.seed(accounts).await?;
    let done = AtomicU64::new(0);
    match system {
        System::Client(flow) => {
            let before = redis.script_calls().await?;
            let load = client.load(accounts, flow, IN_FLIGHT);
            let pace = pace(bench, redis, &[], load.finished(), title).await?;
            let finished = load.end().await?;
            let calls_each = count(redis.script_calls().await? - before) / count(finished);
            Ok(Some(Pace { calls_each, ..pace }))
        }
        System::Reference => {
            let words = words(redis, client, accounts).await?;
            let running = bench.stand.redis_benchmark(redis, IN_FLIGHT, &words)?;
            let Some(running) = running.as_ref().map(RedisBenchmark::meter) else {
                return Ok(None);
            };
            Ok(Some(pace(bench, redis, &[running], &done, title).await?))
        }
    }
}

/// The client's own admission as a command of which each one has another request id.
async fn words(redis: &Redis, client: &Client, accounts: &Accounts) -> Result<Vec<String>> {
    let mut monitor = redis.monitor().await?;
    let request = client.admit_one(accounts).await?;
    let (stem, _) = request.rsplit_once('-').context("an id has parts")?;
    let words = monitor.script_call().await?;
    let word = |word: String| {
        if word == request {
            format!("{stem}-__rand_int__")
        } else {
            word
        }
    };
    Ok(words.into_iter().map(word).collect())
}

async fn pace(
    bench: &Bench<'_>,
    redis: &Redis,
    more: &[&Meter],
    finished: &AtomicU64,
    title: &str,
) -> Result<Pace> {
    let own = [more, &[redis.meter()]].concat();
    sleep(WARM_UP).await;
    let activity = bench.stand.activity_with(&own)?;
    let (scripts, cpu) = (redis.script_calls().await?, redis.meter().read()?);
    let (begun, finished_before) = (Instant::now(), finished.load(Ordering::Relaxed));
    sleep(bench.span).await;
    let (scripts_after, cpu_after) = (redis.script_calls().await?, redis.meter().read()?);
    let (time, finished_after) = (begun.elapsed(), finished.load(Ordering::Relaxed));
    let others = bench.stand.activity_with(&own)?.others_since(&activity);
    bench.others_used(title, others);
    Ok(Pace {
        scripts: count(scripts_after - scripts),
        finished: count(finished_after - finished_before),
        calls_each: 0.0,
        time,
        redis: cpu_after.since(cpu),
    })
}

fn count(calls: u64) -> f64 {
    u32::try_from(calls).map_or(f64::MAX, f64::from)
}

fn rows(reference: &[Pace], admit: &[Pace], both: &[Pace]) -> Result<Vec<Row>> {
    let series = |paces: &[Pace], figure: fn(&Pace) -> f64| Series::new(paces.iter().map(figure).collect());
    let row = |work: &str, paces: &[Pace], figure: fn(&Pace) -> f64| -> Result<Row> {
        let figures = series(paces, figure).context("P8 has rounds")?;
        Ok(Row::new(Mark::P8, work.to_owned(), figures))
    };
    let rate: fn(&Pace) -> f64 = |pace| pace.scripts / pace.time.as_secs_f64();
    let cpu: fn(&Pace) -> f64 = |pace| micros(pace.redis) / pace.scripts;
    Ok(vec![
        row("admissions in Redis, 64 in flight on one connection", admit, rate)?
            .per_second()
            .beside("redis-benchmark", series(reference, rate))
            .first_mark(Bound::RatioFrom(0.7)),
        row("CPU of Redis per admission", admit, cpu)?.beside("redis-benchmark", series(reference, cpu)),
        row("script calls per admission", admit, |pace| pace.calls_each)?
            .in_times()
            .first_mark(Bound::Times(1.0)),
        row(
            "admitted and settled, 64 in flight on one connection",
            both,
            |pace| pace.finished / pace.time.as_secs_f64(),
        )?
        .per_second(),
        row("CPU of Redis per admission and settlement", both, |pace| {
            micros(pace.redis) / pace.finished
        })?,
    ])
}
