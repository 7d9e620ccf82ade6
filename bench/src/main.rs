//! `just bench`: the performance marks of Penstock, measured beside nginx and a direct connection.
//!
//! Machines differ and are noisy, so what counts is ratios within one run, and CPU time more than wall time. Everything a
//! run needs is started here and ends with it. docs/performance.md says what the figures mean.

mod body;
mod flags;
mod load;
mod machine;
mod mark;
mod open_files;
mod profile;
mod report;
mod stand;

/// The allocator of the data plane, whose client P8 measures in this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::flags::Flags;
use crate::machine::Machine;
use crate::mark::Bench;
use crate::report::{Report, progress};
use crate::stand::{Programs, Stand};

fn main() -> ExitCode {
    open_files::raise();
    match start(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Standard error may be closed: then the message is lost.
        Err(error) => match writeln!(io::stderr(), "error: {error:#}") {
            Ok(()) | Err(_) => ExitCode::FAILURE,
        },
    }
}

/// One thread: the load generator must not take the cores that it measures.
fn start(flags: &Flags) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            text = run(flags) => text,
            interrupted = tokio::signal::ctrl_c() => { interrupted?; bail!("interrupted") }
            _ = terminated.recv() => bail!("terminated"),
        }
    })?;
    io::stdout()
        .write_all(text.as_bytes())
        .context("the result cannot be printed")
}

async fn run(flags: &Flags) -> Result<String> {
    let machine = Machine::here();
    let at = jiff::Timestamp::now().to_string();
    let programs = Programs::find(flags.bin_dir.as_deref())?;
    progress("starting the provider, the planes, nginx and Redis");
    let stand = Stand::start(&programs).await?;
    let streams = open_files::that_fit(flags.streams);
    let bench = Bench::new(&stand, flags.span(), flags.rounds, streams);
    if flags.profile {
        return profile::record(&bench, &flags.marks(), &flags.results).await;
    }
    let mut rows = Vec::new();
    for mark in flags.marks() {
        rows.extend(mark.measure(&bench).await?);
    }
    let others = bench.others.take();
    let mut notes = notes(&programs);
    notes.extend(others.warning());
    if streams < flags.streams {
        notes.push(format!(
            "P4 had {streams} streams, as many as the limit of open files allows (ulimit -Hn)"
        ));
    }
    notes.extend(bench.notes.take());
    notes.extend(
        Machine::load_now().map(|load| format!("load {load:.2} at the end; the bench itself makes some")),
    );
    notes.push(ledger(&stand).await?);
    let (seconds, rounds) = (flags.seconds, flags.rounds);
    let (nginx, redis) = (programs.nginx_version(), programs.redis_version());
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        at,
        machine,
        nginx,
        redis,
        seconds,
        rounds,
        others,
        rows,
        notes,
    };
    let kept = report.keep(&flags.results)?;
    progress(&format!("kept as {}", kept.display()));
    if let Some(file) = &flags.save {
        report.save(file)?;
    }
    if flags.json {
        report.json()
    } else {
        Ok(report.text())
    }
}

fn notes(programs: &Programs) -> Vec<String> {
    let mut notes = Vec::new();
    if cfg!(debug_assertions) {
        notes.push("this is a debug build: the figures say nothing; use `just bench`".to_owned());
    }
    if programs.nginx.is_none() {
        notes.push("nginx is not installed, so there is no reference and no ratio".to_owned());
    }
    if programs.redis.is_none() {
        notes.push(
            "redis-server is not installed, so limits in Redis (P1) and P8 were not measured".to_owned(),
        );
    } else if programs.redis_benchmark.is_none() {
        notes.push("redis-benchmark is not installed, so P8 has no reference".to_owned());
    }
    notes
}

/// What was answered must have been metered, or the figures were not those of a gateway at work.
async fn ledger(stand: &Stand) -> Result<String> {
    progress("waiting for the ledger");
    let (held, expected) = stand.ledger().await?;
    if held == expected {
        return Ok(format!(
            "the ledger holds each of the {expected} calls that were answered, warm-ups too"
        ));
    }
    Ok(format!(
        "METERING IS NOT COMPLETE: the ledger holds {held} of {expected} answered calls a minute after the run"
    ))
}
