//! P2: what the data plane adds to the latency of a direct connection, at a fixed rate and at one connection.
//!
//! Added means: the percentile through the data plane less the same percentile without it, in the same round.

use std::time::Duration;

use anyhow::{Context, Result};

use super::rounds::{Rounds, alternate};
use super::{Bench, Mark};
use crate::body;
use crate::load::{Expect, Outcome, Span, closed, open};
use crate::report::{Bound, Row, micros, time};
use crate::stand::Way;

const REQUEST_BYTES: usize = 1024;
const PER_SECOND: u32 = 1000;
/// They take turns: each has 32 ms for an answer before its next request is due.
const CONNECTIONS: u32 = 32;
const WARM_UP: Duration = Duration::from_millis(500);

pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let ways = bench.ways();
    let steady = alternate(bench, "P2 1000 requests/s", &ways, async |way| {
        at_rate(bench, way).await
    })
    .await?;
    let alone = alternate(bench, "P2 one connection", &ways, async |way| {
        alone(bench, way).await
    })
    .await?;
    let cost = Row::new(
        Mark::P2,
        "1 000 requests/s: CPU per request".to_owned(),
        steady.data_plane(Outcome::cpu_micros)?,
    );
    Ok(vec![
        cost.beside("nginx", steady.series(Way::Nginx, Outcome::cpu_micros)),
        added(&steady, "1 000 requests/s: p50 added", median)?.goal(Bound::Micros(150.0)),
        added(&steady, "1 000 requests/s: p99 added", p99)?
            .first_mark(Bound::Micros(1000.0))
            .goal(Bound::Micros(500.0)),
        added(&alone, "one connection: p50 added", median)?.goal(Bound::Micros(60.0)),
    ])
}

pub(super) async fn exercise(bench: &Bench<'_>) -> Result<Outcome> {
    at_rate(bench, Way::DataPlane).await
}

async fn at_rate(bench: &Bench<'_>, way: Way) -> Result<Outcome> {
    let target = bench
        .stand
        .target(way, &body::small(REQUEST_BYTES)?, Expect::Whole)?;
    let span = Span {
        warm_up: WARM_UP,
        measure: bench.span,
    };
    let rate = open::Rate {
        per_second: PER_SECOND,
        connections: CONNECTIONS,
        span,
    };
    open::run(&target, rate, bench.stand.watched(way)).await
}

async fn alone(bench: &Bench<'_>, way: Way) -> Result<Outcome> {
    let target = bench
        .stand
        .target(way, &body::small(REQUEST_BYTES)?, Expect::Whole)?;
    let span = Span {
        warm_up: WARM_UP / 2,
        measure: bench.span / 2,
    };
    closed::run(
        &target,
        closed::Load {
            connections: 1,
            span,
            spread: Duration::ZERO,
        },
        bench.stand.watched(way),
    )
    .await
}

fn added(rounds: &Rounds, work: &str, figure: impl Fn(&Outcome) -> Option<f64>) -> Result<Row> {
    let added = rounds
        .added(Way::DataPlane, &figure)
        .context("no latency was measured")?;
    let direct = rounds
        .series(Way::Direct, &figure)
        .context("no direct latency was measured")?;
    Ok(Row::new(Mark::P2, work.to_owned(), added)
        .beside("nginx adds", rounds.added(Way::Nginx, &figure))
        .detail(format!("direct {}", time(direct.median))))
}

fn median(outcome: &Outcome) -> Option<f64> {
    outcome.whole.median().map(micros)
}

fn p99(outcome: &Outcome) -> Option<f64> {
    outcome.whole.p99().map(micros)
}
