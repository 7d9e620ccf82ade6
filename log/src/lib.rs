//! The form of a log line (behaviour G14): one JSON object a line, the same from every program.
//!
//! ```text
//! {"time":"2026-11-21T10:00:00.123456Z","level":"info","target":"penstock::call","msg":"call succeeded","model":"…"}
//! ```
//!
//! `time` is UTC with microseconds, `level` one of `trace`, `debug`, `info`, `warn`, `error`; `msg` is the event's text,
//! then come its fields under their own names. Numbers and booleans stay what they are, everything else is text; a
//! number that JSON cannot say (NaN, infinities) is null. Spans are not written: a line says by itself what it is about.
//!
//! It is a crate of its own because both planes need it and neither may link the other.

mod escape;
mod line;

pub use line::JsonLine;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Installs the logger of this process. Fails when there is one already.
pub fn start<W>(filter: EnvFilter, writer: W) -> Result<(), TryInitError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .event_format(JsonLine)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish()
        .try_init()
}
