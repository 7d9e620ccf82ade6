//! The configuration, made with the `penstock` command as an operator makes it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use super::programs::Programs;

pub(crate) const ADMIN_TOKEN: &str = "bench-admin-token-0123456789abcdefghijklm";
/// What the providers' accounts are opened with; the fake takes anything.
const CREDENTIAL: &str = "sk-bench-credential-0123456789abcdefghijkl";
const PROVIDERS: usize = 20;
const USERS: usize = 4;
const KEYS_PER_USER: usize = 4;
/// Of a key and of a user with limits: so large that none ever refuses.
const LIMITS: [&str; 12] = [
    "--rpm",
    "1000000000",
    "--tpm",
    "1000000000000",
    "--usd-5h",
    "1000000",
    "--usd-daily",
    "2000000",
    "--usd-monthly",
    "3000000",
    "--concurrent-requests",
    "1000000",
];
const PATIENCE: Duration = Duration::from_secs(30);

/// The keys' secrets.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) free: Vec<String>,
    /// Keys and users with limits.
    pub(crate) limited: Vec<String>,
}

/// Calls the command line.
#[derive(Debug)]
pub(crate) struct Operator {
    program: PathBuf,
    home: PathBuf,
    server: String,
}

impl Operator {
    pub(crate) fn new(programs: &Programs, folder: &Path, server: String) -> Self {
        Self {
            program: programs.cli.clone(),
            home: folder.to_owned(),
            server,
        }
    }

    /// Twenty providers, all of them at the fake and all of them candidates for every request, and the keys' secrets.
    pub(crate) async fn prepare(&self, provider: SocketAddr) -> Result<Keys> {
        let url = format!("http://{provider}");
        for number in 1..=PROVIDERS {
            let (name, weight) = (format!("provider-{number:02}"), (1 + number % 5).to_string());
            let what = [
                "provider",
                "create",
                "--name",
                &name,
                "--kind",
                "anthropic",
                "--base-url",
                &url,
            ];
            let how = [
                "--weight",
                &weight,
                "--model",
                "claude-*",
                "--api-key-env",
                "BENCH_CREDENTIAL",
            ];
            self.run(&[&what[..], &how[..]].concat()).await?;
        }
        Ok(Keys {
            free: self.keys("user", &[]).await?,
            limited: self.keys("limited-user", &LIMITS).await?,
        })
    }

    async fn keys(&self, users: &str, limits: &[&str]) -> Result<Vec<String>> {
        let mut secrets = Vec::with_capacity(USERS * KEYS_PER_USER);
        for user in 1..=USERS {
            let user = format!("{users}-{user}");
            self.run(&[&["user", "create", "--name", &user], limits].concat())
                .await?;
            for key in 1..=KEYS_PER_USER {
                let name = format!("key-{key}");
                let create = ["key", "create", "--user", &user, "--name", &name];
                let created = self.json(&[&create, limits].concat()).await?;
                secrets.push(
                    created["secret"]
                        .as_str()
                        .context("key create tells the secret")?
                        .to_owned(),
                );
            }
        }
        Ok(secrets)
    }

    /// Waits until so many data planes run the newest revision.
    pub(crate) async fn synced(&self, planes: usize) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let nodes = self.json(&["node", "list"]).await?;
            let current = |node: &Value| node["connected"] == true && node["revision"] == nodes["head"];
            if nodes["items"]
                .as_array()
                .is_some_and(|items| items.iter().filter(|node| current(node)).count() == planes)
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the data planes do not run the head revision within 30 s: {nodes}");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Calls that the ledger holds.
    pub(crate) async fn ledger(&self) -> Result<u64> {
        self.json(&["usage"]).await?["requests"]
            .as_u64()
            .context("usage tells the number of requests")
    }

    async fn json(&self, args: &[&str]) -> Result<Value> {
        let text = self.run(&[args, &["-o", "json"]].concat()).await?;
        serde_json::from_str(&text).with_context(|| format!("penstock {args:?} printed no JSON"))
    }

    async fn run(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env_clear()
            .env("HOME", &self.home)
            .env("PENSTOCK_SERVER", &self.server)
            .env("PENSTOCK_TOKEN", ADMIN_TOKEN)
            .env("BENCH_CREDENTIAL", CREDENTIAL)
            .kill_on_drop(true);
        let output = timeout(PATIENCE, command.output())
            .await
            .with_context(|| format!("penstock {args:?} does not end"))??;
        if !output.status.success() {
            bail!(
                "penstock {args:?} failed: {}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
