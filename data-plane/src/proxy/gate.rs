//! The gate: nothing of a stream goes to the caller before its first content (behaviour B6).
//!
//! Until then an error, a page, or an end is a failed attempt, and another provider could still be asked without a
//! trace. The gate holds at most [`MAX_HELD`]; a provider that says so much before any content is let through.

use std::collections::VecDeque;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use penstock_dialect::upstream_error::UpstreamError;
use tokio::time::{Instant, timeout_at};

use super::attempt::Failed;
use super::call::Call;
use super::tap::{Said, Tap};

const MAX_HELD: usize = 64 * 1024;

/// A stream whose content has begun.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) body: Incoming,
    pub(super) tap: Tap,
    /// What was held, to be relayed first.
    pub(super) held: VecDeque<Bytes>,
    /// The answer is whole already.
    pub(super) terminal: bool,
    /// The provider reported an error behind the first content.
    pub(super) error: Option<UpstreamError>,
}

/// Waits for the first content, until `first_byte` for any event and until `total` for content.
pub(super) async fn pass(
    call: &mut Call,
    mut body: Incoming,
    hide_usage: bool,
    first_byte: Instant,
    total: Instant,
) -> Result<Opened, Failed> {
    let mut tap = Tap::new(hide_usage);
    let mut held = VecDeque::new();
    loop {
        let deadline = if tap.events() == 0 {
            first_byte.min(total)
        } else {
            total
        };
        let next = call.stopwatch.waiting(timeout_at(deadline, body.frame())).await;
        let next = next.map_err(|_| Failed::Timeout("the first content"))?;
        let (said, ended) = match next {
            Some(Ok(frame)) => {
                let chunk = frame.into_data().unwrap_or_default();
                let provider = call.chosen.as_ref().map(|chosen| &chosen.provider);
                let secret = provider.and_then(|provider| provider.credential.as_ref());
                // To be masked, should the provider repeat it.
                let secret = secret.map_or("", |secret| secret.expose());
                let said = tap.take(chunk, &mut call.observer, secret, &mut held);
                (said.map_err(|error| Failed::NoAnswer(error.to_string()))?, false)
            }
            Some(Err(error)) => return Err(Failed::Broken(error.to_string())),
            None => (tap.finish(&mut call.observer, "", &mut held), true),
        };
        match is_open(&said, &held, &tap) {
            Open::Yes => {
                return Ok(Opened {
                    body,
                    tap,
                    held,
                    terminal: said.terminal,
                    error: said.error,
                });
            }
            Open::No if ended => return Err(Failed::NoAnswer("a stream without an answer".to_owned())),
            Open::No => {}
            Open::Never(failed) => return Err(failed),
        }
    }
}

enum Open {
    Yes,
    No,
    Never(Failed),
}

fn is_open(said: &Said, held: &VecDeque<Bytes>, tap: &Tap) -> Open {
    if said.content || said.terminal {
        return Open::Yes;
    }
    if let Some(error) = &said.error {
        return Open::Never(Failed::ErrorAnswer(error.clone()));
    }
    if said.malformed {
        return Open::Never(Failed::NoAnswer(
            "a stream that is not of this dialect".to_owned(),
        ));
    }
    let bytes: usize = held.iter().map(Bytes::len).sum();
    match bytes + tap.pending() > MAX_HELD {
        true => Open::Yes,
        false => Open::No,
    }
}
