//! The marks of the performance specification, one file each.
//!
//! Measured now: P1, P2, P3, P4, P8. The others get a variant and a file here when what they measure exists.

mod others;
mod p1;
mod p2;
mod p3;
mod p4;
mod p8;
mod rounds;

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Serialize;

pub(crate) use others::Others;

use crate::load::Outcome;
use crate::report::{Row, progress};
use crate::stand::{Stand, Way};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
pub(crate) enum Mark {
    /// Small requests: CPU time per request beside nginx.
    #[value(name = "P1")]
    P1,
    /// Latency added to a direct connection, at 1 000 requests/s and at one connection.
    #[value(name = "P2")]
    P2,
    /// A coding agent's requests with streamed answers: CPU time per request and added latency beside nginx.
    #[value(name = "P3")]
    P3,
    /// Many streams at once: CPU time per event and memory per stream beside nginx.
    #[value(name = "P4")]
    P4,
    /// Admissions in Redis beside redis-benchmark.
    #[value(name = "P8")]
    P8,
}

/// A bench under way.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) stand: &'a Stand,
    /// Of each single measurement, without its warm-up.
    pub(crate) span: Duration,
    pub(crate) rounds: u32,
    /// Of P4.
    pub(crate) streams: u32,
    /// Failed requests, for the foot of the table.
    pub(crate) notes: RefCell<Vec<String>>,
    /// What others used of the machine during each measurement.
    pub(crate) others: RefCell<Others>,
}

impl Mark {
    pub(crate) const ALL: [Self; 5] = [Self::P1, Self::P2, Self::P3, Self::P4, Self::P8];

    pub(crate) async fn measure(self, bench: &Bench<'_>) -> Result<Vec<Row>> {
        let rows = match self {
            Self::P1 => p1::measure(bench).await,
            Self::P2 => p2::measure(bench).await,
            Self::P3 => p3::measure(bench).await,
            Self::P4 => p4::measure(bench).await,
            Self::P8 => p8::measure(bench).await,
        };
        rows.with_context(|| format!("{self:?} was not measured"))
    }

    /// Whether its load goes through the stand's data plane.
    pub(crate) fn loads_the_data_plane(self) -> bool {
        matches!(self, Self::P1 | Self::P2 | Self::P3)
    }

    /// The load of the mark on the data plane alone, once, for a profiler to watch.
    pub(crate) async fn exercise(self, bench: &Bench<'_>) -> Result<Outcome> {
        match self {
            Self::P1 => p1::exercise(bench).await,
            Self::P2 => p2::exercise(bench).await,
            Self::P3 => p3::exercise(bench).await,
            Self::P4 | Self::P8 => bail!("{self:?} does not load the stand's data plane"),
        }
    }
}

impl<'a> Bench<'a> {
    pub(crate) fn new(stand: &'a Stand, span: Duration, rounds: u32, streams: u32) -> Self {
        Self {
            stand,
            span,
            rounds,
            streams,
            notes: RefCell::default(),
            others: RefCell::default(),
        }
    }

    /// The systems whose CPU time is compared: nginx only where it is installed.
    fn proxies(&self) -> Vec<Way> {
        let nginx = self.stand.has_nginx().then_some(Way::Nginx);
        nginx.into_iter().chain([Way::DataPlane]).collect()
    }

    /// The same with a direct connection, for latencies.
    fn ways(&self) -> Vec<Way> {
        [Way::Direct].into_iter().chain(self.proxies()).collect()
    }

    /// Keeps in mind what others used of the machine during a measurement.
    fn others_used(&self, what: &str, share: Option<f64>) {
        if let Some(share) = share {
            self.others.borrow_mut().add(what, share);
        }
    }

    /// One measurement, on a stand at rest.
    async fn once(
        &self,
        what: &str,
        way: Way,
        run: &impl AsyncFn(Way) -> Result<Outcome>,
    ) -> Result<Outcome> {
        self.stand.settle().await?;
        progress(&format!("{what}, {}", way.name()));
        let before = self.stand.activity()?;
        let outcome = run(way)
            .await
            .with_context(|| format!("{what}, {}", way.name()))?;
        self.others_used(
            &format!("{what}, {}", way.name()),
            self.stand.activity()?.others_since(&before),
        );
        self.stand.note(way, &outcome);
        if let Some(first) = &outcome.first_failure {
            let (failed, all) = (outcome.failed, outcome.failed + outcome.answered);
            self.notes.borrow_mut().push(format!(
                "{what}, {}: {failed} of {all} requests failed: {first}",
                way.name()
            ));
        }
        Ok(outcome)
    }
}
