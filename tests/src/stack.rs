//! A whole installation: control planes, data planes, database, provider.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use penstock_fake_provider::FakeProvider;
use serde_json::Value;

use crate::binaries::binary;
use crate::cli::Cli;
use crate::http::client;
use crate::ports::free_port;
use crate::postgres::Database;
use crate::process::Process;
use crate::wait::until;

/// The operator's token in every stack.
pub const ADMIN_TOKEN: &str = "test-admin-token-0123456789abcdefghij";
/// The data planes' token in every stack.
pub const NODE_TOKEN: &str = "test-node-token-0123456789abcdefghijk";
/// What the fake provider asks for.
pub const CREDENTIAL: &str = "sk-fake-credential-of-the-provider-0123456789";

/// What to build.
#[derive(Clone, Debug)]
pub struct StackBuilder {
    control_planes: usize,
    data_planes: usize,
    database_url: Option<String>,
    control_flags: Vec<String>,
    data_flags: Vec<String>,
    tls_ca: Option<String>,
    node_token: Option<String>,
}

/// A running installation. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Stack {
    pub database_url: String,
    pub control: Vec<Node>,
    pub data: Vec<Node>,
    pub fake: FakeProvider,
    pub http: reqwest::Client,
    tls_ca: Option<String>,
    /// After the processes, whose logs in it are shown when a test fails.
    pub folder: tempfile::TempDir,
}

/// One server process and how to start it again.
#[derive(Debug)]
pub struct Node {
    name: String,
    program: PathBuf,
    /// Its flags; those changed hold from the next start on.
    pub args: Vec<String>,
    env: Vec<(&'static str, String)>,
    log: PathBuf,
    ready: String,
    /// Base URL of the traffic port (data planes) or of gRPC (control planes).
    pub url: String,
    /// Base URL of health and metrics.
    pub admin_url: String,
    pub process: Option<Process>,
}

impl StackBuilder {
    pub fn control_planes(mut self, count: usize) -> Self {
        self.control_planes = count;
        self
    }

    pub fn data_planes(mut self, count: usize) -> Self {
        self.data_planes = count;
        self
    }

    /// Instead of a new database on the shared server.
    pub fn database(mut self, url: &str) -> Self {
        self.database_url = Some(url.to_owned());
        self
    }

    /// For every control plane.
    pub fn control_plane_flags(mut self, flags: &[&str]) -> Self {
        self.control_flags.extend(strings(flags));
        self
    }

    /// For every data plane.
    pub fn data_plane_flags(mut self, flags: &[&str]) -> Self {
        self.data_flags.extend(strings(flags));
        self
    }

    /// For every data plane.
    pub fn data_plane_flag(self, flag: &str) -> Self {
        self.data_plane_flags(&[flag])
    }

    /// gRPC over TLS, trusted by this CA. Which certificates the servers have, the flags say.
    pub fn tls(mut self, ca: &str) -> Self {
        self.tls_ca = Some(ca.to_owned());
        self
    }

    /// Nodes have no token.
    pub fn without_node_token(mut self) -> Self {
        self.node_token = None;
        self
    }

    /// Starts everything and waits until each data plane is ready.
    pub async fn start(self) -> Result<Stack> {
        let folder = tempfile::tempdir()?;
        let database_url = match self.database_url {
            Some(url) => url,
            None => Database::create().await?.url,
        };
        let fake = FakeProvider::builder()
            .require_credential(CREDENTIAL)
            .start()
            .await?;
        std::fs::write(folder.path().join("master.key"), "07".repeat(32))?;
        let (control, data) = (Vec::new(), Vec::new());
        let mut stack = Stack {
            folder,
            database_url,
            control,
            data,
            fake,
            http: client(),
            tls_ca: self.tls_ca,
        };
        for _ in 0..self.control_planes {
            stack
                .add_control_plane(&self.control_flags, self.node_token.as_deref())
                .await?;
        }
        for _ in 0..self.data_planes {
            stack.add_data_plane(&self.data_flags, self.node_token.as_deref().unwrap_or_default())?;
        }
        for node in &mut stack.data {
            node.start(&stack.http).await?;
        }
        Ok(stack)
    }
}

impl Stack {
    /// One control plane, one data plane, a database of its own.
    pub fn builder() -> StackBuilder {
        StackBuilder {
            control_planes: 1,
            data_planes: 1,
            database_url: None,
            control_flags: Vec::new(),
            data_flags: Vec::new(),
            tls_ca: None,
            node_token: Some(NODE_TOKEN.to_owned()),
        }
    }

