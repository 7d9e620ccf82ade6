//! Postgres: a database of the test's own on the server that `./test` started, or a whole server to kill.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sqlx::{Connection, Executor, PgConnection};

use crate::ports::free_port;
use crate::process::Process;
use crate::wait::until;

/// An empty database on the shared server. Dropped with the server.
#[derive(Clone, Debug)]
pub struct Database {
    pub url: String,
}

/// A server of the test's own.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    bin: PathBuf,
    user: String,
    port: u16,
    process: Option<Process>,
}

impl Database {
    /// Creates it.
    pub async fn create() -> Result<Self> {
        let server = std::env::var("PENSTOCK_TEST_POSTGRES_URL").context(
            "PENSTOCK_TEST_POSTGRES_URL is not set: run ./test, which starts a Postgres for the tests",
        )?;
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&server).await?;
        connection
            .execute(sqlx::AssertSqlSafe(format!("create database {name}")))
            .await?;
        let (base, _) = server.rsplit_once('/').context("the URL names a database")?;
        Ok(Self {
            url: format!("{base}/{name}"),
        })
    }

    /// Runs statements, as somebody with psql would.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        let mut connection = PgConnection::connect(&self.url).await?;
        connection.execute(sqlx::AssertSqlSafe(sql.to_owned())).await?;
        Ok(())
    }

    /// The whole database as text, for searching.
    pub fn dump(&self) -> Result<String> {
        let bin =
            std::env::var("PENSTOCK_TEST_PG_BIN").context("PENSTOCK_TEST_PG_BIN is not set: run ./test")?;
        let output = Command::new(PathBuf::from(bin).join("pg_dump"))
            .arg(&self.url)
            .output()?;
        if !output.status.success() {
            bail!("pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Postgres {
    /// Initialises a server in a temporary folder and starts it.
    pub async fn start() -> Result<Self> {
        let bin =
            std::env::var("PENSTOCK_TEST_PG_BIN").context("PENSTOCK_TEST_PG_BIN is not set: run ./test")?;
        let user = std::env::var("PENSTOCK_TEST_PG_USER").unwrap_or_default();
        let folder = tempfile::tempdir()?;
        let mut server = Self {
            folder,
            bin: bin.into(),
            user,
            port: free_port()?,
            process: None,
        };
        if !server.user.is_empty() {
            run(Command::new("chown").arg(&server.user).arg(server.folder.path()))?;
        }
        let data = server.folder.path().join("data");
        run(server
            .command("initdb")
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-D"])
            .arg(data))?;
        server.resume().await?;
        Ok(server)
    }

    /// Starts it again, after [`Postgres::kill`].
    pub async fn resume(&mut self) -> Result<()> {
        let folder = self.folder.path().to_owned();
        let mut command = self.command("postgres");
        command.arg("-D").arg(folder.join("data")).args([
            "-p",
            &self.port.to_string(),
            "-k",
            "",
            "-h",
            "127.0.0.1",
        ]);
        command.args(["-c", "max_connections=200"]);
        self.process = Some(Process::start("postgres", &mut command, &folder.join("log"))?);
        let url = self.url();
        until("Postgres takes connections", || async {
            Ok(Some(PgConnection::connect(&url).await?.close().await?))
        })
        .await
    }

    /// `kill -9` of the server and all of its children.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let children = children(process.id());
        process.kill()?;
        let pids = children.iter().map(u32::to_string);
        drop(
            Command::new("kill")
                .arg("-KILL")
                .args(pids)
                .stderr(Stdio::null())
                .status(),
        );
        Ok(())
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Runs as a user that Postgres accepts: not root.
    fn command(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        if self.user.is_empty() {
            return Command::new(path);
        }
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &self.user, "--clear-groups", "--"])
            .arg(path);
        command
    }
}

/// The processes that this one started and that still live.
fn children(parent: u32) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pid = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let is_child = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // After the name in brackets: state, then the parent.
        let parent_field = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1));
        parent_field == Some(parent.to_string().as_str())
    };
    processes.flatten().filter_map(pid).filter(is_child).collect()
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
