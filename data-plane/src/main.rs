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

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = Config::parse();
    match start(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when this fails.
            drop(writeln!(std::io::stderr(), "penstock-data-plane: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn start(config: &Config) -> anyhow::Result<()> {
    let _logger = penstock_log::start(&config.log_level, &config.log, penstock_log::Stream::Stdout)?;
    open_files::raise();
    huge_pages::avoid();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all();
    if let Some(threads) = config.threads {
        runtime.worker_threads(usize::from(threads));
    }
    let served = runtime.build()?.block_on(serve(config));
    served.inspect_err(|error| tracing::error!(%error, "the data plane could not start"))
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
