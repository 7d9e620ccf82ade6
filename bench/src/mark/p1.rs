//! P1: small requests, not streamed, as fast as they go: CPU time per request beside nginx's, without limits, and with
//! limits on key and user in the process and in Redis.

use std::time::Duration;

use anyhow::{Context, Result};

use super::rounds::{Rounds, alternate};
use super::{Bench, Mark};
use crate::body;
use crate::load::closed::{Load, run};
use crate::load::{Expect, Outcome, Span};
use crate::report::{Bound, Row};
use crate::stand::Way;

const REQUEST_BYTES: usize = 1024;
const CONNECTIONS: [u32; 2] = [16, 64];
const WARM_UP: Duration = Duration::from_millis(500);

pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for connections in CONNECTIONS {
        let mut ways = bench.proxies();
        ways.push(Way::LimitsInProcess);
        ways.extend(bench.stand.has_redis().then_some(Way::LimitsInRedis));
        let title = format!("P1 {connections} connections");
        let rounds = alternate(bench, &title, &ways, async |way| {
            load(bench, way, connections).await
        })
        .await?;
        let work = format!("1 KB in, 400 B out, {connections} connections");
        let without = row(&rounds, Way::DataPlane, format!("{work}: CPU per request"))?;
        rows.push(without.first_mark(Bound::Ratio(4.0)).goal(Bound::Ratio(1.5)));
        let work = format!("{connections} connections, limits");
        rows.extend(limited(
            &rounds,
            Way::LimitsInProcess,
            &format!("{work} in process"),
            1.5,
        )?);
        if bench.stand.has_redis() {
            rows.extend(limited(
                &rounds,
                Way::LimitsInRedis,
                &format!("{work} in Redis"),
                2.0,
            )?);
        }
    }
    Ok(rows)
}

fn row(rounds: &Rounds, way: Way, work: String) -> Result<Row> {
    let of =
        |figure: fn(&Outcome) -> Option<f64>| rounds.series(way, figure).context("a way without a figure");
    let rate = of(|outcome| Some(outcome.per_second()))?;
    Ok(Row::new(Mark::P1, work, of(Outcome::cpu_micros)?)
        .beside("nginx", rounds.series(Way::Nginx, Outcome::cpu_micros))
        .detail(format!("{:.0} requests/s", rate.median)))
}

/// What a request costs with limits, what of it is theirs, and what it costs the Redis.
fn limited(rounds: &Rounds, way: Way, work: &str, goal: f64) -> Result<Vec<Row>> {
    let all = row(rounds, way, format!("{work}: CPU per request"))?;
    let theirs = rounds
        .more(way, Way::DataPlane, Outcome::cpu_micros)
        .context("a way without a figure")?;
    let mut rows = vec![
        all.first_mark(Bound::Ratio(3.0)).goal(Bound::Ratio(goal)),
        Row::new(Mark::P1, format!("{work}: what of it is theirs"), theirs),
    ];
    let redis = rounds.series(way, Outcome::redis_micros);
    rows.extend(redis.map(|redis| {
        Row::new(
            Mark::P1,
            format!("{work}: CPU of Redis itself per request"),
            redis,
        )
    }));
    Ok(rows)
}

pub(super) async fn exercise(bench: &Bench<'_>) -> Result<Outcome> {
    load(bench, Way::DataPlane, 16).await
}

async fn load(bench: &Bench<'_>, way: Way, connections: u32) -> Result<Outcome> {
    let target = bench
        .stand
        .target(way, &body::small(REQUEST_BYTES)?, Expect::Whole)?;
    let span = Span {
        warm_up: WARM_UP,
        measure: bench.span,
    };
    run(
        &target,
        Load {
            connections,
            span,
            spread: Duration::ZERO,
        },
        bench.stand.watched(way),
    )
    .await
}
