//! One frame: its bytes, and where in them the event's name and data are.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

/// One server-sent event, or a comment, or a lone blank line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The frame as it came, its blank line included.
    pub raw: Bytes,
    event: Option<Range<usize>>,
    data: Data,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Data {
    None,
    Line(Range<usize>),
    /// Several lines, to be joined by line feeds.
    Lines(Range<usize>, Vec<Range<usize>>),
}

impl Frame {
    /// Reads the fields of a whole frame. `first` says that a byte order mark may stand in front.
    pub(super) fn parse(raw: Bytes, first: bool) -> Self {
        let (mut event, mut data) = (None, Data::None);
        let mut at = if first && raw.starts_with(b"\xEF\xBB\xBF") {
            3
        } else {
            0
        };
        while at < raw.len() {
            let rest = raw.get(at..).unwrap_or_default();
            let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let line = rest.get(..length).unwrap_or_default();
            if let Some(value) = value(line, b"data") {
                data.add(at + value..at + length);
            } else if let Some(value) = value(line, b"event") {
                event = Some(at + value..at + length);
            }
            at += length + 1;
        }
        Self { raw, event, data }
    }

    /// The name of the event; None when it has none or a name that is not UTF-8.
    pub fn event(&self) -> Option<&str> {
        std::str::from_utf8(self.raw.get(self.event.clone()?)?).ok()
    }

    /// The data, lines joined by line feeds; None when the frame has no data line (comments, keep-alives).
    pub fn data(&self) -> Option<Cow<'_, [u8]>> {
        let line = |span: &Range<usize>| self.raw.get(span.clone()).unwrap_or_default();
        match &self.data {
            Data::None => None,
            Data::Line(span) => Some(Cow::Borrowed(line(span))),
            Data::Lines(first, more) => {
                let lines = std::iter::once(first).chain(more);
                let lines: Vec<&[u8]> = lines.map(line).collect();
                Some(Cow::Owned(lines.join(&b'\n')))
            }
        }
    }

    /// Where the data stands in `raw`, if it is one line.
    pub fn data_span(&self) -> Option<Range<usize>> {
        match &self.data {
            Data::Line(span) => Some(span.clone()),
            Data::None | Data::Lines(..) => None,
        }
    }
}

impl Data {
    fn add(&mut self, span: Range<usize>) {
        match self {
            Self::None => *self = Self::Line(span),
            Self::Line(first) => *self = Self::Lines(first.clone(), vec![span]),
            Self::Lines(_, more) => more.push(span),
        }
    }
}

/// Where the value of a line's field begins, if the field is this one.
fn value(line: &[u8], field: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(field)?;
    match rest {
        [] => Some(field.len()),
        [b':', b' ', ..] => Some(field.len() + 2),
        [b':', ..] => Some(field.len() + 1),
        _ => None,
    }
}
