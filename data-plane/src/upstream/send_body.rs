//! The body of an upstream request: pieces of memory, sent without copying them together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use penstock_dialect::edit::Edited;
use sha2::{Digest, Sha256};

use super::lanes::Ticket;

/// See the module. Cloning shares the memory, so that another attempt can send it again.
#[derive(Clone, Debug, Default)]
pub(crate) struct SendBody {
    /// In reverse, so that the next one is taken from the end.
    parts: Vec<Bytes>,
    /// To be shown before the first one.
    ticket: Option<Arc<Ticket>>,
    /// Of all of it, where it was wanted before.
    hash: Option<[u8; 32]>,
}

/// Nobody waits for the answer any more, so the request is not sent.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request was given up before it was sent")]
pub(crate) struct GivenUp;

impl From<Bytes> for SendBody {
    fn from(whole: Bytes) -> Self {
        Self {
            parts: vec![whole],
            ticket: None,
            hash: None,
        }
    }
}

impl From<Edited> for SendBody {
    fn from(edited: Edited) -> Self {
        let mut parts = edited.parts;
        parts.reverse();
        Self {
            parts,
            ticket: None,
            hash: None,
        }
    }
}

impl SendBody {
    /// Asks this before anything is sent.
    pub(super) fn ticket(&mut self, ticket: Arc<Ticket>) {
        self.ticket = Some(ticket);
    }

    /// What is left of it, in one piece; copies it when it is in several.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        if self.parts.len() == 1
            && let Some(whole) = self.parts.pop()
        {
            return whole;
        }
        self.parts.reverse();
        self.parts.concat().into()
    }

    /// Computes the hash once and for all clones: a signature of each try wants it.
    pub(crate) fn hashed(mut self) -> Self {
        self.hash = Some(self.sha256());
        self
    }

    /// Bytes.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// Of all of it.
    pub(super) fn sha256(&self) -> [u8; 32] {
        if let Some(hash) = self.hash {
            return hash;
        }
        let mut hash = Sha256::new();
        for part in self.parts.iter().rev() {
            hash.update(part);
        }
        hash.finalize().into()
    }

    fn left(&self) -> u64 {
        self.len() as u64
    }
}

impl Body for SendBody {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        if self.ticket.take().is_some_and(|ticket| !ticket.open()) {
            self.parts.clear();
            return Poll::Ready(Some(Err(GivenUp)));
        }
        while let Some(part) = self.parts.pop() {
            if !part.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(part))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn the_pieces_arrive_in_order_and_the_length_is_known() {
        let edited = Edited {
            parts: vec![Bytes::from("{"), Bytes::new(), Bytes::from("}")],
        };
        let body = SendBody::from(edited);
        assert_eq!(body.size_hint().exact(), Some(2));
        let again = body.clone();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "{}");
        assert_eq!(again.collect().await.unwrap().to_bytes(), "{}");
    }

    #[test]
    fn a_body_without_pieces_is_at_its_end() {
        assert!(SendBody::default().is_end_stream());
        assert!(!SendBody::from(Bytes::from("x")).is_end_stream());
    }
}
