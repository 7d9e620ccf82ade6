//! Takes the traces of an added `include_usage` out of a chat stream.
//!
//! With the option every chunk has `"usage":null` and one last chunk has no choices and the usage. A caller who did
//! not ask sees neither: the nulls are cut out of their chunks, the last chunk is dropped. Chunks with choices keep a
//! usage that the provider put there on its own. Frames that are not one line of JSON pass unchanged.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use crate::json::{Kind, Members};
use crate::sse::Frame;

/// To be used only on streams for which [`super::include_usage`] changed the request.
#[derive(Clone, Copy, Debug, Default)]
pub struct UsageChunkFilter;

/// What a chunk says about usage.
enum Trace {
    None,
    /// Where `"usage":null` and one comma stand in the data.
    Null(Range<usize>),
    UsageOnly,
}

impl UsageChunkFilter {
    /// The bytes to relay instead of the frame; None when it is to be dropped.
    pub fn apply(self, frame: &Frame) -> Option<Bytes> {
        let Some(data) = frame.data_span() else {
            return Some(frame.raw.clone());
        };
        let bytes = frame.raw.get(data.clone()).unwrap_or_default();
        if memmem::find(bytes, b"\"usage\"").is_none() {
            return Some(frame.raw.clone());
        }
        match trace(bytes) {
            Trace::None => Some(frame.raw.clone()),
            Trace::UsageOnly => None,
            Trace::Null(cut) => Some(without(&frame.raw, data.start + cut.start..data.start + cut.end)),
        }
    }
}

fn without(raw: &Bytes, cut: Range<usize>) -> Bytes {
    let mut left = BytesMut::with_capacity(raw.len());
    left.extend_from_slice(raw.get(..cut.start).unwrap_or_default());
    left.extend_from_slice(raw.get(cut.end..).unwrap_or_default());
    left.freeze()
}

fn trace(data: &[u8]) -> Trace {
    read(data).unwrap_or(Trace::None)
}

fn read(data: &[u8]) -> Option<Trace> {
    let mut members = Members::open(data).ok()?;
    let (mut no_choices, mut usage) = (false, false);
    let mut null = None;
    // The end of the member before; before the first, the place after the brace.
    let mut before = members.at();
    let mut first = true;
    let mut open_end = None;
    while let Some(member) = members.next().ok()? {
        if let Some(start) = open_end.take() {
            // The null stood first: it goes up to here, with the comma after it.
            null = Some(start..member.key.span.start);
        }
        match member.key.name().as_deref() {
            Some(b"choices") => no_choices = member.value.kind == Kind::Array && member.value.items == 0,
            Some(b"usage") if member.value.is_null() => {
                null = Some(before..member.value.span.end);
                if first {
                    open_end = Some(before);
                }
            }
            Some(b"usage") => usage = member.value.kind == Kind::Object,
            _ => {}
        }
        before = member.value.span.end;
        first = false;
    }
    Some(match null {
        _ if usage && no_choices => Trace::UsageOnly,
        Some(cut) => Trace::Null(cut),
        None => Trace::None,
    })
}
