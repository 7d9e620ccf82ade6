//! What is wrong with files: where, with what, and what to do.

use std::fmt;
use std::sync::Arc;

use crate::failure::Failure;

/// One thing to mend. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub place: Place,
    /// `provider "main"`. Empty: it is not known yet which.
    pub resource: String,
    /// As files write it: `spec.timeouts.idle`. Empty: the whole of it.
    pub field: String,
    pub text: String,
}

/// A line of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// As it was named, or found below what was named.
    pub file: Arc<str>,
    /// From 1. 0: none in particular.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.file.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        for part in [&self.resource, &self.field] {
            if !part.is_empty() {
                write!(f, "{part}: ")?;
            }
        }
        f.write_str(&self.text)
    }
}

/// All of them, in the order of the files.
pub(crate) fn failure(mut problems: Vec<Problem>) -> Failure {
    problems.sort();
    problems.dedup();
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    let count = match lines.len() {
        1 => "1 problem".to_owned(),
        several => format!("{several} problems"),
    };
    Failure::Input(format!("{count}, and nothing was changed\n{}", lines.join("\n")))
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.75;
    let score = |name: &str| match name.starts_with(written) || written.starts_with(name) {
        true => 1.0,
        false => strsim::jaro_winkler(&written.to_ascii_lowercase(), &name.to_ascii_lowercase()),
    };
    let scored = known.map(|name| (score(name), name));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score >= ALIKE).map(|(_, name)| name)
}

/// The hint that follows what is not known.
pub(crate) fn hint(written: &str, known: &[&str]) -> String {
    match nearest(written, known.iter().copied()) {
        Some(name) => format!("; did you mean {name}?"),
        None => format!("; there are {}", known.join(", ")),
    }
}
