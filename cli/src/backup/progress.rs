//! How far it has come: a bar on a terminal; elsewhere nothing but the first and the last word.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// Of one piece of work.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// `what` is done to this many of `unit`.
    pub(crate) fn begin(what: &str, unit: Unit, total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            output::remark(format_args!("{what} …"));
            return Self { bar: None };
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        // A template of ours is valid.
        let style =
            ProgressStyle::with_template(unit.template()).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("█▌ "));
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar: Some(bar) }
    }

    pub(crate) fn at(&self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total.max(done));
            bar.set_position(done);
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Rows,
    Bytes,
}

impl Unit {
    fn template(self) -> &'static str {
        match self {
            Self::Rows => "{msg} {wide_bar} {human_pos} of {human_len} rows, {eta} left",
            Self::Bytes => "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left",
        }
    }
}
