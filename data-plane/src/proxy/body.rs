//! Reading a request's body, once, within bounds (behaviour C5).
//!
//! Bounds: its size, the time between two pieces, the time in all, and the memory of all bodies together. A body that
//! came in one piece is not copied.
//!
//! A call that is refused before its body was read reads it and throws it away, up to [`DISCARDED`]: closing a
//! connection with unread bytes resets it, and many clients would then see a broken connection instead of the answer.

use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
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

/// A body on its way.
pub(super) trait Arriving: Body<Data = Bytes, Error: std::fmt::Display> + Unpin {}

impl<B: Body<Data = Bytes, Error: std::fmt::Display> + Unpin> Arriving for B {}

/// A body and its share of the budget.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    pub(super) reservation: Reservation,
}

/// Reads the whole body, of at most `max` bytes.
pub(super) async fn read<B: Arriving>(
    body: &mut B,
    max: usize,
    budget: &Budget,
) -> Result<Received, Refusal> {
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

async fn gather<B: Arriving>(
    body: &mut B,
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
async fn next<B: Arriving>(body: &mut B) -> Result<Option<Bytes>, Refusal> {
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
pub(super) async fn discard<B: Arriving>(body: &mut B) -> bool {
    if body.is_end_stream() {
        return true;
    }
    let discarding = async {
        let mut left = DISCARDED;
        while let Some(next) = body.frame().await {
            let Ok(frame) = next else { return false };
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else {
                return false;
            };
            left = rest;
        }
        true
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

fn broken(error: &impl std::fmt::Display) -> Refusal {
    let refusal = Refusal::new(Code::InvalidRequest, "The request body broke off.");
    refusal.because(error.to_string()).gone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};
    use std::convert::Infallible;

    /// Pieces, each after a wait.
    fn arriving(pieces: Vec<(Duration, Bytes)>) -> impl Arriving {
        let pieces = futures::stream::unfold(pieces.into_iter(), |mut left| async {
            let (wait, piece) = left.next()?;
            tokio::time::sleep(wait).await;
            Some((Ok::<_, Infallible>(Frame::data(piece)), left))
        });
        StreamBody::new(Box::pin(pieces))
    }

    fn pieces(count: usize, wait: Duration) -> Vec<(Duration, Bytes)> {
        vec![(wait, Bytes::from_static(b"0123456789")); count]
    }

    async fn code(mut body: impl Arriving, max: usize, memory: usize) -> Result<usize, Code> {
        let read = read(&mut body, max, &Budget::new(memory)).await;
        read.map(|received| received.bytes.len())
            .map_err(|refusal| refusal.error.code)
    }

    #[tokio::test(start_paused = true)]
    async fn c05_a_body_that_stops_arriving_is_408() {
        let steady = arriving(pieces(9, IDLE - Duration::from_secs(1)));
        assert_eq!(code(steady, 1000, 1000).await, Ok(90));
        let stuck = arriving(pieces(2, IDLE + Duration::from_secs(1)));
        assert_eq!(code(stuck, 1000, 1000).await, Err(Code::BodyTimeout));
    }

    #[tokio::test(start_paused = true)]
    async fn c05_a_body_that_trickles_has_a_deadline_too() {
        let trickle = arriving(pieces(100, Duration::from_secs(20)));
        assert_eq!(code(trickle, 10_000, 10_000).await, Err(Code::BodyTimeout));
    }

    #[tokio::test]
    async fn c05_size_and_memory_are_bounded_piece_by_piece() {
        let body = || arriving(pieces(5, Duration::ZERO));
        assert_eq!(code(body(), 50, 50).await, Ok(50));
        assert_eq!(code(body(), 49, 50).await, Err(Code::RequestTooLarge));
        assert_eq!(code(body(), 50, 49).await, Err(Code::Overloaded));
        let announced = Full::new(Bytes::from_static(b"0123456789"));
        assert_eq!(code(announced, 9, 50).await, Err(Code::RequestTooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unwanted_body_is_thrown_away_up_to_a_point() {
        assert!(discard(&mut arriving(pieces(5, Duration::ZERO))).await);
        assert!(!discard(&mut arriving(pieces(5, Duration::from_secs(1)))).await);
        let large = vec![(Duration::ZERO, Bytes::from(vec![0; DISCARDED])); 2];
        assert!(!discard(&mut arriving(large)).await);
    }
}
