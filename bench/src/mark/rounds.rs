//! Alternating rounds: every system in turn, again and again, so that a machine that changes its pace changes it for all.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::Bench;
use crate::load::Outcome;
use crate::report::Series;
use crate::stand::Way;

/// The outcomes of each system, in the order of the rounds.
#[derive(Debug, Default)]
pub(crate) struct Rounds(BTreeMap<Way, Vec<Outcome>>);

/// Measures each of the ways in each round. The first of them changes from round to round.
pub(super) async fn alternate(
    bench: &Bench<'_>,
    what: &str,
    ways: &[Way],
    run: impl AsyncFn(Way) -> Result<Outcome>,
) -> Result<Rounds> {
    let mut rounds = Rounds::default();
    let mut order = ways.to_vec();
    for round in 1..=bench.rounds {
        let title = format!("{what}, round {round} of {}", bench.rounds);
        for way in &order {
            let outcome = bench.once(&title, *way, &run).await?;
            rounds.0.entry(*way).or_default().push(outcome);
        }
        order.rotate_left(1);
    }
    Ok(rounds)
}

impl Rounds {
    /// A figure of a system in each round; None for a system that was not measured.
    pub(super) fn series(&self, way: Way, figure: impl Fn(&Outcome) -> Option<f64>) -> Option<Series> {
        Series::new(
            self.0
                .get(&way)?
                .iter()
                .map(figure)
                .collect::<Option<Vec<f64>>>()?,
        )
    }

    /// The data plane's; it is always measured.
    pub(super) fn data_plane(&self, figure: impl Fn(&Outcome) -> Option<f64>) -> Result<Series> {
        self.series(Way::DataPlane, figure)
            .context("the data plane was measured without a figure")
    }

    /// What a system adds to a figure of the direct connection, round by round.
    pub(super) fn added(&self, way: Way, figure: impl Fn(&Outcome) -> Option<f64>) -> Option<Series> {
        self.more(way, Way::Direct, figure)
    }

    /// What a system has more than another, round by round.
    pub(super) fn more(
        &self,
        way: Way,
        than: Way,
        figure: impl Fn(&Outcome) -> Option<f64>,
    ) -> Option<Series> {
        let (one, other) = (self.series(way, &figure)?, self.series(than, &figure)?);
        let differences = one
            .rounds
            .iter()
            .zip(&other.rounds)
            .map(|(one, other)| one - other);
        Series::new(differences.collect())
    }
}
