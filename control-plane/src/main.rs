//! `penstock-control-plane`: wiring only. What it does is in the library.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use penstock_control_plane::{Config, Fault, Listeners, run};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = Config::parse();
    match start(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // With standard error closed there is nowhere left to say it.
            drop(writeln!(
                std::io::stderr().lock(),
                "penstock-control-plane: {fault}"
            ));
            ExitCode::FAILURE
        }
    }
}

fn start(config: Config) -> Result<(), Fault> {
    let _logger = penstock_log::start(&config.log_level, &config.log, penstock_log::Stream::Stdout)?;
    serve(config).inspect_err(|fault| tracing::error!(fault = true, "{fault}"))
}

fn serve(config: Config) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Fault::Runtime)?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        let serving = run(config, Listeners::default(), shutdown.clone());
        tokio::pin!(serving);
        loop {
            tokio::select! {
                result = &mut serving => return result,
                _ = terminate.recv() => shutdown.cancel(),
                _ = interrupt.recv() => shutdown.cancel(),
            }
        }
    })
}

fn on(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Fault> {
    signal(kind).map_err(Fault::Runtime)
}
