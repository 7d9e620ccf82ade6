//! Answers that are no stream: read to their end before the caller sees a byte.
//!
//! Only a body that parses is an answer (behaviour B6), and its usage stands anywhere in it. Its memory counts against
//! the budget of bodies.
//!
//! A body that is there with its head is settled at once; for one that is still to come the spool is told that an
//! answer has begun, so that a crash meanwhile leaves a record.

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use http_body_util::BodyExt;
use penstock_dialect::translate::Answers;
use penstock_dialect::usage::Body;
use tokio::time::{Instant, timeout_at};

use super::body::Received;
use super::call::Call;
use super::failed::{Failed, Reported};
use super::gate::Patience;
use super::pieces::Pieces;
use super::reshape::compact;
use crate::upstream::ReceiveBody;

/// The largest answer, bytes.
const MAX: usize = 64 << 20;
/// The largest error body that is kept, bytes; what is beyond it is cut off.
const MAX_ERROR: usize = 256 << 10;

/// Reads an answer and what it used.
pub(super) async fn read(
    call: &mut Call,
    mut body: ReceiveBody,
    answers: Option<&Answers>,
    patience: Patience,
) -> Result<Received, Failed> {
    let mut pieces = Pieces::default();
    let mut reservation = call.proxy.budget.reservation();
    let mut told = false;
    loop {
        let next = match body.frame().now_or_never() {
            Some(next) => next,
            None => {
                if !std::mem::replace(&mut told, true) {
                    call.open_entry();
                }
                let next = call
                    .stopwatch
                    .waiting(timeout_at(patience.total, body.frame()))
                    .await;
                next.map_err(|_| patience.ran_out())?
            }
        };
        match next {
            Some(Ok(frame)) => {
                let piece = frame.into_data().unwrap_or_default();
                if pieces.len() + piece.len() > MAX {
                    return Err(Failed::NoAnswer(format!("more than {MAX} bytes")));
                }
                reservation.grow(piece.len()).map_err(|_| Failed::NoMemory)?;
                pieces.add(piece, 0);
            }
            Some(Err(error)) => return Err(Failed::broken(&error)),
            None => break,
        }
    }
    if pieces.len() == 0 {
        return Err(Failed::NoAnswer("an empty body".to_owned()));
    }
    let answer = Received {
        bytes: pieces.finish(),
        reservation,
    };
    match call.observer.body(&answer.bytes) {
        Body::Answer => match answers {
            Some(answers) => translated(call, answers, answer),
            None => Ok(answer),
        },
        Body::Error(words) => Err(Failed::ErrorAnswer(Box::new(Reported::new(words, &answer.bytes)))),
        Body::Malformed(problem) => Err(Failed::NoAnswer(format!("not a JSON object ({problem})"))),
    }
}

/// In the caller's dialect. An answer that nobody can translate is none.
fn translated(call: &Call, answers: &Answers, answer: Received) -> Result<Received, Failed> {
    let bytes = answers.whole(&answer.bytes, &compact(call.arrival.id));
    let bytes = bytes.map_err(|error| Failed::NoAnswer(error.to_string()))?;
    Ok(Received {
        bytes: bytes.into(),
        ..answer
    })
}

/// Reads as much of an error's body as is kept; what cannot be read is left out.
pub(super) async fn read_error(mut body: ReceiveBody, deadline: Instant) -> Bytes {
    let mut text = BytesMut::new();
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        let piece = frame.into_data().unwrap_or_default();
        let room = MAX_ERROR - text.len();
        text.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if text.len() >= MAX_ERROR {
            break;
        }
    }
    text.freeze()
}
