//! The `penstock` command, as an operator's scripts call it.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::binaries::binary;

/// A command line with a server and a token.
#[derive(Clone, Debug)]
pub struct Cli {
    env: Vec<(String, String)>,
}

/// The command failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("penstock {args:?} ended with {code:?}: {stderr}")]
pub struct CliError {
    pub args: Vec<String>,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Cli {
    pub fn new(env: &[(&str, &str)]) -> Self {
        let env = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Self { env }
    }

    /// Standard output of a command that succeeds.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        self.run_with(args, "")
    }

    /// The same with something on standard input.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Result<String> {
        let mut command = Command::new(binary("penstock")?);
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default());
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        child
            .stdin
            .take()
            .context("piped")?
            .write_all(stdin.as_bytes())
            .ok();
        let output = child.wait_with_output()?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(stdout);
        }
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(CliError {
            args,
            code: output.status.code(),
            stdout,
            stderr,
        }
        .into())
    }

    /// The answer of `-o json`.
    pub fn json(&self, args: &[&str]) -> Result<Value> {
        let mut all = args.to_vec();
        all.extend(["-o", "json"]);
        let text = self.run(&all)?;
        serde_json::from_str(&text).with_context(|| format!("{args:?} printed {text}"))
    }

    /// What a command that must fail says.
    pub fn fails(&self, args: &[&str]) -> Result<CliError> {
        match self.run(args) {
            Ok(output) => anyhow::bail!("penstock {args:?} must fail, but printed {output}"),
            Err(error) => error.downcast(),
        }
    }
}
