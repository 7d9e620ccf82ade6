//! Writing a backup, line by line.

use serde::Serialize;

use super::{End, Header, Mark, Tally};

/// Makes the lines of one backup, each with its newline. They must be written in the order in which they are made.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    tally: Tally,
}

#[derive(Serialize)]
struct Row<'a, T> {
    section: &'a str,
    row: &'a T,
}

#[derive(Serialize)]
struct Checkpoint {
    checkpoint: Mark,
}

#[derive(Serialize)]
struct Last {
    end: End,
}

impl Writer {
    pub fn header(&mut self, header: &Header) -> serde_json::Result<String> {
        self.line(header)
    }

    pub fn row(&mut self, section: &str, row: &impl Serialize) -> serde_json::Result<String> {
        self.tally.count(section);
        self.line(&Row { section, row })
    }

    /// After the configuration.
    pub fn checkpoint(&mut self) -> serde_json::Result<String> {
        let checkpoint = self.tally.mark();
        self.line(&Checkpoint { checkpoint })
    }

    /// The last line.
    pub fn end(&mut self) -> serde_json::Result<String> {
        let end = End {
            mark: self.tally.mark(),
            counts: self.tally.counts.clone(),
        };
        self.line(&Last { end })
    }

    fn line(&mut self, line: &impl Serialize) -> serde_json::Result<String> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.tally.add(text.as_bytes());
        Ok(text)
    }
}
