//! What commands print: the answer on stdout as table, JSON or YAML, everything else on stderr.
//!
//! JSON and YAML come from the same view and are the stable form (`docs/cli.md`); tables are for people and may
//! change. A reader that goes away is not an error.

use std::fmt;
use std::io::{self, Write};

use crate::failure::Failure;
use crate::view::{self, Row, View};

/// The form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// Stable, for scripts
    Json,
    /// As JSON, in YAML
    Yaml,
}

/// Prints a view.
pub(crate) fn print(format: Format, view: &impl View) -> Result<(), Failure> {
    let text = render(format, view)?;
    write(io::stdout().lock(), &text)
}

/// Prints one of many things as they come. A table's columns are as wide as what they usually hold. A reader that went away
/// is a failure here, so that what goes on by itself ends ([`Failure::is_silent`]).
pub(crate) fn print_line<T: Row>(format: Format, row: &T, header: bool) -> Result<(), Failure> {
    let text = match format {
        Format::Table => {
            let cells = row.cells();
            let head = header.then(|| view::header(T::COLUMNS, &cells));
            let cells = view::line(cells.into_iter());
            head.map_or_else(|| cells.clone(), |head| format!("{head}\n{cells}"))
        }
        Format::Json => serde_json::to_string(row).map_err(Failure::other)?,
        Format::Yaml => format!("---\n{}", serde_saphyr::to_string(row).map_err(Failure::other)?),
    };
    Ok(write_all(io::stdout().lock(), &text)?)
}

/// Prints text as it is.
pub(crate) fn raw(text: &str) -> Result<(), Failure> {
    write(io::stdout().lock(), text)
}

/// A remark for people: on stderr, so that it never gets into a pipe.
pub(crate) fn remark(text: impl fmt::Display) {
    // There is nowhere left to complain to.
    writeln!(io::stderr().lock(), "{text}").ok();
}

/// The failure of the command, with its causes.
pub(crate) fn complain(failure: &Failure) {
    if failure.is_silent() {
        return;
    }
    let mut text = format!("error: {failure}");
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    remark(text);
}

fn render(format: Format, view: &impl View) -> Result<String, Failure> {
    Ok(match format {
        Format::Table => view.table(),
        Format::Json => serde_json::to_string_pretty(view).map_err(Failure::other)?,
        Format::Yaml => serde_saphyr::to_string(view).map_err(Failure::other)?,
    })
}

/// A line that the next one takes the place of, until the last one.
pub(crate) fn progress(text: &str, last: bool) {
    let end = if last { "\n" } else { "" };
    let mut err = io::stderr().lock();
    // Nobody to tell is no error.
    drop(write!(err, "\r\x1b[2K{text}{end}").and_then(|()| err.flush()));
}

fn write_all(mut out: impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush())
}

fn write(out: impl Write, text: &str) -> Result<(), Failure> {
    match write_all(out, text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Thing {
        name: String,
        count: u64,
    }

    impl View for Thing {
        fn table(&self) -> String {
            format!("{} {}", self.name, self.count)
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn thing() -> Thing {
        Thing {
            name: "no".into(),
            count: 18_446_744_073_709_551_615,
        }
    }

    #[test]
    fn one_view_has_three_forms() {
        assert_eq!(
            render(Format::Table, &thing()).unwrap(),
            "no 18446744073709551615"
        );
        let json: serde_json::Value = serde_json::from_str(&render(Format::Json, &thing()).unwrap()).unwrap();
        assert_eq!(json["count"], u64::MAX);
    }

    #[test]
    fn yaml_keeps_words_that_look_like_something_else() {
        let yaml = render(Format::Yaml, &thing()).unwrap();
        let read: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(read["name"], "no");
        assert!(yaml.contains("18446744073709551615"), "{yaml}");
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        assert!(write(Closed, "text").is_ok());
    }

    #[test]
    fn output_ends_with_one_newline() {
        let mut out = Vec::new();
        write(&mut out, "text\n\n").unwrap();
        assert_eq!(out, b"text\n");
    }
}
