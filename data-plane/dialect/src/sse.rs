//! Cuts a byte stream into server-sent event frames, without changing a byte.
//!
//! A frame ends behind the blank line that dispatches it; comments and lone blank lines (keep-alives) are frames
//! without data. Lines end in LF, CRLF or CR. All frames together are the input, and how the input was cut into
//! chunks does not show, for which two rules are needed: a CR at the end of a chunk waits for the next byte, and a
//! blank line right after a line that ended in a lone CR ends at its own CR at once, so that a stream of CRs is not
//! delayed.
//!
//! A frame that lies in one chunk shares its memory; one across a border is copied once. Each byte is looked at once.
//! A frame longer than the limit is an error, after which the stream cannot go on.

mod frame;

use bytes::{Bytes, BytesMut};

pub use frame::Frame;

/// The longest frame, bytes, unless told otherwise: images in one event are some megabytes.
pub const DEFAULT_LIMIT: usize = 8 * 1024 * 1024;

/// Push chunks in, take frames out: as an iterator it ends when the next chunk is needed, and goes on after it.
#[derive(Debug)]
pub struct Splitter {
    limit: usize,
    /// The part of the chunk that was not looked at.
    chunk: Bytes,
    /// The beginning of a frame that goes on in `chunk`.
    held: BytesMut,
    line: Line,
    /// Nothing was given out yet: a byte order mark may stand in front.
    first: bool,
    failed: bool,
}

/// A frame is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit} bytes")]
pub struct FrameTooLong {
    /// The limit, bytes.
    pub limit: usize,
}

/// Where in a frame the bytes looked at so far end.
#[derive(Clone, Copy, Debug)]
struct Line {
    empty: bool,
    /// How the line before ended; None at the start of a frame.
    before: Option<End>,
    /// A CR was seen, and whether an LF belongs to it is open.
    after_cr: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Lf,
    Cr,
    CrLf,
}

const NEW_FRAME: Line = Line {
    empty: true,
    before: None,
    after_cr: false,
};

impl Default for Splitter {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }
}

impl Splitter {
    /// A splitter for one stream whose frames have at most `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            chunk: Bytes::new(),
            held: BytesMut::new(),
            line: NEW_FRAME,
            first: true,
            failed: false,
        }
    }

    /// Takes the next chunk. Take all frames before pushing another: what is left is copied.
    /// After an error they are thrown away.
    pub fn push(&mut self, chunk: Bytes) {
        if self.failed {
            return;
        }
        match self.chunk.is_empty() {
            true => self.chunk = chunk,
            false => self.chunk = [&self.chunk[..], &chunk[..]].concat().into(),
        }
    }

    /// Bytes that are held because their frame is not complete.
    pub fn pending(&self) -> usize {
        self.held.len() + self.chunk.len()
    }

    /// At the end of the stream: what came after the last complete frame, if anything. Browsers drop it; some
    /// providers end their last frame with one line break only, so look at it before dropping it.
    pub fn finish(mut self) -> Option<Frame> {
        let mut rest = std::mem::take(&mut self.held);
        rest.extend_from_slice(&self.chunk);
        (!rest.is_empty() && !self.failed).then(|| Frame::parse(rest.freeze(), self.first))
    }

    /// Gives out the first `end` bytes of the chunk with what is held before them.
    fn cut(&mut self, end: usize) -> Result<Frame, FrameTooLong> {
        self.line = NEW_FRAME;
        let tail = self.chunk.split_to(end);
        self.check(self.held.len() + tail.len())?;
        let raw = match self.held.is_empty() {
            true => tail,
            false => {
                self.held.extend_from_slice(&tail);
                self.held.split().freeze()
            }
        };
        Ok(Frame::parse(raw, std::mem::take(&mut self.first)))
    }

    /// Keeps the chunk for later.
    fn hold(&mut self) -> Result<(), FrameTooLong> {
        let chunk = std::mem::take(&mut self.chunk);
        self.check(self.held.len() + chunk.len())?;
        self.held.extend_from_slice(&chunk);
        Ok(())
    }

    fn check(&mut self, length: usize) -> Result<(), FrameTooLong> {
        if length <= self.limit {
            return Ok(());
        }
        self.failed = true;
        self.held = BytesMut::new();
        self.chunk = Bytes::new();
        Err(FrameTooLong { limit: self.limit })
    }
}

impl Iterator for Splitter {
    type Item = Result<Frame, FrameTooLong>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.chunk.is_empty() {
            return None;
        }
        match self.line.find_end(&self.chunk) {
            Some(end) => Some(self.cut(end)),
            None => self.hold().err().map(Err),
        }
    }
}

impl Line {
    /// Looks at the bytes of a chunk; the end of the frame in it.
    fn find_end(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.after_cr {
                let next = *chunk.get(at)?;
                self.after_cr = false;
                if next == b'\n' {
                    at += 1;
                }
                if self.ends(if next == b'\n' { End::CrLf } else { End::Cr }) {
                    return Some(at);
                }
            }
            let rest = chunk.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.empty &= rest.is_empty();
                return None;
            };
            self.empty &= found == 0;
            let end = match rest.get(found) {
                Some(b'\n') => Some(End::Lf),
                _ if self.empty && self.before == Some(End::Cr) => Some(End::Cr),
                _ => None,
            };
            at += found + 1;
            match end {
                Some(end) if self.ends(end) => return Some(at),
                Some(_) => {}
                None => self.after_cr = true,
            }
        }
    }

    /// A line has ended. Whether it was blank, which ends the frame.
    fn ends(&mut self, end: End) -> bool {
        let blank = self.empty;
        *self = Self {
            before: Some(end),
            ..NEW_FRAME
        };
        blank
    }
}
