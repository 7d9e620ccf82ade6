//! What goes back to the caller: a whole body, or a stream that is relayed as it comes.
//!
//! A body is shared with the connection it goes out on, which looks at it from time to time and gives up what nobody
//! reads: a caller who leaves his HTTP/2 window closed is never asked for anything and would hold the call, its
//! provider and its memory for ever. What waits for the provider is not given up here; the relay has timeouts for that.
//!
//! Whole bodies are handed on in pieces, since what is handed on lies in the connection's buffers, which count nowhere.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use penstock_core::id::RequestId;

use super::body::Received;
use super::budget::Reservation;
use super::connection::Active;
use super::late::Late;
use super::relay::{BrokenOff, Relay};

/// Carried by every answer: the id under which the call is in logs and in the ledger.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-penstock-request-id");
/// Carried by errors of ours: the business code.
pub(super) const CODE: HeaderName = HeaderName::from_static("x-penstock-code");

/// Of a whole body handed on at once, bytes.
const PIECE: usize = 128 * 1024;

/// The body of an answer.
pub(super) struct AnswerBody(Arc<Answer>);

/// What is left of an answer.
pub(super) struct Answer(Mutex<State>);

struct State {
    content: Content,
    active: Option<Active>,
    /// Of a whole body; held until it is handed on.
    memory: Option<Reservation>,
    /// It is for the caller to take the next piece.
    callers_turn: bool,
    /// The caller took something since the last look.
    taken: bool,
}

enum Content {
    /// Empty once it was sent.
    Whole(Bytes),
    Stream(Pin<Box<Relay>>),
    /// Has begun before there was an answer.
    Late(Pin<Box<Late>>),
    GivenUp,
}

impl AnswerBody {
    fn new(content: Content, memory: Option<Reservation>) -> Self {
        Self(Arc::new(Answer(Mutex::new(State {
            content,
            active: None,
            memory,
            callers_turn: true,
            taken: true,
        }))))
    }

    /// All of a whole body; a stream comes back as it is.
    pub(super) fn into_whole(self) -> Result<Bytes, Self> {
        let whole = match &mut self.0.state().content {
            Content::Whole(whole) => Some(std::mem::take(whole)),
            Content::Stream(_) | Content::Late(_) | Content::GivenUp => None,
        };
        whole.ok_or(self)
    }

    /// Keeps the connection counted as busy until the body is gone, and lets it look at the body.
    pub(super) fn keep(&self, active: Active) {
        active.watch(&self.0);
        self.0.state().active = Some(active);
    }
}

impl Answer {
    /// Gives the answer up when the caller has taken nothing since the last look though it was his turn. True: it did.
    pub(super) fn look(&self) -> bool {
        let given_up = {
            let mut state = self.state();
            let taken = std::mem::replace(&mut state.taken, false);
            if taken || !state.callers_turn {
                return false;
            }
            state.callers_turn = false;
            let content = std::mem::replace(&mut state.content, Content::GivenUp);
            (content, state.memory.take(), state.active.take())
        };
        // Not under the lock: the end of a call is written to disk.
        let (content, memory, active) = given_up;
        leave(content);
        drop((memory, active));
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        leave(std::mem::replace(&mut self.content, Content::GivenUp));
    }
}

/// Nobody reads this any more.
fn leave(content: Content) {
    match content {
        Content::Stream(relay) => Relay::leave(relay),
        Content::Whole(_) | Content::Late(_) | Content::GivenUp => {}
    }
}

impl From<Bytes> for AnswerBody {
    fn from(whole: Bytes) -> Self {
        Self::new(Content::Whole(whole), None)
    }
}

impl From<Received> for AnswerBody {
    fn from(received: Received) -> Self {
        Self::new(Content::Whole(received.bytes), Some(received.reservation))
    }
}

impl From<Relay> for AnswerBody {
    fn from(relay: Relay) -> Self {
        Self::new(Content::Stream(Box::pin(relay)), None)
    }
}

impl From<Late> for AnswerBody {
    fn from(late: Late) -> Self {
        Self::new(Content::Late(Box::pin(late)), None)
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let mut state = self.0.state();
        let next = match &mut state.content {
            Content::Whole(whole) if whole.is_empty() => Poll::Ready(None),
            Content::Whole(whole) => {
                let length = whole.len().min(PIECE);
                Poll::Ready(Some(Ok(whole.split_to(length))))
            }
            Content::Stream(relay) => relay.as_mut().poll_next(cx),
            Content::Late(late) => late.as_mut().poll_next(cx),
            Content::GivenUp => Poll::Ready(Some(Err(BrokenOff))),
        };
        state.taken = true;
        state.callers_turn = next.is_ready();
        next.map(|next| next.map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0.state().content {
            Content::Whole(whole) => whole.is_empty(),
            Content::Stream(_) | Content::Late(_) | Content::GivenUp => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0.state().content {
            Content::Whole(whole) => SizeHint::with_exact(whole.len() as u64),
            Content::Stream(_) | Content::Late(_) | Content::GivenUp => SizeHint::default(),
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
    use crate::proxy::budget::Budget;
    use http_body_util::BodyExt;

    fn large(budget: &Budget) -> AnswerBody {
        let mut reservation = budget.reservation();
        reservation.grow(3 * PIECE).unwrap();
        AnswerBody::from(Received {
            bytes: vec![b'x'; 3 * PIECE].into(),
            reservation,
        })
    }

    #[test]
    fn an_id_reads_the_same_in_header_and_log() {
        let id = RequestId::from_parts(1_700_000_000_000, &[7; 10]);
        assert_eq!(id_value(id).to_str().unwrap(), id.to_string());
    }

    #[tokio::test]
    async fn a_whole_body_goes_out_in_pieces_and_its_length_is_known() {
        let budget = Budget::new(3 * PIECE);
        let mut body = large(&budget);
        assert_eq!(body.size_hint().exact(), Some(3 * PIECE as u64));
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first.len(), PIECE);
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 2 * PIECE);
    }

    #[tokio::test]
    async fn c05_an_answer_that_nobody_reads_gives_its_memory_back() {
        let budget = Budget::new(3 * PIECE);
        let mut body = large(&budget);
        assert!(!body.0.look(), "it has only begun");
        body.frame().await.unwrap().unwrap();
        assert!(!body.0.look(), "a piece was taken");
        assert!(budget.reservation().grow(1).is_err());
        assert!(body.0.look());
        assert!(budget.reservation().grow(3 * PIECE).is_ok());
        assert!(body.frame().await.unwrap().is_err(), "no clean end");
        assert!(!body.0.look());
    }
}
