//! Against a real Redis of the test's own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use penstock_core::secret::Secret;
use penstock_fleet::{Fleet, RedisState};
use tokio_util::sync::CancellationToken;

struct Redis(Child);

impl Redis {
    fn start(port: u16) -> anyhow::Result<Self> {
        let child = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server is not installed: run ./test, which installs it")?;
        Ok(Self(child))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait()));
    }
}

/// Below the range of outgoing connections: the client that tries again and again must not meet itself there.
fn free_port() -> anyhow::Result<u16> {
    let start = u16::try_from(std::process::id() % 1000)?;
    let mut ports = (0..1000).map(|n| 11_000 + (start + n) % 1000);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(free).context("no free port between 11000 and 12000")
}

#[tokio::test]
async fn d05_a_redis_that_comes_goes_and_comes_back_is_followed() -> anyhow::Result<()> {
    let port = free_port()?;
    let fleet = Fleet::at(&Secret::new(format!("redis://127.0.0.1:{port}")))?;
    let shutdown = CancellationToken::new();
    let mut state = fleet.changes();
    let story = async {
        assert_eq!(fleet.state(), RedisState::Disconnected);
        let first = Redis::start(port)?;
        state.wait_for(|s| *s == RedisState::Connected).await?;
        drop(first);
        state.wait_for(|s| *s == RedisState::Disconnected).await?;
        let _second = Redis::start(port)?;
        state.wait_for(|s| *s == RedisState::Connected).await?;
        shutdown.cancel();
        anyhow::Ok(())
    };
    let (told, ()) = tokio::join!(story, fleet.watch(|| u32::MAX, shutdown.clone()));
    told
}