    async fn add_control_plane(&mut self, flags: &[String], node_token: Option<&str>) -> Result<()> {
        let folder = self.folder.path();
        let mut node = control_plane(
            folder,
            &self.database_url,
            self.control.len(),
            self.tls_ca.is_some(),
        )?;
        node.args.extend_from_slice(flags);
        node.env
            .extend(node_token.map(|token| ("PENSTOCK_NODE_TOKEN", token.to_owned())));
        node.start(&self.http).await?;
        self.control.push(node);
        Ok(())
    }

    /// A data plane that is not started yet, with this node token; empty: none.
    pub fn add_data_plane(&mut self, flags: &[String], node_token: &str) -> Result<()> {
        let controls: Vec<&str> = self.control.iter().map(|node| node.url.as_str()).collect();
        let mut node = data_plane(self.folder.path(), &controls, self.data.len())?;
        node.args.extend_from_slice(flags);
        if !node_token.is_empty() {
            node.env.push(("PENSTOCK_NODE_TOKEN", node_token.to_owned()));
        }
        self.data.push(node);
        Ok(())
    }

    /// The command line, talking to a control plane.
    pub fn cli(&self, control: usize) -> Cli {
        self.cli_as(control, ADMIN_TOKEN)
    }

    /// The same with the token of another operator.
    pub fn cli_as(&self, control: usize, token: &str) -> Cli {
        let home = self.folder.path().to_string_lossy();
        let server = self.control[control].url.as_str();
        let mut env = vec![
            ("PENSTOCK_SERVER", server),
            ("PENSTOCK_TOKEN", token),
            ("HOME", &home),
        ];
        env.extend(self.tls_ca.as_deref().map(|ca| ("PENSTOCK_TLS_CA", ca)));
        Cli::new(&env)
    }

    /// A provider for each dialect at the fake, user `alice`, and her key `laptop`, whose secret is returned.
    pub fn prepare(&self) -> Result<String> {
        self.provider("claude", "anthropic", &self.fake.base_url(), &[])?;
        self.provider("gpt", "openai", &self.fake.openai_base_url(), &[])?;
        self.alice()
    }

    /// A provider with the fake's credential, and more flags.
    pub fn provider(&self, name: &str, kind: &str, base_url: &str, more: &[&str]) -> Result<()> {
        let mut args = vec!["provider", "create", "--name", name, "--kind", kind];
        args.extend(["--base-url", base_url, "--api-key", "-"]);
        args.extend(more);
        self.cli(0).run_with(&args, CREDENTIAL)?;
        Ok(())
    }

    /// User `alice` and her key `laptop`, whose secret is returned.
    pub fn alice(&self) -> Result<String> {
        self.cli(0).run(&["user", "create", "--name", "alice"])?;
        self.create_key("alice", "laptop")
    }

    /// A new key's secret.
    pub fn create_key(&self, user: &str, name: &str) -> Result<String> {
        let created = self
            .cli(0)
            .json(&["key", "create", "--user", user, "--name", name])?;
        created["secret"]
            .as_str()
            .map(str::to_owned)
            .context("key create prints the secret")
    }

    /// A new operator's token; more flags as `operator create` takes them.
    pub fn operator(&self, name: &str, role: &str, more: &[&str]) -> Result<String> {
        let args = ["operator", "create", "--name", name, "--role", role];
        let token = self.cli(0).run(&[&args[..], more].concat())?;
        Ok(token.trim().to_owned())
    }

    /// Sends a Messages request through a data plane.
    pub async fn messages(&self, data: usize, key: &str, body: &Value) -> Result<reqwest::Response> {
        let url = format!("{}/v1/messages", self.data[data].url);
        Ok(self
            .http
            .post(url)
            .header("x-api-key", key)
            .json(body)
            .send()
            .await?)
    }

    /// Sends a chat completions request through a data plane.
    pub async fn chat(&self, data: usize, key: &str, body: &Value) -> Result<reqwest::Response> {
        let url = format!("{}/v1/chat/completions", self.data[data].url);
        Ok(self.http.post(url).bearer_auth(key).json(body).send().await?)
    }

