//! The test stand: every process of a bench, on free ports of 127.0.0.1, in one temporary folder.
//!
//! What is on: key authentication (16 keys of 4 users without limits, and as many with limits), routing over 20 providers,
//! usage metering into a control plane on SQLite, metrics, the log at its default level into a file. Where Redis is
//! installed a second data plane holds limits in it. nginx has no access log, so the reference is the cheapest proxy there
//! is. Everything ends when the stand is dropped, whatever happened before.

mod activity;
mod cpu;
mod fresh;
mod nginx;
mod operator;
mod planes;
mod ports;
mod process;
mod programs;
mod provider;
mod redis;
mod redis_benchmark;
mod shared;
mod watched;
mod way;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::load::{Expect, Outcome, Target};

pub(crate) use activity::Activity;
pub(crate) use cpu::Meter;
pub(crate) use fresh::Fresh;
use nginx::Nginx;
use operator::{Keys, Operator};
use planes::{ControlPlane, DataPlane, Sharing};
use process::Process;
pub(crate) use programs::Programs;
pub(crate) use provider::{EVENT_PACE, STREAM_EVENTS};
pub(crate) use redis::Redis;
pub(crate) use redis_benchmark::RedisBenchmark;
use shared::Shared;
pub(crate) use watched::{Cpu, Watched};
pub(crate) use way::Way;

/// Penstock's own background work is given so long to end before a measurement begins.
const SETTLE: Duration = Duration::from_secs(20);
/// The ledger is given so long to take in what was measured.
const LEDGER: Duration = Duration::from_secs(60);

/// Connections that each worker of nginx may have.
const NGINX_CONNECTIONS: u32 = 4_096;

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Stand {
    // Dropped in this order: who sends before who answers, the folder last.
    data: DataPlane,
    shared: Option<Shared>,
    nginx: Option<Nginx>,
    control: ControlPlane,
    _process: Process,
    provider: SocketAddr,
    /// Of the provider and of this process.
    load: [Meter; 2],
    operator: Operator,
    keys: Keys,
    programs: Programs,
    /// Good answers that came through the data planes.
    answered: AtomicU64,
    /// Systems that were started for one measurement.
    started: AtomicU64,
    folder: TempDir,
}

impl Stand {
    /// Starts everything and waits until a request gets through.
    pub(crate) async fn start(programs: &Programs) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("penstock-bench-").tempdir()?;
        let path = folder.path();
        let (process, provider) = provider::start(programs, path).await?;
        let nginx = match &programs.nginx {
            Some(program) => {
                Some(Nginx::start(program, &path.join("nginx"), provider, NGINX_CONNECTIONS).await?)
            }
            None => None,
        };
        let control = ControlPlane::start(programs, path).await?;
        let operator = Operator::new(programs, path, control.url());
        let keys = operator.prepare(provider).await?;
        let data = DataPlane::start(programs, path, &control.url(), Sharing::Alone, "data-plane").await?;
        let shared = Shared::start(programs, path, &control.url()).await?;
        operator.synced(1 + usize::from(shared.is_some())).await?;
        Ok(Self {
            data,
            shared,
            nginx,
            control,
            load: [Meter::of(process.id()), Meter::of(std::process::id())],
            _process: process,
            provider,
            operator,
            keys,
            programs: programs.clone(),
            answered: AtomicU64::new(0),
            started: AtomicU64::new(0),
            folder,
        })
    }

    pub(crate) fn has_nginx(&self) -> bool {
        self.nginx.is_some()
    }

    pub(crate) fn has_redis(&self) -> bool {
        self.shared.is_some()
    }

    /// A Redis that no data plane uses; None where Redis is not installed.
    pub(crate) async fn spare_redis(&self) -> Result<Option<Redis>> {
        match &self.programs.redis {
            Some(program) => Redis::start("spare-redis", program, self.folder.path())
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// Gives the command to this Redis until it is dropped; None where redis-benchmark is not installed.
    pub(crate) fn redis_benchmark(
        &self,
        redis: &Redis,
        connections: usize,
        words: &[String],
    ) -> Result<Option<RedisBenchmark>> {
        let start = |program| RedisBenchmark::start(program, self.folder.path(), redis, connections, words);
        let program = self.programs.redis_benchmark.as_deref();
        program.map(start).transpose()
    }

    fn shared(&self) -> Result<&Shared> {
        self.shared.as_ref().context("redis-server is not installed")
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
            Way::DataPlane | Way::LimitsInProcess => self.data.address(),
            Way::LimitsInRedis => self.shared()?.data.address(),
        };
        let keys = match way {
            Way::LimitsInProcess | Way::LimitsInRedis => &self.keys.limited,
            Way::Direct | Way::Nginx | Way::NginxUnbuffered | Way::DataPlane => &self.keys.free,
        };
        Ok(Arc::new(Target::messages(address, keys, body, expect)?))
    }

    /// Reads the CPU time of what stands in the way.
    pub(crate) fn watched(&self, way: Way) -> Watched<'_> {
        let shared = self.shared.as_ref().filter(|_| way == Way::LimitsInRedis);
        Watched {
            system: match way {
                Way::Direct => None,
                Way::Nginx | Way::NginxUnbuffered => self.nginx.as_ref().map(Nginx::meter),
                Way::DataPlane | Way::LimitsInProcess => Some(self.data.meter()),
                Way::LimitsInRedis => shared.map(|shared| shared.data.meter()),
            },
            redis: shared.map(|shared| shared.redis.meter()),
        }
    }

    /// How far the machine and all of the stand's processes have come.
    pub(crate) fn activity(&self) -> Result<Activity> {
        self.activity_with(&[])
    }

    /// The same with more processes that are not others'.
    pub(crate) fn activity_with(&self, more: &[&Meter]) -> Result<Activity> {
        let mut own = more.to_vec();
        own.extend(self.planes());
        own.extend(self.shared.as_ref().map(|shared| shared.redis.meter()));
        own.extend(&self.load);
        own.extend(self.nginx.as_ref().map(Nginx::meter));
        Activity::now(&own)
    }

    fn planes(&self) -> Vec<&Meter> {
        let mut planes = vec![self.data.meter(), self.control.meter()];
        planes.extend(self.shared.as_ref().map(|shared| shared.data.meter()));
        planes
    }

    pub(crate) fn data_plane_id(&self) -> u32 {
        self.data.id()
    }

    /// Keeps count of what the ledger must hold.
    pub(crate) fn note(&self, way: Way, outcome: &Outcome) {
        self.note_answered(way, outcome.answered);
    }

    pub(crate) fn note_answered(&self, way: Way, calls: u64) {
        if way.is_ours() {
            self.answered.fetch_add(calls, Ordering::Relaxed);
        }
    }

    /// Waits until all planes rest: the usage of the measurement before has been sent and stored.
    pub(crate) async fn settle(&self) -> Result<()> {
        let deadline = Instant::now() + SETTLE;
        let pause = Duration::from_millis(100);
        let meters = self.planes();
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
