//! The loads of the marks on the data plane alone, while `perf` samples it.
//!
//! The result is a recording for `perf report`; the figures of such a run are not compared with anything.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::time::timeout;

use crate::load::Outcome;
use crate::mark::{Bench, Mark};
use crate::report::{progress, time};

/// Samples a second: not a divisor of anything that the data plane does at intervals.
const FREQUENCY: &str = "1999";

/// Records each mark for the bench's span, and says how to read the recordings.
pub(crate) async fn record(bench: &Bench<'_>, marks: &[Mark], results: &Path) -> Result<String> {
    std::fs::create_dir_all(results)?;
    let mut said = String::new();
    for mark in marks {
        let file = results.join(format!("{mark:?}.perf"));
        progress(&format!("{mark:?}, under perf"));
        let (outcome, ()) = tokio::try_join!(mark.exercise(bench), perf(bench, &file))?;
        said.push_str(&line(*mark, &outcome, &file));
    }
    Ok(said)
}

async fn perf(bench: &Bench<'_>, file: &PathBuf) -> Result<()> {
    let id = bench.stand.data_plane_id().to_string();
    let seconds = bench.span.as_secs().to_string();
    let mut command = Command::new("perf");
    command
        .args(["record", "--quiet", "--freq", FREQUENCY, "--pid", &id, "--output"])
        .arg(file);
    command.args(["--", "sleep", &seconds]).kill_on_drop(true);
    let output = timeout(bench.span + Duration::from_secs(30), command.output())
        .await
        .context("perf does not end")?
        .context("perf cannot be started: install it (Debian: linux-perf)")?;
    ensure!(
        output.status.success(),
        "perf failed: {}",
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(())
}

fn line(mark: Mark, outcome: &Outcome, file: &Path) -> String {
    let cpu = outcome.cpu_micros().map_or_else(|| "unknown".to_owned(), time);
    let rate = outcome.per_second();
    format!(
        "{mark:?}: {rate:.0} requests/s, CPU per request {cpu}\n    perf report --stdio --no-children -i {}\n",
        file.display()
    )
}
