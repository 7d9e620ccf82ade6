//! The fake provider as a program of its own, for the bench and for trying things by hand.
//!
//! Prints `listening on http://ADDRESS` once it accepts, so that a script can wait for that line. Ends on
//! SIGINT or SIGTERM. `GET /_fake/counts` tells what it has done so far.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use penstock_fake_provider::{Behaviour, Builder, FakeProvider};
use tokio::signal::unix::{SignalKind, signal};

/// A provider that speaks the vendors' dialects and misbehaves on command.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,

    /// Milliseconds between the events of a stream.
    #[arg(long)]
    pace_ms: Option<u64>,

    /// Text events in a stream.
    #[arg(long)]
    chunks: Option<usize>,

    /// Default behaviour in the words of a directive, e.g. `status=529 retry-after=3`.
    #[arg(long, default_value = "")]
    behave: String,

    /// Answer every ordinary request with a prebuilt body of so many bytes: the cheapest way, for a bench.
    #[arg(long, value_name = "BYTES")]
    fixed: Option<usize>,

    /// The secret that callers must show.
    #[arg(long, env = "FAKE_PROVIDER_CREDENTIAL", hide_env_values = true)]
    credential: Option<String>,

    /// Worker threads; 0 takes one per processor.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> ExitCode {
    match start(Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // One line and no backtrace, whatever RUST_BACKTRACE says. Standard error may be closed: then it is lost.
        Err(error) => match writeln!(io::stderr(), "error: {error:#}") {
            Ok(()) | Err(_) => ExitCode::FAILURE,
        },
    }
}

fn start(flags: Flags) -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if flags.threads > 0 {
        runtime.worker_threads(flags.threads);
    }
    runtime
        .enable_all()
        .build()
        .context("no runtime could be started")?
        .block_on(run(flags))
}

async fn run(flags: Flags) -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let listen = flags.listen;
    let fake = builder(flags)?
        .start_at(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}: choose another address with --listen"))?;
    let mut out = io::stdout();
    writeln!(out, "listening on {}", fake.base_url()).and_then(|()| out.flush())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    fake.shutdown().await;
    Ok(())
}

fn builder(flags: Flags) -> anyhow::Result<Builder> {
    let mut behaviour = Behaviour::parse(&flags.behave).context("--behave cannot be read")?;
    if let Some(pace) = flags.pace_ms {
        behaviour.pace = Duration::from_millis(pace);
    }
    behaviour.chunks = flags.chunks.or(behaviour.chunks);
    let mut builder = FakeProvider::builder().default_behaviour(behaviour);
    if let Some(bytes) = flags.fixed {
        builder = builder.fixed_answers(bytes);
    }
    if let Some(credential) = flags.credential {
        builder = builder.require_credential(credential);
    }
    Ok(builder)
}
