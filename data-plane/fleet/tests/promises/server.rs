//! A Redis of the test's own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::Context;
use penstock_core::secret::Secret;
use penstock_fleet::RedisState;
use penstock_fleet::redis::{Link, RedisCounters};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Ends with the test.
pub(crate) struct Redis {
    child: Child,
    pub(crate) url: String,
}

impl Redis {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_at(free_port()?, &[])
    }

    /// On this port, with these words behind those that all have.
    pub(crate) fn start_at(port: u16, words: &[&str]) -> anyhow::Result<Self> {
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .args(words)
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server is not installed: run ./test, which installs it")?;
        let url = format!("redis://127.0.0.1:{port}");
        Ok(Self { child, url })
    }

    /// One command, on a connection of its own.
    pub(crate) async fn run(&self, words: &[&str]) -> anyhow::Result<redis::Value> {
        self.ask(words).await
    }

    /// The answer to one command.
    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> anyhow::Result<T> {
        let client = redis::Client::open(self.url.as_str())?;
        // A noisy machine is no promise broken.
        let patient = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(60)))
            .set_response_timeout(Some(Duration::from_secs(60)));
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&patient)
            .await?;
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        Ok(command.query_async(&mut connection).await?)
    }

    /// Waits until it answers.
    pub(crate) async fn answers(&self) {
        while self.run(&["PING"]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends it a signal: `STOP` and it answers nobody, `CONT` and it goes on.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status()?;
        anyhow::ensure!(sent.success(), "kill -{name} {pid}: {sent}");
        Ok(())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop((self.child.kill(), self.child.wait()));
    }
}

/// Below the range of outgoing connections: a client that tries again and again must not meet itself there. Each
/// process has eight ports, so that tests that run at once do not take each other's.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let block = u16::try_from(std::process::id() % 2000)?;
    for _ in 0..8 {
        let port = 11_000 + block * 8 + GIVEN.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port from {} on", 11_000 + block * 8)
}

/// A connection that is kept until it is dropped.
pub(crate) struct Linked {
    pub(crate) link: Arc<Link>,
    shutdown: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Linked {
    pub(crate) async fn to(redis: &Redis) -> anyhow::Result<Self> {
        Self::at(&redis.url).await
    }

    pub(crate) async fn at(url: &str) -> anyhow::Result<Self> {
        let link = Arc::new(Link::new(&Secret::new(url), Duration::from_secs(10))?);
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (kept, stop) = (Arc::clone(&link), shutdown.clone());
        tasks.spawn(async move { kept.keep(|| u32::MAX, stop).await });
        link.changes()
            .wait_for(|state| *state == RedisState::Connected)
            .await?;
        Ok(Self {
            link,
            shutdown,
            _tasks: tasks,
        })
    }

    pub(crate) fn counters(&self, process: &str) -> RedisCounters {
        RedisCounters::new(Arc::clone(&self.link), process.to_owned())
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
