//! The data plane as a process of its own: flags, logs, signals, exit code. Everything else is in the library.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use penstock_data_plane::config::{Config, Settings};
use penstock_data_plane::link::Link;
use penstock_data_plane::run::{Listeners, run};
use penstock_data_plane::{huge_pages, open_files};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = Config::parse();
    match start(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the data plane could not start");
            // Nobody is left to tell when this fails.
            drop(writeln!(std::io::stderr(), "penstock-data-plane: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn start(config: &Config) -> anyhow::Result<()> {
    log(&config.log_level)?;
    open_files::raise();
    huge_pages::avoid();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all();
    if let Some(threads) = config.threads {
        runtime.worker_threads(usize::from(threads));
    }
    runtime.build()?.block_on(serve(config))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let (settings, control_plane) = Settings::new(config)?;
    let link = Link::network(&control_plane)?;
    let listeners = Listeners::bind(&config.traffic).await?;
    let shutdown = CancellationToken::new();
    let signals = TaskTracker::new();
    signals.spawn(cancel_on_signal(shutdown.clone())?);
    signals.close();
    let ran = run(settings, link, listeners, shutdown.clone()).await;
    shutdown.cancel();
    signals.wait().await;
    Ok(ran?)
}

/// SIGTERM or SIGINT begins the shutdown; a second one does nothing more, for the drain has its own deadline.
fn cancel_on_signal(shutdown: CancellationToken) -> std::io::Result<impl Future<Output = ()> + Send + use<>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => shutdown.cancel(),
            _ = interrupt.recv() => shutdown.cancel(),
            () = shutdown.cancelled() => {}
        }
    })
}

fn log(level: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level).map_err(|error| {
        anyhow::anyhow!(
            "--log-level {level:?} is not a level or filter ({error}); write info, debug or info,hyper=warn"
        )
    })?;
    penstock_log::start(filter, std::io::stdout)
        .map_err(|error| anyhow::anyhow!("logging cannot be set up: {error}"))
}
