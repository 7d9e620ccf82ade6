//! One frame: its bytes, and where in them the event's name and data are.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

/// One server-sent event, or a comment, or a lone blank line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The frame as it came, its blank line included.
    pub raw: Bytes,
    /// Behind a byte order mark.
    start: usize,
    event: Option<Range<usize>>,
    data: Data,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Data {
    None,
    Line(Range<usize>),
    /// Several lines, found again when they are asked for, which is rare.
    Lines,
}

/// A line of a frame, without its end.
struct Line<'a> {
    at: usize,
    text: &'a [u8],
}

impl Frame {
    /// Reads the fields of a whole frame. `first` says that a byte order mark may stand in front.
    pub(super) fn parse(raw: Bytes, first: bool) -> Self {
        let (mut event, mut data) = (None, Data::None);
        let start = if first && raw.starts_with(b"\xEF\xBB\xBF") {
            3
        } else {
            0
        };
        for line in lines(&raw, start) {
            if let Some(span) = line.value(b"data") {
                data.add(span);
            } else if let Some(span) = line.value(b"event") {
                event = Some(span);
            }
        }
        Self {
            raw,
            start,
            event,
            data,
        }
    }

    /// The name of the event; None when it has none or a name that is not UTF-8.
    pub fn event(&self) -> Option<&str> {
        std::str::from_utf8(self.raw.get(self.event.clone()?)?).ok()
    }

    /// The data, lines joined by line feeds; None when the frame has no data line (comments, keep-alives).
    pub fn data(&self) -> Option<Cow<'_, [u8]>> {
        match &self.data {
            Data::None => None,
            Data::Line(span) => self.raw.get(span.clone()).map(Cow::Borrowed),
            Data::Lines => {
                let spans = lines(&self.raw, self.start).filter_map(|line| line.value(b"data"));
                let mut joined = Vec::with_capacity(self.raw.len());
                for (i, span) in spans.enumerate() {
                    joined.extend_from_slice(if i > 0 { b"\n" } else { b"" });
                    joined.extend_from_slice(self.raw.get(span).unwrap_or_default());
                }
                Some(Cow::Owned(joined))
            }
        }
    }

    /// Where the data stands in `raw`, if it is one line.
    pub fn data_span(&self) -> Option<Range<usize>> {
        match &self.data {
            Data::Line(span) => Some(span.clone()),
            Data::None | Data::Lines => None,
        }
    }
}

impl Data {
    fn add(&mut self, span: Range<usize>) {
        *self = match self {
            Self::None => Self::Line(span),
            Self::Line(_) | Self::Lines => Self::Lines,
        };
    }
}

impl Line<'_> {
    /// Where in the frame the value of the line's field is, if the field is this one.
    fn value(&self, field: &[u8]) -> Option<Range<usize>> {
        let skipped = match self.text.strip_prefix(field)? {
            [] => 0,
            [b':', b' ', ..] => 2,
            [b':', ..] => 1,
            _ => return None,
        };
        Some(self.at + field.len() + skipped..self.at + self.text.len())
    }
}

fn lines(raw: &[u8], start: usize) -> impl Iterator<Item = Line<'_>> {
    let mut at = start;
    std::iter::from_fn(move || {
        let rest = raw.get(at..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = Line {
            at,
            text: rest.get(..length).unwrap_or_default(),
        };
        at += length + 1;
        Some(line)
    })
}
