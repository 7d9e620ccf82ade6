//! Reading a backup: bytes in, what the lines say out, and what is wrong with them.
//!
//! Whoever reads must not act on rows before the mark that follows them was met: until then they may be damaged. At the
//! end [`Reader::finish`] tells whether the last line was there.

use serde::Deserialize;
use serde_json::Value;

use super::{End, FORMAT, Header, MAX_LINE, Mark, Tally, VERSION};

/// Takes a backup apart. Holds no more than one line.
#[expect(missing_debug_implementations, reason = "its buffer can hold secrets")]
#[derive(Default)]
pub struct Reader {
    buffer: Vec<u8>,
    /// Where in the buffer the next line begins.
    start: usize,
    /// Where no newline was found yet.
    searched: usize,
    tally: Tally,
    place: Place,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Header,
    Configuration,
    Rest,
    End,
}

/// What a line says.
#[expect(missing_debug_implementations, reason = "a row can hold secrets")]
pub enum Event {
    Header(Header),
    Row {
        section: String,
        row: Value,
    },
    /// All rows up to here are as they were written.
    Checkpoint(Mark),
    /// All of it is as it was written.
    End(End),
}

/// Why something is no whole backup. Quotes nothing of what it holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("this is no backup of Penstock")]
    NotABackup,
    #[error(
        "the backup is of form {version}, and this release reads up to {VERSION}: use the release that made it, or a newer one"
    )]
    Newer { version: u32 },
    #[error("the backup is cut off: its last line is missing")]
    CutOff,
    #[error("the backup was changed or damaged: line {line} is not what was written")]
    Line { line: u64 },
    #[error("the backup was changed or damaged somewhere in its first {lines} lines: their checksum differs")]
    Checksum { lines: u64 },
    #[error("something follows the last line of the backup")]
    AfterEnd,
}

#[derive(Deserialize)]
struct Line {
    section: Option<String>,
    row: Option<Value>,
    checkpoint: Option<Mark>,
    end: Option<End>,
}

#[derive(Deserialize)]
struct Form {
    format: String,
    version: u32,
}

impl Reader {
    /// Takes more of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// What the next line says; None until more was fed.
    pub fn next_event(&mut self) -> Result<Option<Event>, Broken> {
        let unseen = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(at) = unseen.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return match self.buffer.len() - self.start > MAX_LINE {
                true => Err(self.damaged()),
                false => Ok(None),
            };
        };
        let end = self.searched + at + 1;
        let line = self.buffer.get(self.start..end).unwrap_or_default();
        let event = read(line, self.place, &mut self.tally)?;
        self.start = end;
        self.searched = end;
        self.place = match event {
            Event::Header(_) => Place::Configuration,
            Event::Row { .. } => self.place,
            Event::Checkpoint(_) => Place::Rest,
            Event::End(_) => Place::End,
        };
        Ok(Some(event))
    }

    /// Whether all of it was there.
    pub fn finish(&self) -> Result<(), Broken> {
        let left = self.buffer.len() > self.start;
        match (self.place, left) {
            (Place::End, false) => Ok(()),
            (Place::End, true) => Err(Broken::AfterEnd),
            (Place::Header, _) => Err(Broken::NotABackup),
            (Place::Configuration | Place::Rest, _) => Err(Broken::CutOff),
        }
    }

    fn damaged(&self) -> Broken {
        match self.place {
            Place::Header => Broken::NotABackup,
            Place::Configuration | Place::Rest | Place::End => Broken::Line {
                line: self.tally.lines + 1,
            },
        }
    }
}

fn read(bytes: &[u8], place: Place, tally: &mut Tally) -> Result<Event, Broken> {
    let before = tally.mark_at(place, bytes);
    let damaged = Broken::Line {
        line: tally.lines + 1,
    };
    tally.add(bytes);
    match place {
        Place::Header => return header(bytes).map(Event::Header),
        Place::End => return Err(Broken::AfterEnd),
        Place::Configuration | Place::Rest => {}
    }
    let line: Line = serde_json::from_slice(bytes).map_err(|_| damaged.clone())?;
    match (line.section, line.row, line.checkpoint, line.end) {
        (Some(section), Some(row), None, None) => {
            tally.count(&section);
            Ok(Event::Row { section, row })
        }
        (None, None, Some(mark), None) if place == Place::Configuration => {
            same(&mark, before.as_ref())?;
            Ok(Event::Checkpoint(mark))
        }
        (None, None, None, Some(end)) if place == Place::Rest => {
            same(&end.mark, before.as_ref())?;
            match end.counts == tally.counts {
                true => Ok(Event::End(end)),
                false => Err(damaged),
            }
        }
        (_, _, _, _) => Err(damaged),
    }
}

impl Tally {
    /// The mark of all lines so far, where the next line may want it. Rows do not: they are many.
    fn mark_at(&self, place: Place, line: &[u8]) -> Option<Mark> {
        let wants = line.starts_with(b"{\"checkpoint\"") || line.starts_with(b"{\"end\"");
        (wants && place != Place::Header).then(|| self.mark())
    }
}

fn same(told: &Mark, found: Option<&Mark>) -> Result<(), Broken> {
    if found == Some(told) {
        return Ok(());
    }
    Err(Broken::Checksum { lines: told.lines })
}

fn header(bytes: &[u8]) -> Result<Header, Broken> {
    let form: Form = serde_json::from_slice(bytes).map_err(|_| Broken::NotABackup)?;
    if form.format != FORMAT {
        return Err(Broken::NotABackup);
    }
    if form.version > VERSION {
        return Err(Broken::Newer {
            version: form.version,
        });
    }
    serde_json::from_slice(bytes).map_err(|_| Broken::Line { line: 1 })
}
