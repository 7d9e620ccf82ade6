//! The few changes that Penstock makes to bodies and streams, as splices: every other byte stays as it was.

mod usage_chunk;

use bytes::{Bytes, BytesMut};

pub use usage_chunk::UsageChunkFilter;

use crate::inspect::{Inspected, UsageChunk};

/// A body with one edit, in pieces that share the original's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// To be sent one after another. Pieces may be empty.
    pub parts: [Bytes; 3],
}

/// Adds `stream_options.include_usage: true` to the body of a chat stream whose caller left it out.
///
/// The usage cannot be read otherwise (behaviour E2). The caller then must not see it: [`UsageChunkFilter`].
///
/// None when there is nothing to add: no chat, no stream, asked already, or `stream_options` is malformed.
pub fn include_usage(body: &Bytes, inspected: &Inspected) -> Option<Edited> {
    let UsageChunk::Addable(splice) = &inspected.usage_chunk else {
        return None;
    };
    if !inspected.stream || splice.at.start > splice.at.end || splice.at.end > body.len() {
        return None;
    }
    Some(Edited {
        parts: [
            body.slice(..splice.at.start),
            Bytes::from_static(splice.text.as_bytes()),
            body.slice(splice.at.end..),
        ],
    })
}

impl Edited {
    /// Length of the whole body, bytes.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The body in one piece; copies it.
    pub fn into_bytes(self) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.len());
        for part in &self.parts {
            whole.extend_from_slice(part);
        }
        whole.freeze()
    }
}
