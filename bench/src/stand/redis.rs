//! A Redis of the bench's own: nothing is kept on disk, and it is asked for its own count of calls.

mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::cpu::Meter;
use super::ports;
use super::process::Process;
pub(crate) use wire::Monitor;

/// A running server.
#[derive(Debug)]
pub(crate) struct Redis {
    _process: Process,
    meter: Meter,
    address: SocketAddr,
}

impl Redis {
    pub(crate) async fn start(name: &'static str, program: &Path, folder: &Path) -> Result<Self> {
        let [address] = ports::free()?;
        let mut command = Command::new(program);
        command
            .env_clear()
            .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"]);
        let mut process = Process::start(name, command, folder)?;
        let answers = async || wire::ask(address, "PING").await.ok();
        process.until("answer PING", answers).await?;
        Ok(Self {
            meter: Meter::of(process.id()),
            _process: process,
            address,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Forgets everything but the scripts.
    pub(crate) async fn flush(&self) -> Result<()> {
        wire::ask(self.address, "FLUSHALL SYNC").await.map(drop)
    }

    /// Script calls that it has answered.
    pub(crate) async fn script_calls(&self) -> Result<u64> {
        let info = wire::ask(self.address, "INFO commandstats").await?;
        wire::calls(&info, "evalsha").context("Redis counts its EVALSHA calls")
    }

    /// From now on tells which commands come.
    pub(crate) async fn monitor(&self) -> Result<Monitor> {
        Monitor::of(self.address).await
    }
}
