//! A Redis of one test's own, to be stopped, hung, emptied and started again.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::ports::free_port;
use crate::process::{Process, Signal};
use crate::wait::until;

/// Ends when it is dropped.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    log: std::path::PathBuf,
    process: Option<Process>,
}

impl Redis {
    /// Starts one whose log is in this folder, and waits until it answers.
    pub async fn start(folder: &Path) -> Result<Self> {
        let mut redis = Self {
            port: free_port()?,
            log: folder.join("redis.log"),
            process: None,
        };
        redis.restart().await?;
        Ok(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again, empty, at the same port.
    pub async fn restart(&mut self) -> Result<()> {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        let started = Process::start("redis-server", &mut command, &self.log);
        self.process = Some(started.context("redis-server is installed by ./test")?);
        until("Redis answers", || async {
            Ok(self.run(&["PING"]).await.ok().map(drop))
        })
        .await
    }

    pub fn kill(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.kill())
    }

    /// It accepts connections and never answers.
    pub fn hang(&self) -> Result<()> {
        self.process.as_ref().context("it runs")?.signal(Signal::Stop)
    }

    pub fn go_on(&self) -> Result<()> {
        self.process.as_ref().context("it runs")?.signal(Signal::Continue)
    }

    /// One command, on a connection of its own.
    pub async fn run(&self, words: &[&str]) -> Result<redis::Value> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::cmd(words[0]);
        for word in words.iter().skip(1) {
            command.arg(*word);
        }
        Ok(command.query_async(&mut connection).await?)
    }
}
