//! What goes back to the caller: a whole body, or a stream that is relayed as it comes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use penstock_core::id::RequestId;

use super::body::Received;
use super::budget::Reservation;
use super::connection::Active;
use super::relay::{BrokenOff, Relay};

/// Carried by every answer: the id under which the call is in logs and in the ledger.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-penstock-request-id");
/// Carried by errors of ours: the business code.
pub(super) const CODE: HeaderName = HeaderName::from_static("x-penstock-code");

/// The body of an answer.
pub(super) struct AnswerBody {
    content: Content,
    active: Option<Active>,
    /// Of the whole body; held until it is sent.
    _memory: Option<Reservation>,
}

enum Content {
    /// Empty once it was sent.
    Whole(Bytes),
    Stream(Pin<Box<Relay>>),
}

impl AnswerBody {
    /// Keeps the connection counted as busy until the body is gone.
    pub(super) fn keep(&mut self, active: Active) {
        self.active = Some(active);
    }
}

impl From<Bytes> for AnswerBody {
    fn from(whole: Bytes) -> Self {
        Self {
            content: Content::Whole(whole),
            active: None,
            _memory: None,
        }
    }
}

impl From<Received> for AnswerBody {
    fn from(received: Received) -> Self {
        Self {
            _memory: Some(received.reservation),
            ..received.bytes.into()
        }
    }
}

impl From<Relay> for AnswerBody {
    fn from(relay: Relay) -> Self {
        Self {
            content: Content::Stream(Box::pin(relay)),
            active: None,
            _memory: None,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match &mut self.content {
            Content::Whole(whole) if whole.is_empty() => Poll::Ready(None),
            Content::Whole(whole) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(whole))))),
            Content::Stream(relay) => relay
                .as_mut()
                .poll_next(cx)
                .map(|next| next.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(whole) => whole.is_empty(),
            Content::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(whole) => SizeHint::with_exact(whole.len() as u64),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}

/// A JSON answer of ours.
pub(super) fn json(status: StatusCode, body: Bytes, id: RequestId) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REQUEST_ID, id_value(id));
    response
}

/// The id as a header's value.
pub(super) fn id_value(id: RequestId) -> HeaderValue {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    id.0.hyphenated().encode_lower(&mut text);
    HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_the_same_in_header_and_log() {
        let id = RequestId::from_parts(1_700_000_000_000, &[7; 10]);
        assert_eq!(id_value(id).to_str().unwrap(), id.to_string());
    }
}
