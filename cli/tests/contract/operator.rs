//! An operator at a shell.

use std::process::Stdio;

use clap::Parser;
use penstock_control_plane::{Config, Fault, Listeners};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";

/// A running control plane and a shell that knows it. Dropped: it is gone.
pub(crate) struct Operator {
    pub(crate) server: String,
    pub(crate) home: TempDir,
    _tasks: JoinSet<Result<(), Fault>>,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Operator {
    pub(crate) async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let key_file = home.path().join("master.key");
        std::fs::write(&key_file, "07".repeat(32)).unwrap();
        let config = Config::parse_from([
            "penstock-control-plane",
            "--database-url",
            &format!("sqlite:{}", home.path().join("penstock.db").display()),
            "--admin-token",
            TOKEN,
            "--master-key-file",
            &key_file.to_string_lossy(),
        ]);
        let grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", grpc.local_addr().unwrap());
        let listeners = Listeners {
            grpc: Some(grpc),
            console: Some(TcpListener::bind("127.0.0.1:0").await.unwrap()),
            ..Listeners::default()
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(penstock_control_plane::run(
            config,
            listeners,
            CancellationToken::new(),
        ));
        Self {
            server,
            home,
            _tasks: tasks,
        }
    }

    /// Runs a command line with this on standard input.
    pub(crate) async fn pipe(&self, line: &str, input: &str) -> Ended {
        let env = [
            ("PENSTOCK_SERVER", self.server.as_str()),
            ("PENSTOCK_TOKEN", TOKEN),
        ];
        run(line, input, &self.home, &env).await
    }

    /// Runs a command line that must succeed; its standard output.
    pub(crate) async fn ok(&self, line: &str) -> String {
        let ended = self.pipe(line, "").await;
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
        ended.stdout
    }

    /// The answer of `-o json`.
    pub(crate) async fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("{line} -o json")).await).unwrap()
    }

    /// Runs a command line that must fail with this code; its standard error.
    pub(crate) async fn fails(&self, line: &str, code: i32) -> String {
        let ended = self.pipe(line, "").await;
        assert_eq!(ended.code, Some(code), "{line}: {ended:?}");
        assert_eq!(
            ended.stdout, "",
            "{line}: an error prints nothing on standard output"
        );
        ended.stderr
    }
}

/// Runs a command line in an environment of its own. `''` is an empty argument.
pub(crate) async fn run(line: &str, input: &str, home: &TempDir, env: &[(&str, &str)]) -> Ended {
    let words = line
        .split_whitespace()
        .map(|word| if word == "''" { "" } else { word });
    let mut child = Command::new(env!("CARGO_BIN_EXE_penstock"))
        .args(words)
        .env_clear()
        .env("HOME", home.path())
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // A command that reads no input may have ended already.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.ok();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
