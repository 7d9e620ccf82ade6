//! Reading a request's body, once, within bounds (behaviour C5).
//!
//! Bounds: its size, the time between two pieces, the time in all, and the memory of all bodies together. A body that
//! came in one piece is not copied.
//!
//! A call that is refused before its body was read reads it and throws it away, up to [`DISCARDED`]: closing a
//! connection with unread bytes resets it, and many clients would then see a broken connection instead of the answer.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use penstock_core::error::Code;
use tokio::time::timeout;

use super::budget::{Budget, BudgetFull, Reservation};
use super::error::Refusal;
use super::pieces::Pieces;

/// Between two pieces.
const IDLE: Duration = Duration::from_secs(30);
/// The whole body.
const TOTAL: Duration = Duration::from_secs(300);
/// Of a body that nobody wants, bytes.
const DISCARDED: usize = 4 << 20;
const DISCARDING: Duration = Duration::from_secs(2);

/// A body and its share of the budget.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    pub(super) reservation: Reservation,
}

/// Reads the whole body, of at most `max` bytes.
pub(super) async fn read(body: &mut Incoming, max: usize, budget: &Budget) -> Result<Received, Refusal> {
    let announced = body.size_hint().exact();
    if announced.is_some_and(|length| length > max as u64) {
        return Err(too_large(max));
    }
    let expected = announced.map_or(0, |length| usize::try_from(length).unwrap_or(max));
    let gathering = gather(body, max, expected, budget.reservation());
    match timeout(TOTAL, gathering).await {
        Ok(gathered) => gathered,
        Err(_) => Err(too_slow(TOTAL)),
    }
}

async fn gather(
    body: &mut Incoming,
    max: usize,
    expected: usize,
    mut reservation: Reservation,
) -> Result<Received, Refusal> {
    let mut pieces = Pieces::default();
    while let Some(piece) = next(body).await? {
        if pieces.len() + piece.len() > max {
            return Err(too_large(max));
        }
        reservation.grow(piece.len()).map_err(|BudgetFull| no_memory())?;
        pieces.add(piece, expected);
    }
    Ok(Received {
        bytes: pieces.finish(),
        reservation,
    })
}

/// The next piece; trailers are skipped.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = match timeout(IDLE, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => return Err(broken(&error)),
            Err(_) => return Err(too_slow(IDLE)),
        };
        if let Ok(piece) = frame.into_data()
            && !piece.is_empty()
        {
            return Ok(Some(piece));
        }
    }
}

/// Reads what is left and throws it away. False: there is more, and the connection must be closed.
pub(super) async fn discard(body: &mut Incoming, headers: &HeaderMap) -> bool {
    if body.is_end_stream() {
        return true;
    }
    // A client that asks first has not sent it.
    if headers.contains_key(http::header::EXPECT) {
        return false;
    }
    let discarding = async {
        let mut left = DISCARDED;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else {
                return false;
            };
            left = rest;
        }
        body.is_end_stream()
    };
    timeout(DISCARDING, discarding).await.unwrap_or(false)
}

pub(super) fn too_large(max: usize) -> Refusal {
    let message =
        format!("The request body is larger than {max} bytes, which is the limit here, also after decoding.");
    Refusal::new(Code::RequestTooLarge, message)
}

pub(super) fn no_memory() -> Refusal {
    Refusal::overloaded("the memory for request bodies (--max-bodies-bytes) is used up")
}

fn too_slow(waited: Duration) -> Refusal {
    let message = format!("The request body did not arrive within {} s.", waited.as_secs());
    Refusal::new(Code::BodyTimeout, message)
}

fn broken(error: &hyper::Error) -> Refusal {
    Refusal::new(Code::InvalidRequest, "The request body broke off.").because(error.to_string())
}
