//! A process of the stand: its output goes to a file, it ends with its handle.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::StatusCode;
use tokio::time::{Instant, sleep};

use crate::load::get;

/// A process that is not ready after this time has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of a log that is shown when something failed.
const TAIL_LINES: usize = 8;

/// A running process, killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with an environment of its own: only what the command sets, and PATH.
    pub(crate) fn start(name: &'static str, mut command: Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let out = File::create(&log)?;
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder);
        let child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { name, child, log })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a GET is answered with 200.
    pub(crate) async fn ready(&mut self, address: SocketAddr, path: &str) -> Result<()> {
        let answered = async || {
            get(address, path)
                .await
                .is_ok_and(|status| status == StatusCode::OK)
                .then_some(())
        };
        self.until(&format!("answer http://{address}{path}"), answered)
            .await
    }

    /// Waits until `ask` gives something.
    pub(crate) async fn until<T>(&mut self, what: &str, ask: impl AsyncFn() -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = ask().await {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended with {status}; its log ends with:\n{}",
                    self.name,
                    self.tail()
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "{} does not {what} within 30 s; its log ends with:\n{}",
                    self.name,
                    self.tail()
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has written so far.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn tail(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        lines
            .get(lines.len().saturating_sub(TAIL_LINES)..)
            .unwrap_or_default()
            .join("\n")
    }

    /// Waits a little until it has ended by itself.
    pub(crate) fn wait_briefly(&mut self) {
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (tempfile::TempDir, Process) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let process = Process::start("shell", command, folder.path()).unwrap();
        (folder, process)
    }

    #[tokio::test]
    async fn a_process_that_ends_is_reported_with_its_last_words() {
        let (_folder, mut process) = shell("echo one; echo cannot listen >&2; exit 3");
        let error = process
            .until("answer", async || None::<()>)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("cannot listen") && error.contains("3"), "{error}");
    }

    #[tokio::test]
    async fn what_a_process_says_can_be_waited_for() {
        let (folder, mut process) = shell("echo listening; sleep 60");
        let log = folder.path().join("shell.log");
        let said = async || {
            std::fs::read_to_string(&log)
                .ok()
                .filter(|text| text.contains("listening"))
        };
        assert_eq!(process.until("say it", said).await.unwrap(), "listening\n");
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let (_folder, process) = shell("sleep 60");
        let path = format!("/proc/{}", process.id());
        assert!(Path::new(&path).exists());
        drop(process);
        assert!(!Path::new(&path).exists());
    }
}
