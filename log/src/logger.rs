//! The one logger of a process, and what can be changed of it while it runs.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_appender::non_blocking::{ErrorCounter, WorkerGuard};
use tracing_appender::rolling::InitError;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry, fmt};

use crate::args::LogArgs;
use crate::files::{Lines, Stream};
use crate::line::JsonLine;

/// Why there is no logger. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "--log-level {filter:?} is not a level or filter ({source}); write info, debug or info,hyper=warn"
    )]
    Filter { filter: String, source: ParseError },
    #[error("the log cannot be written to {} (--log-dir): {source}; choose a directory that this user may write to", directory.display())]
    Directory { directory: PathBuf, source: InitError },
    #[error("logging cannot be set up: {0}")]
    Taken(#[from] TryInitError),
}

/// Writes what is queued when it is dropped; to be kept until the end.
#[must_use]
#[expect(missing_debug_implementations, reason = "nothing to show")]
pub struct Logger {
    _guards: Vec<WorkerGuard>,
}

struct Running {
    /// As the program was started.
    own: String,
    handle: Handle<EnvFilter, Registry>,
    /// In force.
    filter: Mutex<String>,
    counters: Vec<ErrorCounter>,
    destination: &'static str,
}

static RUNNING: OnceLock<Running> = OnceLock::new();

/// Installs the logger of this process. Fails when there is one already.
pub fn start(filter: &str, args: &LogArgs, stream: Stream) -> Result<Logger, StartError> {
    let parsed = EnvFilter::try_new(filter).map_err(|source| StartError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let (lines, writers) = match &args.log_dir {
        Some(directory) => {
            let opened = Lines::to_files(directory, args.log_keep_days);
            opened.map_err(|source| StartError::Directory {
                directory: directory.clone(),
                source,
            })?
        }
        None => Lines::to_stream(stream),
    };
    let destination = match (&args.log_dir, stream) {
        (Some(_), _) => "files",
        (None, Stream::Stdout) => "stdout",
        (None, Stream::Stderr) => "stderr",
    };
    let (level, handle) = reload::Layer::new(parsed);
    let format = fmt::layer().event_format(JsonLine).with_writer(lines);
    tracing_subscriber::registry()
        .with(level)
        .with(format)
        .try_init()?;
    let running = Running {
        own: filter.to_owned(),
        handle,
        filter: Mutex::new(filter.to_owned()),
        counters: writers.counters,
        destination,
    };
    // There was no logger before, so nothing is there.
    drop(RUNNING.set(running));
    Ok(Logger {
        _guards: writers.guards,
    })
}

/// Sets another filter, made of the one that the program was started with.
///
/// Does nothing without a logger, or when it is in force already. A filter that cannot be read leaves the one in force, with a line in the log.
pub fn set_filter(make: impl FnOnce(&str) -> String) {
    let Some(running) = RUNNING.get() else { return };
    let filter = make(&running.own);
    let mut held = running.filter.lock().unwrap_or_else(PoisonError::into_inner);
    if *held == filter {
        return;
    }
    let parsed = match EnvFilter::try_new(&filter) {
        Ok(parsed) => parsed,
        Err(error) => {
            tracing::warn!(%error, filter, "the setting `logging` makes no filter; the log stays as it is");
            return;
        }
    };
    match running.handle.reload(parsed) {
        Ok(()) => {
            held.clone_from(&filter);
            drop(held);
            tracing::info!(filter, "the setting `logging` is in force");
        }
        Err(error) => tracing::warn!(%error, "the log's filter cannot be changed"),
    }
}

/// Where the log goes: `stdout`, `stderr` or `files`; `none` without a logger.
pub fn destination() -> &'static str {
    RUNNING.get().map_or("none", |running| running.destination)
}

/// Lines that were lost because they could not be written fast enough, since the process began.
pub fn dropped_lines() -> u64 {
    let counters = RUNNING.get().map(|running| running.counters.as_slice());
    let dropped = counters
        .unwrap_or_default()
        .iter()
        .map(ErrorCounter::dropped_lines);
    dropped.fold(0, |sum, lines| {
        sum.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX))
    })
}
