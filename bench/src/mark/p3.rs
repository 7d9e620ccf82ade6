//! P3: a coding agent's requests of 100 KB, 1 MB and 3 MB, with streamed answers: CPU time per request beside nginx's, and
//! the time to the first content event added to a direct connection's.
//!
//! The closed loop's connections start spread over the length of a stream, so that large bodies do not arrive in step.
//! Fewer connections for larger bodies keep the machine below its limit: a full one would measure its queue.

use anyhow::{Context, Result};

use super::rounds::{Rounds, alternate};
use super::{Bench, Mark};
use crate::body;
use crate::load::closed::{Load, run};
use crate::load::{Expect, Outcome, Span};
use crate::report::{Bound, Row, Series, micros, time};
use crate::stand::{EVENT_PACE, STREAM_EVENTS, Way};

/// One size of bodies.
#[derive(Clone, Copy, Debug)]
struct Size {
    name: &'static str,
    bytes: usize,
    connections: u32,
}

const SMALL: Size = Size {
    name: "100 KB",
    bytes: 100_000,
    connections: 96,
};
const MIDDLE: Size = Size {
    name: "1 MB",
    bytes: 1_000_000,
    connections: 32,
};
const LARGE: Size = Size {
    name: "3 MB",
    bytes: 3_000_000,
    connections: 12,
};
/// Linear growth from 1 MB to 3 MB, and a tenth for the noise.
const LINEAR: f64 = 3.3;

pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut costs = Vec::new();
    for size in [SMALL, MIDDLE, LARGE] {
        let title = format!("P3 {}", size.name);
        let rounds = alternate(bench, &title, &ways(bench, size), async |way| {
            load(bench, way, size).await
        })
        .await?;
        rows.push(cost(&rounds, size)?);
        rows.extend(unbuffered(&rounds, size)?);
        rows.push(first_content(&rounds, size)?);
        costs.push(rounds);
    }
    let [_, middle, large] = costs.as_slice() else {
        return Ok(rows);
    };
    rows.push(growth(middle, large)?);
    Ok(rows)
}

fn ways(bench: &Bench<'_>, size: Size) -> Vec<Way> {
    let mut ways = bench.ways();
    if size.bytes == MIDDLE.bytes && ways.contains(&Way::Nginx) {
        ways.push(Way::NginxUnbuffered);
    }
    ways
}

pub(super) async fn exercise(bench: &Bench<'_>) -> Result<Outcome> {
    load(bench, Way::DataPlane, MIDDLE).await
}

async fn load(bench: &Bench<'_>, way: Way, size: Size) -> Result<Outcome> {
    let target = bench
        .stand
        .target(way, &body::agent(size.bytes)?, Expect::Stream)?;
    let stream = EVENT_PACE * STREAM_EVENTS;
    // When the last connection has started, the first one's stream ends: all are at different places.
    // The direct connection is only asked for its latency.
    let halves = if way == Way::Direct { 1 } else { 2 };
    let span = Span {
        warm_up: stream + EVENT_PACE,
        measure: bench.span * halves / 2,
    };
    run(
        &target,
        Load {
            connections: size.connections,
            span,
            spread: stream,
        },
        bench.stand.watched(way),
    )
    .await
}

fn cost(rounds: &Rounds, size: Size) -> Result<Row> {
    let work = format!(
        "agent's {} in, {STREAM_EVENTS} events out: CPU per request",
        size.name
    );
    let rate = rounds.data_plane(|outcome| Some(outcome.per_second()))?;
    let row = Row::new(Mark::P3, work, rounds.data_plane(Outcome::cpu_micros)?)
        .beside("nginx", rounds.series(Way::Nginx, Outcome::cpu_micros))
        .detail(format!("{:.0} requests/s", rate.median));
    if size.bytes == MIDDLE.bytes {
        return Ok(row.first_mark(Bound::Ratio(3.0)).goal(Bound::Ratio(2.0)));
    }
    Ok(row)
}

/// Beside an nginx that holds no body back: no gateway that inspects bodies can work like this, but no file is written.
fn unbuffered(rounds: &Rounds, size: Size) -> Result<Option<Row>> {
    let Some(reference) = rounds.series(Way::NginxUnbuffered, Outcome::cpu_micros) else {
        return Ok(None);
    };
    let work = format!("agent's {} in: CPU, beside nginx that buffers no body", size.name);
    let row = Row::new(Mark::P3, work, rounds.data_plane(Outcome::cpu_micros)?);
    Ok(Some(row.beside("nginx unbuffered", Some(reference))))
}

fn first_content(rounds: &Rounds, size: Size) -> Result<Row> {
    let figure = |outcome: &Outcome| outcome.content.median().map(micros);
    let added = rounds
        .added(Way::DataPlane, figure)
        .context("no latency was measured")?;
    let direct = rounds
        .series(Way::Direct, figure)
        .context("no direct latency was measured")?;
    Ok(Row::new(
        Mark::P3,
        format!("agent's {} in: first content event, p50 added", size.name),
        added,
    )
    .beside("nginx adds", rounds.added(Way::Nginx, figure))
    .detail(format!("direct {}", time(direct.median))))
}

/// How many times dearer three times the bytes are.
fn growth(middle: &Rounds, large: &Rounds) -> Result<Row> {
    let times = |way| {
        let (middle, large) = (
            middle.series(way, Outcome::cpu_micros)?,
            large.series(way, Outcome::cpu_micros)?,
        );
        Series::new(
            large
                .rounds
                .iter()
                .zip(&middle.rounds)
                .map(|(large, middle)| large / middle)
                .collect(),
        )
    };
    let figure = times(Way::DataPlane).context("no CPU time was measured")?;
    Ok(
        Row::new(Mark::P3, "CPU per request, 3 MB to 1 MB".to_owned(), figure)
            .in_times()
            .beside("nginx", times(Way::Nginx))
            .goal(Bound::Times(LINEAR)),
    )
}
