//! The gate: nothing of a stream goes to the caller before its first content (behaviour B6).
//!
//! Until then an error, a page, or an end is a failed attempt, and another provider could still be asked without a
//! trace. The gate holds events of [`MAX_HELD`] at most; a provider that says so much and no content has failed. Two things
//! are no sign of that:
//! - one long event, as images are: it may be the content, and is waited for up to the limit of an event;
//! - a few long ones of the Responses API, whose first events repeat the instructions and tools that were asked with.
//!
//! Keep-alives are handed on with the content while they are few; beyond [`MAX_QUIET`] they are dropped. Before the first
//! event they are no sign of life: who sends nothing else is waited for as long as for a first byte. Behind it every byte
//! counts, for models think long.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use penstock_core::dialect::Dialect;
use tokio::time::{Instant, timeout_at};

use super::call::{Call, Chosen};
use super::failed::{Failed, Reported, Waited};
use super::tap::{Said, Tap};
use crate::upstream::ReceiveBody;

const MAX_HELD: usize = 64 * 1024;
/// Of keep-alives before any content.
const MAX_QUIET: usize = 4 * 1024;
/// A stream of the Responses API has no more before its content: created, queued, in progress.
const PRELUDE: u64 = 8;

/// A stream whose content has begun.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) body: ReceiveBody,
    pub(super) tap: Tap,
    /// What was held, to be relayed first.
    pub(super) held: VecDeque<Bytes>,
    /// The answer is whole already.
    pub(super) terminal: bool,
    /// The provider reported an error behind the first content.
    pub(super) error: Option<Box<Reported>>,
}

/// How long a provider is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until the first event of a stream; keep-alives are none.
    pub(super) first_byte: Instant,
    /// From one byte of a stream to the next.
    pub(super) idle: Duration,
    /// Until the whole call is over.
    pub(super) total: Instant,
    /// That is much earlier than the provider's own total timeout: others were asked before, or the caller sent slowly.
    pub(super) cut_short: bool,
}

impl Patience {
    /// Which wait has just come to its end.
    pub(super) fn ran_out(&self) -> Failed {
        match Instant::now() >= self.total {
            true if self.cut_short => Failed::Timeout(Waited::Call),
            true => Failed::Timeout(Waited::Total),
            false => Failed::Timeout(Waited::FirstByte),
        }
    }
}

/// Waits for the first content.
pub(super) async fn pass(
    call: &mut Call,
    mut body: ReceiveBody,
    mut tap: Tap,
    patience: Patience,
) -> Result<Opened, Failed> {
    let mut held = VecDeque::new();
    let repeats = call
        .chosen
        .as_ref()
        .is_some_and(|chosen| chosen.spoken == Dialect::OpenaiResponses);
    let mut quiet = 0;
    let mut due = patience.first_byte;
    loop {
        let waiting = timeout_at(due.min(patience.total), body.frame());
        let next = call.stopwatch.waiting(waiting).await;
        let now = Instant::now();
        // Who never pauses is never waited for.
        let next = next.ok().filter(|_| now < patience.total);
        let next = next.ok_or_else(|| patience.ran_out())?;
        let secret = call.chosen.as_ref().map_or("", Chosen::secret);
        let before = (held.len(), tap.events());
        let (said, ended) = match next {
            Some(Ok(frame)) => {
                let chunk = frame.into_data().unwrap_or_default();
                let said = tap.take(chunk, &mut call.observer, secret, &mut held);
                (said.map_err(|error| Failed::NoAnswer(error.to_string()))?, false)
            }
            Some(Err(error)) => return Err(Failed::broken(&error)),
            None => {
                let said = tap.finish(&mut call.observer, secret, &mut held);
                (said.map_err(|error| Failed::NoAnswer(error.to_string()))?, true)
            }
        };
        if tap.events() > 0 || tap.pending() > MAX_QUIET {
            due = now + patience.idle;
        }
        if (before.1 == tap.events()) && said == Said::default() {
            quiet += bytes(held.iter().skip(before.0));
            if quiet > MAX_QUIET {
                held.truncate(before.0);
            }
        }
        match is_open(&said, &held, (tap.events(), repeats)) {
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
            Open::Never(Failed::ErrorAnswer(reported)) if repeats => {
                let events: Vec<u8> = held.into_iter().flatten().collect();
                return Err(Failed::ErrorAnswer(Box::new(reported.behind(events.into()))));
            }
            Open::Never(failed) => return Err(failed),
        }
    }
}

enum Open {
    Yes,
    No,
    Never(Failed),
}

fn bytes<'a>(pieces: impl Iterator<Item = &'a Bytes>) -> usize {
    pieces.map(Bytes::len).sum()
}

/// `repeats`: its first events repeat what was asked.
fn is_open(said: &Said, held: &VecDeque<Bytes>, (events, repeats): (u64, bool)) -> Open {
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
    match bytes(held.iter()) > MAX_HELD {
        false => Open::No,
        true if repeats && events <= PRELUDE => Open::Yes,
        true => Open::Never(Failed::NoAnswer("64 KB of events without content".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(said: &Said, held: usize) -> Option<bool> {
        opens_for(said, held, (1, false))
    }

    fn opens_for(said: &Said, held: usize, events: (u64, bool)) -> Option<bool> {
        match is_open(said, &VecDeque::from([Bytes::from(vec![0; held])]), events) {
            Open::Yes => Some(true),
            Open::No => Some(false),
            Open::Never(_) => None,
        }
    }

    #[test]
    fn b06_content_or_the_end_of_a_whole_answer_opens_the_gate() {
        let content = Said {
            content: true,
            ..Said::default()
        };
        let whole = Said {
            terminal: true,
            ..Said::default()
        };
        assert_eq!((opens(&content, 0), opens(&whole, 0)), (Some(true), Some(true)));
        assert_eq!(opens(&Said::default(), 1000), Some(false));
    }

    #[test]
    fn b06_an_error_or_another_dialect_never_opens_it() {
        let error = Said {
            error: Some(Box::default()),
            ..Said::default()
        };
        let malformed = Said {
            malformed: true,
            ..Said::default()
        };
        assert_eq!((opens(&error, 0), opens(&malformed, 0)), (None, None));
    }

    #[test]
    fn b06_the_gate_holds_64_kb_at_most() {
        assert_eq!(opens(&Said::default(), MAX_HELD), Some(false));
        assert_eq!(opens(&Said::default(), MAX_HELD + 1), None);
    }

    #[test]
    fn b06_events_that_repeat_a_long_request_open_it() {
        let opens = |events| opens_for(&Said::default(), MAX_HELD + 1, (events, true));
        assert_eq!(
            (opens(1), opens(PRELUDE), opens(PRELUDE + 1)),
            (Some(true), Some(true), None)
        );
    }
}
