//! The test stand: every process of a bench, on free ports of 127.0.0.1, in one temporary folder.
//!
//! What is on: key authentication (16 keys of 4 users), routing over 20 providers, usage metering into a control plane on
//! SQLite, metrics, the log at its default level into a file. nginx has no access log, so the reference is the cheapest
//! proxy there is. Everything ends when the stand is dropped, whatever happened before.

mod activity;
mod cpu;
mod nginx;
mod operator;
mod planes;
mod ports;
mod process;
mod programs;
mod provider;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde::Serialize;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::load::{Expect, Outcome, Target};

pub(crate) use activity::Activity;
pub(crate) use cpu::Meter;
use nginx::Nginx;
use operator::Operator;
use planes::{ControlPlane, DataPlane};
use process::Process;
pub(crate) use programs::Programs;
pub(crate) use provider::{EVENT_PACE, STREAM_EVENTS};

/// Penstock's own background work is given so long to end before a measurement begins.
const SETTLE: Duration = Duration::from_secs(20);
/// The ledger is given so long to take in what was measured.
const LEDGER: Duration = Duration::from_secs(60);

/// How a request reaches the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    Direct,
    Nginx,
    /// nginx with `proxy_request_buffering off`.
    NginxUnbuffered,
    DataPlane,
}

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Stand {
    // Dropped in this order: who sends before who answers, the folder last.
    data: DataPlane,
    nginx: Option<Nginx>,
    control: ControlPlane,
    _process: Process,
    provider: SocketAddr,
    /// Of the provider and of this process.
    load: [Meter; 2],
    operator: Operator,
    keys: Vec<String>,
    /// Good answers that came through the data plane.
    answered: AtomicU64,
    _folder: TempDir,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::NginxUnbuffered => "nginx unbuffered",
            Self::DataPlane => "data plane",
        }
    }
}

impl Stand {
    /// Starts everything and waits until a request gets through.
    pub(crate) async fn start(programs: &Programs) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("penstock-bench-").tempdir()?;
        let path = folder.path();
        let (process, provider) = provider::start(programs, path).await?;
        let nginx = match &programs.nginx {
            Some(program) => Some(Nginx::start(program, path, provider).await?),
            None => None,
        };
        let control = ControlPlane::start(programs, path).await?;
        let operator = Operator::new(programs, path, control.url());
        let keys = operator.prepare(provider).await?;
        let data = DataPlane::start(programs, path, &control.url()).await?;
        operator.synced().await?;
        Ok(Self {
            data,
            nginx,
            control,
            load: [Meter::of(process.id()), Meter::of(std::process::id())],
            _process: process,
            provider,
            operator,
            keys,
            answered: AtomicU64::new(0),
            _folder: folder,
        })
    }

    pub(crate) fn has_nginx(&self) -> bool {
        self.nginx.is_some()
    }

    fn nginx(&self) -> Result<&Nginx> {
        self.nginx.as_ref().context("nginx is not installed")
    }

    /// A request on its way.
    pub(crate) fn target(&self, way: Way, body: &Bytes, expect: Expect) -> Result<Arc<Target>> {
        let address = match way {
            Way::Direct => self.provider,
            Way::Nginx => self.nginx()?.address(expect),
            Way::NginxUnbuffered => self.nginx()?.unbuffered(),
            Way::DataPlane => self.data.address(),
        };
        Ok(Arc::new(Target::messages(address, &self.keys, body, expect)?))
    }

    /// Reads the CPU time of what stands in the way.
    pub(crate) fn meter(&self, way: Way) -> Option<&Meter> {
        match way {
            Way::Direct => None,
            Way::Nginx | Way::NginxUnbuffered => self.nginx.as_ref().map(Nginx::meter),
            Way::DataPlane => Some(self.data.meter()),
        }
    }

    /// How far the machine and all of the stand's processes have come.
    pub(crate) fn activity(&self) -> Result<Activity> {
        let mut own = vec![self.data.meter(), self.control.meter()];
        own.extend(&self.load);
        own.extend(self.nginx.as_ref().map(Nginx::meter));
        Activity::now(&own)
    }

    pub(crate) fn data_plane_id(&self) -> u32 {
        self.data.id()
    }

    /// Keeps count of what the ledger must hold.
    pub(crate) fn note(&self, way: Way, outcome: &Outcome) {
        if way == Way::DataPlane {
            self.answered.fetch_add(outcome.answered, Ordering::Relaxed);
        }
    }

    /// Waits until both planes rest: the usage of the measurement before has been sent and stored.
    pub(crate) async fn settle(&self) -> Result<()> {
        let deadline = Instant::now() + SETTLE;
        let pause = Duration::from_millis(100);
        let meters = [self.data.meter(), self.control.meter()];
        let read = || {
            meters
                .iter()
                .map(|meter| meter.read())
                .collect::<Result<Vec<_>>>()
        };
        while Instant::now() < deadline {
            let before = read()?;
            sleep(pause).await;
            let after = read()?;
            if before
                .iter()
                .zip(&after)
                .all(|(before, after)| after.since(*before) < pause / 10)
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// How many calls the ledger holds and how many it must hold; asks until they agree, for a minute.
    pub(crate) async fn ledger(&self) -> Result<(u64, u64)> {
        let expected = self.answered.load(Ordering::Relaxed);
        let deadline = Instant::now() + LEDGER;
        loop {
            let held = self.operator.ledger().await?;
            if held == expected || Instant::now() > deadline {
                return Ok((held, expected));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}
