//! The two planes, as they run in production but for the database.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::cpu::Meter;
use super::operator::ADMIN_TOKEN;
use super::ports;
use super::process::Process;
use super::programs::Programs;

const NODE_TOKEN: &str = "bench-node-token-0123456789abcdefghijklmn";

/// A control plane on SQLite.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    _process: Process,
    meter: Meter,
    grpc: SocketAddr,
}

/// Whose limits a data plane holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sharing<'a> {
    /// Its own: it counts by itself.
    Alone,
    /// The fleet's, in this Redis.
    Redis(&'a str),
}

/// A data plane with a log line a call, at the default level, into a file.
#[derive(Debug)]
pub(crate) struct DataPlane {
    process: Process,
    meter: Meter,
    listen: SocketAddr,
}

impl ControlPlane {
    pub(crate) async fn start(programs: &Programs, folder: &Path) -> Result<Self> {
        let [grpc, console] = ports::free()?;
        let database = format!("sqlite://{}", folder.join("penstock.db").display());
        let mut command = Command::new(&programs.control_plane);
        command
            .env_clear()
            .env("PENSTOCK_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("PENSTOCK_NODE_TOKEN", NODE_TOKEN)
            .env("PENSTOCK_MASTER_KEY", "5c".repeat(32))
            .args([
                "--listen-grpc",
                &grpc.to_string(),
                "--listen-console",
                &console.to_string(),
            ])
            .args(["--database-url", &database, "--name", "bench"]);
        let mut process = Process::start("control-plane", command, folder)?;
        process.ready(console, "/health/ready").await?;
        let meter = Meter::of(process.id());
        Ok(Self {
            _process: process,
            meter,
            grpc,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.grpc)
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }
}

impl DataPlane {
    pub(crate) async fn start(
        programs: &Programs,
        folder: &Path,
        control_plane: &str,
        sharing: Sharing<'_>,
        name: &'static str,
    ) -> Result<Self> {
        let [listen, admin] = ports::free()?;
        let mut command = Command::new(&programs.data_plane);
        command
            .env_clear()
            .env("PENSTOCK_NODE_TOKEN", NODE_TOKEN)
            .args([
                "--listen",
                &listen.to_string(),
                "--listen-admin",
                &admin.to_string(),
            ])
            .args(["--control-plane", control_plane])
            .arg("--data-dir")
            .arg(folder.join(format!("{name}-data")));
        if let Sharing::Redis(url) = sharing {
            command.args(["--redis-url", url]);
        }
        let mut process = Process::start(name, command, folder)?;
        process.ready(admin, "/health/ready").await?;
        let meter = Meter::of(process.id());
        Ok(Self {
            process,
            meter,
            listen,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listen
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}
