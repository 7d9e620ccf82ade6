//! The form of a log line (behaviour G14): one JSON object a line, the same from every program.
//!
//! ```text
//! {"time":"2026-11-21T10:00:00.123456Z","level":"info","target":"penstock::call","msg":"call succeeded","model":"…"}
//! ```
//!
//! `time` is UTC with microseconds, `level` one of `trace`, `debug`, `info`, `warn`, `error`; `msg` is the event's text,
//! then come its fields under their own names. Numbers and booleans stay what they are, everything else is text; a
//! number that JSON cannot say (NaN, infinities) is null. A field `members` holds a JSON object, whose members become
//! the line's own. Spans are not written: a line says by itself what it is about.
//!
//! [`start`] installs the one logger of a process. What is logged can be changed while it runs ([`set_filter`]); lines
//! are written by threads of their own ([`files`]).
//!
//! It is a crate of its own because both planes need it and neither may link the other.

mod args;
mod batch;
mod escape;
pub mod files;
mod line;
mod logger;

pub use args::LogArgs;
pub use files::Stream;
pub use line::JsonLine;
pub use logger::{Logger, StartError, destination, dropped_lines, set_filter, start};
