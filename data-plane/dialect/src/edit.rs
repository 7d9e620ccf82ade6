//! The few changes that Penstock makes to bodies and streams, as splices: every other byte stays as it was.

mod filter;
mod rewrite;
mod usage_chunk;

use bytes::{Bytes, BytesMut};

pub use filter::{TooLong, filter};
pub use rewrite::{Edits, Splice, rewrite};
pub(crate) use rewrite::{members, without};
pub use usage_chunk::UsageChunkFilter;

use crate::inspect::{Inspected, Splice as Insertion, UsageChunk};

/// A body with edits, in pieces that share the original's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// To be sent one after another.
    pub parts: Vec<Bytes>,
}

/// Adds `stream_options.include_usage: true` to the body of a chat stream whose caller left it out.
///
/// The usage cannot be read otherwise (behaviour E2). The caller then must not see it: [`UsageChunkFilter`].
///
/// None when there is nothing to add: no chat, no stream, or asked already. `stream_options` that are malformed are replaced.
pub fn include_usage(body: &Bytes, inspected: &Inspected) -> Option<Edited> {
    let edits = Edits {
        include_usage: true,
        ..Edits::default()
    };
    rewrite(body, inspected, &edits)
}

/// Whether [`include_usage`] has something to add to this request.
pub fn adds_usage(inspected: &Inspected) -> bool {
    usage_splice(inspected).is_some()
}

fn usage_splice(inspected: &Inspected) -> Option<&Insertion> {
    match &inspected.usage_chunk {
        UsageChunk::Addable(splice) if inspected.stream => Some(splice),
        UsageChunk::Addable(_) | UsageChunk::Asked | UsageChunk::NotOffered => None,
    }
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

    /// The body in one piece; copies it when it is in several.
    pub fn into_bytes(mut self) -> Bytes {
        if self.parts.len() == 1
            && let Some(whole) = self.parts.pop()
        {
            return whole;
        }
        let mut whole = BytesMut::with_capacity(self.len());
        for part in &self.parts {
            whole.extend_from_slice(part);
        }
        whole.freeze()
    }
}