    /// Waits until the data plane's snapshot has the store's newest revision.
    pub async fn synced(&self) -> Result<()> {
        let cli = self.cli(0);
        let all = self.data.iter().filter(|node| node.process.is_some()).count();
        until("all data planes run the head revision", || async {
            let nodes = cli.json(&["node", "list"])?;
            let current = |node: &&Value| node["connected"] == true && node["revision"] == nodes["head"];
            let count = nodes["items"]
                .as_array()
                .map_or(0, |items| items.iter().filter(current).count());
            Ok((count >= all).then_some(()))
        })
        .await
    }

    /// Waits until the ledger holds this many calls, answered and rejected, and returns the totals.
    pub async fn ledger(&self, calls: u64) -> Result<Value> {
        let cli = self.cli(0);
        until(&format!("the ledger holds {calls} calls"), || async {
            let usage = cli.json(&["usage"])?;
            let count = |field: &str| usage[field].as_u64().unwrap_or_default();
            Ok((count("requests") + count("rejected") >= calls).then(|| usage.clone()))
        })
        .await
    }
}

impl Node {
    /// Starts the process and waits until it is ready.
    pub async fn start(&mut self, http: &reqwest::Client) -> Result<()> {
        self.spawn()?;
        let ready = self.ready.clone();
        let process = self.process.as_mut().context("just started")?;
        process.ready(http, &ready).await
    }

    /// Starts the process and does not wait.
    pub fn spawn(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(k, v)| (k, v)));
        self.process = Some(Process::start(&self.name, &mut command, &self.log)?);
        Ok(())
    }

    /// Waits until the process says it is ready.
    pub async fn ready(&mut self, http: &reqwest::Client) -> Result<()> {
        let ready = self.ready.clone();
        self.process
            .as_mut()
            .context("not started")?
            .ready(http, &ready)
            .await
    }

    /// `kill -9`.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), |mut process| process.kill())
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.terminate().await?;
        }
        Ok(())
    }

    /// What it has logged until now. Lines are written by a thread of its own, after the call that they tell of may have
    /// been answered.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until its log holds this text.
    pub async fn tells(&self, text: &str) -> Result<()> {
        let what = format!("{} tells: {text}", self.name);
        until(&what, || async { Ok(self.log().contains(text).then_some(())) }).await
    }
}

fn control_plane(folder: &Path, database_url: &str, index: usize, tls: bool) -> Result<Node> {
    let (grpc, console) = (free_port()?, free_port()?);
    let name = format!("control-plane-{index}");
    let args = strings(&[
        "--listen-grpc",
        &format!("127.0.0.1:{grpc}"),
        "--listen-console",
        &format!("127.0.0.1:{console}"),
        "--database-url",
        database_url,
        "--master-key-file",
        &folder.join("master.key").to_string_lossy(),
        "--name",
        &name,
    ]);
    Ok(Node {
        program: binary("penstock-control-plane")?,
        args,
        env: vec![("PENSTOCK_ADMIN_TOKEN", ADMIN_TOKEN.to_owned())],
        log: folder.join(format!("{name}.log")),
        ready: format!("http://127.0.0.1:{console}/health/ready"),
        url: if tls {
            format!("https://localhost:{grpc}")
        } else {
            format!("http://127.0.0.1:{grpc}")
        },
        admin_url: format!("http://127.0.0.1:{console}"),
        process: None,
        name,
    })
}

fn data_plane(folder: &Path, controls: &[&str], index: usize) -> Result<Node> {
    let (listen, admin) = (free_port()?, free_port()?);
    let name = format!("data-plane-{index}");
    let mut args = strings(&[
        "--listen",
        &format!("127.0.0.1:{listen}"),
        "--listen-admin",
        &format!("127.0.0.1:{admin}"),
        "--data-dir",
        &folder.join(&name).to_string_lossy(),
    ]);
    for control in controls {
        args.extend(strings(&["--control-plane", control]));
    }
    Ok(Node {
        program: binary("penstock-data-plane")?,
        args,
        env: Vec::new(),
        log: folder.join(format!("{name}.log")),
        ready: format!("http://127.0.0.1:{admin}/health/ready"),
        url: format!("http://127.0.0.1:{listen}"),
        admin_url: format!("http://127.0.0.1:{admin}"),
        process: None,
        name,
    })
}

fn strings(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}
