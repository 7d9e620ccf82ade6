//! A server process: started with its output in a file, stopped by signal, killed when dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::wait::until;

/// What to send to a process.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    Term,
    Kill,
    Stop,
    Continue,
}

/// A running server.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts it. Standard output and error go to `log`, appended.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            log: log.to_owned(),
            child,
        })
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let flag = match signal {
            Signal::Term => "-TERM",
            Signal::Kill => "-KILL",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        Command::new("kill")
            .args([flag, &self.child.id().to_string()])
            .status()?;
        Ok(())
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::Term)?;
        self.exited().await
    }

    /// Waits until it has ended by itself.
    pub async fn exited(&mut self) -> Result<ExitStatus> {
        let name = self.name.clone();
        let child = &mut self.child;
        for _ in 0..3000 {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{name} did not end within a minute")
    }

    /// Waits until `url` answers 200.
    pub async fn ready(&mut self, client: &reqwest::Client, url: &str) -> Result<()> {
        let what = format!("{} answers {url}", self.name);
        let child = &mut self.child;
        let log = &self.log;
        let ended = std::cell::Cell::new(None);
        let answered = until(&what, || {
            ended.set(child.try_wait().ok().flatten());
            async {
                if let Some(status) = ended.get() {
                    return Ok(Some(Err(status)));
                }
                Ok(client
                    .get(url)
                    .send()
                    .await?
                    .status()
                    .is_success()
                    .then_some(Ok(())))
            }
        })
        .await;
        match answered {
            Ok(Ok(())) => Ok(()),
            Ok(Err(status)) => bail!("{} ended with {status}:\n{}", self.name, tail(log)),
            Err(error) => bail!("{error:#}\n{}", tail(log)),
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
    fn drop(&mut self) {
        drop((self.child.kill(), self.child.wait()));
        if std::thread::panicking() {
            eprintln!("--- the end of the log of {}\n{}", self.name, tail(&self.log));
        }
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
