//! The gate: nothing of a stream goes to the caller before its first content (behaviour B6).
//!
//! Until then an error, a page, or an end is a failed attempt, and another provider could still be asked without a
//! trace. The gate holds at most [`MAX_HELD`]; a provider that says so much before any content is let through.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::call::{Call, Chosen};
use super::failed::{Failed, Reported, Waited};
use super::tap::{Said, Tap};
use crate::upstream::ReceiveBody;

const MAX_HELD: usize = 64 * 1024;

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
    /// Until anything at all.
    pub(super) first_byte: Instant,
    /// From one byte of a stream to the next.
    pub(super) idle: Duration,
    /// Until the whole call is over.
    pub(super) total: Instant,
    /// That is earlier than the provider's own total timeout, since others were asked before.
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
    let mut due = patience.first_byte;
    loop {
        let waiting = timeout_at(due.min(patience.total), body.frame());
        let next = call.stopwatch.waiting(waiting).await;
        due = Instant::now() + patience.idle;
        let next = next.map_err(|_| patience.ran_out())?;
        let secret = call.chosen.as_ref().map_or("", Chosen::secret);
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
        match is_open(&said, &held, &tap) {
            Open::Yes => {
                if ended {
                    tap.close(&mut held);
                }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::reshape::Reshape;
    use penstock_core::dialect::Dialect;

    fn opens(said: &Said, held: usize) -> Option<bool> {
        match is_open(
            said,
            &VecDeque::from([Bytes::from(vec![0; held])]),
            &Tap::new(Reshape::plain(Dialect::Anthropic), false),
        ) {
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
        assert_eq!(opens(&Said::default(), MAX_HELD + 1), Some(true));
    }
}
