//! What `./test` installed from npm: the vendors' SDKs, and coding agents that people use.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;
use tokio::time::timeout;

/// Far more than any of them takes, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Programs from npm, with a home and a working folder of their own.
#[derive(Debug)]
pub struct Npm {
    modules: PathBuf,
    folder: tempfile::TempDir,
}

impl Npm {
    /// None when the suite has no Node: `./test` has said so then.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    pub fn new() -> Result<Option<Self>> {
        let Some(modules) = std::env::var_os("PENSTOCK_TEST_NODE") else {
            if std::env::var("CI").is_ok() {
                bail!("PENSTOCK_TEST_NODE is not set: run ./test, which installs the packages");
            }
            eprintln!("skipped: no Node with the SDKs and agents here");
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("work"))?;
        Ok(Some(Self {
            modules: modules.into(),
            folder,
        }))
    }

    /// The home of the programs.
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Where they work.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Writes a file below the home.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().context("below the home")?)?;
        Ok(std::fs::write(path, text)?)
    }

    /// Runs `tests/node/SCRIPT` and returns what it printed.
    pub async fn script(&self, script: &str, args: &[&str]) -> Result<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("node").join(script);
        let mut command = Command::new("node");
        command.arg(path).args(args);
        self.run(script, command, &[]).await
    }

    /// Runs a program of a package and returns what it printed.
    pub async fn program(&self, name: &str, args: &[&str], env: &[(&str, &str)]) -> Result<String> {
        let mut command = Command::new(self.modules.join("node_modules/.bin").join(name));
        command.args(args);
        self.run(name, command, env).await
    }

    async fn run(&self, name: &str, mut command: Command, env: &[(&str, &str)]) -> Result<String> {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("PENSTOCK_TEST_NODE", &self.modules)
            .envs(env.iter().copied())
            .current_dir(self.work())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let ended = timeout(PATIENCE, command.output()).await;
        let output = ended.with_context(|| format!("{name} did not end"))??;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "{name}: {}\n{stdout}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(stdout)
    }
}
