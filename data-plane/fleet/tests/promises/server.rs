//! A Redis of the test's own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
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
        let port = free_port()?;
        let port_text = port.to_string();
        let args = [
            "--port",
            &port_text,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        let child = Command::new("redis-server")
            .args(args)
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server is not installed: run ./test, which installs it")?;
        let url = format!("redis://127.0.0.1:{port}");
        Ok(Self { child, url })
    }

    /// One command, on a connection of its own.
    pub(crate) async fn run(&self, words: &[&str]) -> anyhow::Result<redis::Value> {
        let client = redis::Client::open(self.url.as_str())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        Ok(command.query_async(&mut connection).await?)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop((self.child.kill(), self.child.wait()));
    }
}

/// Below the range of outgoing connections: a client that tries again and again must not meet itself there.
fn free_port() -> anyhow::Result<u16> {
    let start = u16::try_from(std::process::id() % 3000)?;
    let mut ports = (0..3000).map(|n| 11_000 + (start + n) % 3000);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(free).context("no free port between 11000 and 14000")
}

/// A connection that is kept until it is dropped.
pub(crate) struct Linked {
    pub(crate) link: Arc<Link>,
    shutdown: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Linked {
    pub(crate) async fn to(redis: &Redis) -> anyhow::Result<Self> {
        let link = Arc::new(Link::new(
            &Secret::new(redis.url.as_str()),
            Duration::from_secs(10),
        )?);
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
