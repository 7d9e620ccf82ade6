//! P1: small requests, not streamed, as fast as they go: CPU time per request beside nginx's.

use std::time::Duration;

use anyhow::Result;

use super::rounds::alternate;
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
        let work = format!("1 KB in, 400 B out, {connections} connections: CPU per request");
        let title = format!("P1 {connections} connections");
        let rounds = alternate(bench, &title, &bench.proxies(), async |way| {
            load(bench, way, connections).await
        })
        .await?;
        let rate = rounds.data_plane(|outcome| Some(outcome.per_second()))?;
        rows.push(
            Row::new(Mark::P1, work, rounds.data_plane(Outcome::cpu_micros)?)
                .beside("nginx", rounds.series(Way::Nginx, Outcome::cpu_micros))
                .first_mark(Bound::Ratio(4.0))
                .goal(Bound::Ratio(1.5))
                .detail(format!("{:.0} requests/s", rate.median)),
        );
    }
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
        bench.stand.meter(way),
    )
    .await
}
