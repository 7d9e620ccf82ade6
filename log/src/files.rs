//! Where lines are written: never by whoever logs.
//!
//! A line goes into a bounded queue, and a thread writes it: a slow disk or a reader of standard output that has
//! stopped makes lines fall out, which is counted ([`crate::dropped_lines`]), and no call wait.
//!
//! With a directory each target of ours has a file a day: `call.2026-11-21.log`, `failure.…`, `token_refresh.…`; everything else
//! is in `penstock.…`. Files beyond the days to keep are deleted when a new one begins.

use std::io::{self, Stderr, Stdout, Write};
use std::path::Path;

use tracing::Metadata;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::fmt::MakeWriter;

use crate::batch::Batches;

/// Lines that wait for one file.
const QUEUE: usize = 16 * 1024;
/// Targets with a file of their own, with or without `penstock::` before them.
const TARGETS: [&str; 5] = ["call", "failure", "token_refresh", "webhook", "http_debug"];
const OTHERS: &str = "penstock";

/// A stream of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Takes lines from everybody.
#[derive(Clone, Debug)]
pub(crate) enum Lines {
    Stream(NonBlocking),
    /// In the order of [`TARGETS`], then the file of all others.
    Files {
        of_targets: Vec<NonBlocking>,
        others: NonBlocking,
    },
}

/// What writes until it is dropped.
pub(crate) struct Writers {
    pub(crate) guards: Vec<WorkerGuard>,
    pub(crate) counters: Vec<ErrorCounter>,
}

impl Lines {
    pub(crate) fn to_stream(stream: Stream) -> (Self, Writers) {
        let mut writers = Writers::none();
        let lines = match stream {
            Stream::Stdout => writers.add::<Stdout>(io::stdout()),
            Stream::Stderr => writers.add::<Stderr>(io::stderr()),
        };
        (Self::Stream(lines), writers)
    }

    pub(crate) fn to_files(directory: &Path, keep_days: u16) -> Result<(Self, Writers), InitError> {
        let mut writers = Writers::none();
        let mut of_targets = Vec::with_capacity(TARGETS.len());
        for name in TARGETS {
            of_targets.push(writers.add(file(directory, name, keep_days)?));
        }
        let others = writers.add(file(directory, OTHERS, keep_days)?);
        Ok((Self::Files { of_targets, others }, writers))
    }

    fn of(&self, target: &str) -> NonBlocking {
        match self {
            Self::Stream(lines) => lines.clone(),
            Self::Files { of_targets, others } => {
                let name = target.strip_prefix("penstock::").unwrap_or(target);
                let at = TARGETS.iter().position(|own| *own == name);
                at.and_then(|at| of_targets.get(at)).unwrap_or(others).clone()
            }
        }
    }
}

impl Writers {
    fn none() -> Self {
        Self {
            guards: Vec::new(),
            counters: Vec::new(),
        }
    }

    fn add<W: Write + Send + 'static>(&mut self, writer: W) -> NonBlocking {
        let builder = NonBlockingBuilder::default();
        let builder = builder.buffered_lines_limit(QUEUE).lossy(true).thread_name("log");
        let (lines, guard) = builder.finish(Batches::new(writer));
        self.guards.push(guard);
        self.counters.push(lines.error_counter());
        lines
    }
}

fn file(directory: &Path, name: &str, keep_days: u16) -> Result<RollingFileAppender, InitError> {
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(name)
        .filename_suffix("log")
        .max_log_files(usize::from(keep_days))
        .build(directory)
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = NonBlocking;

    fn make_writer(&'w self) -> NonBlocking {
        self.of(OTHERS)
    }

    fn make_writer_for(&'w self, metadata: &Metadata<'_>) -> NonBlocking {
        self.of(metadata.target())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g14_each_target_has_a_file_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let (lines, writers) = Lines::to_files(directory.path(), 14).unwrap();
        for target in [
            "penstock::failure",
            "penstock::call",
            "penstock::unheard_of",
            "hyper::client",
        ] {
            writeln!(lines.of(target), "{target}").unwrap();
        }
        drop(writers);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((name.split('.').next().unwrap().to_owned(), text));
            assert_eq!(name.split('.').count(), 3, "{name}: name, day, log");
        }
        found.retain(|(_, text)| !text.is_empty());
        found.sort();
        let expected = [
            ("call", "penstock::call\n"),
            ("failure", "penstock::failure\n"),
            ("penstock", "penstock::unheard_of\nhyper::client\n"),
        ];
        assert_eq!(
            found,
            expected.map(|(name, text)| (name.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn g14_a_writer_that_stands_still_loses_lines_and_says_how_many() {
        struct Stuck(std::sync::mpsc::Receiver<()>);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.recv().ok();
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (release, stuck) = std::sync::mpsc::sync_channel(1);
        let mut writers = Writers::none();
        let mut lines = writers.add(Stuck(stuck));
        // Some are in the batch that is being written.
        for _ in 0..QUEUE + 1_000 {
            lines.write_all(&[b'x'; 1024]).unwrap();
        }
        let dropped = writers.counters[0].dropped_lines();
        assert!((900..=1_000).contains(&dropped), "{dropped}");
        drop(release);
    }
}
