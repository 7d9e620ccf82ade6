//! The form of a backup: lines of JSON that prove that they are whole.
//!
//! A backup is text before it is compressed and perhaps encrypted (which is the command line's business): one JSON
//! object a line, at most [`MAX_LINE`] bytes each, in this order:
//!
//! 1. the [`Header`]: what this is, who made it, how many rows are to come;
//! 2. the configuration: `{"section":"users","row":{…}}`, one line a row, section after section;
//! 3. `{"checkpoint":{"lines":N,"sha256":"…"}}`: the configuration is whole up to here;
//! 4. everything else, in rows as well;
//! 5. `{"end":{"lines":N,"sha256":"…","counts":{…}}}`, and nothing after it.
//!
//! `lines` is the number of lines before this one, and `sha256` that of all their bytes with their newlines. A file that
//! was cut off has no end; one in which a bit was turned has another hash. The hash is no signature: whoever can write
//! the file can write a new one, and an encrypted backup is the one that nobody else can write.
//!
//! Rows are what the sections make of them; this module does not look into them. A release reads every older version of
//! the form, and refuses newer ones.

mod header;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use header::{BackupKind, FORMAT, Header, VERSION};
pub use reader::{Broken, Event, Reader};
pub use writer::Writer;

/// The longest line, in bytes, its newline left out.
pub const MAX_LINE: usize = 4 << 20;

/// How many rows there are of each section.
pub type Counts = BTreeMap<String, u64>;

/// What is known of all lines before this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub lines: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    #[serde(flatten)]
    pub mark: Mark,
    pub counts: Counts,
}

/// Counts and hashes lines as they go by.
#[derive(Clone, Debug, Default)]
struct Tally {
    lines: u64,
    hash: Sha256,
    counts: Counts,
}

impl Tally {
    /// With the newline.
    fn add(&mut self, line: &[u8]) {
        self.lines += 1;
        self.hash.update(line);
    }

    fn count(&mut self, section: &str) {
        match self.counts.get_mut(section) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(section.to_owned(), 1);
            }
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            lines: self.lines,
            sha256: hex::encode(self.hash.clone().finalize()),
        }
    }
}
