//! What stands between a provider's events and the caller's: nothing mostly, then bytes pass unchanged.
//!
//! | where | what |
//! |---|---|
//! | a chat stream whose usage only we asked for | its traces are taken out |
//! | a provider that speaks another dialect | each event is translated |
//! | a caller who reads no server-sent events | the events are framed anew |
//!
//! Errors are told in the caller's dialect: the provider's own words where it is the same, else ours around them.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderValue;
use penstock_core::dialect::Dialect;
use penstock_core::error::{CallerError, Code};
use penstock_core::id::RequestId;
use penstock_dialect::edit::UsageChunkFilter;
use penstock_dialect::error_shape;
use penstock_dialect::framing::{self, Framer};
use penstock_dialect::mask::{mask, mask_text};
use penstock_dialect::route::Framing;
use penstock_dialect::sse::{Frame, FrameTooLong};
use penstock_dialect::translate::{self, Answers, StreamTranslator};

use super::call::{Call, Chosen};

/// For an event that says nothing in the caller's dialect: the caller sees that the answer goes on. Every reader of
/// server-sent events skips it.
pub(super) const EMPTY_LINE: Bytes = Bytes::from_static(b"\n");

/// See the module.
#[derive(Debug)]
pub(super) struct Reshape {
    change: Change,
    framer: Option<Box<Framer>>,
    dialect: Dialect,
    id: RequestId,
}

#[derive(Debug)]
enum Change {
    None,
    HideUsage(UsageChunkFilter),
    Translate(Box<StreamTranslator>),
}

/// A stream that cannot go on. The texts are for operators.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error(transparent)]
    TooLong(#[from] FrameTooLong),
    #[error("its frames are broken: {0}")]
    Frames(#[from] penstock_dialect::aws::event_stream::Broken),
    #[error("it cannot be translated: {0}")]
    Untranslatable(#[from] translate::Broken),
}

impl Reshape {
    /// For the answer of the provider that is being asked.
    pub(super) fn of(call: &Call, hide_usage: bool, answers: Option<&Answers>) -> Self {
        let id = call.arrival.id;
        let change = match answers {
            Some(answers) => Change::Translate(Box::new(answers.stream(&compact(id)))),
            None if hide_usage => Change::HideUsage(UsageChunkFilter),
            None => Change::None,
        };
        Self {
            change,
            framer: Framer::new(call.endpoint.framing()).map(Box::new),
            dialect: call.dialect,
            id,
        }
    }

    #[cfg(test)]
    pub(super) fn plain(dialect: Dialect) -> Self {
        Self {
            change: Change::None,
            framer: None,
            dialect,
            id: RequestId::from_parts(1, &[1; 10]),
        }
    }

    /// Events pass as they are.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.change, Change::None) && self.framer.is_none()
    }

    /// What the caller gets for one event.
    pub(super) fn event(&mut self, frame: Frame, pass: &mut VecDeque<Bytes>) -> Result<(), Unreadable> {
        match &mut self.change {
            Change::None => self.put(frame.raw, pass),
            Change::HideUsage(filter) => match filter.apply(&frame) {
                Some(piece) => self.put(piece, pass),
                None => Ok(()),
            },
            Change::Translate(translator) => {
                let events = translator.frame(&frame)?;
                match events.is_empty() {
                    true => self.put(EMPTY_LINE, pass),
                    false => self.put(events.into(), pass),
                }
            }
        }
    }

    /// The provider's stream is whole.
    pub(super) fn end(&mut self, pass: &mut VecDeque<Bytes>) -> Result<(), Unreadable> {
        match &mut self.change {
            Change::None | Change::HideUsage(_) => Ok(()),
            Change::Translate(translator) => {
                let events = translator.finish()?;
                self.put(events.into(), pass)
            }
        }
    }

    /// Behind the last event of a whole answer.
    pub(super) fn close(&mut self, pass: &mut VecDeque<Bytes>) {
        if let Some(framer) = &mut self.framer {
            push(framer.finish(), pass);
        }
    }

    /// The provider's error event, masked.
    pub(super) fn error(
        &mut self,
        frame: &Frame,
        message: Option<&str>,
        secret: &str,
        pass: &mut VecDeque<Bytes>,
    ) -> Result<(), Unreadable> {
        let event = match &self.change {
            Change::None | Change::HideUsage(_) => mask(&frame.raw, &[secret]).into_owned().into(),
            Change::Translate(_) => {
                let message = message.unwrap_or("The provider's answer broke off.");
                let error = CallerError::new(Code::UpstreamError, mask_text(message.to_owned(), &[secret]));
                error_shape::event(self.dialect, &error, self.id)
            }
        };
        self.put(event, pass)
    }

    /// An event of ours, as the caller reads it.
    pub(super) fn own(&mut self, event: Bytes) -> Bytes {
        match &mut self.framer {
            None => event,
            Some(framer) => framer.push(event).unwrap_or_default(),
        }
    }

    fn put(&mut self, events: Bytes, pass: &mut VecDeque<Bytes>) -> Result<(), Unreadable> {
        let framed = match &mut self.framer {
            None => events,
            Some(framer) => framer.push(events)?,
        };
        push(framed, pass);
        Ok(())
    }
}

fn push(piece: Bytes, pass: &mut VecDeque<Bytes>) {
    if !piece.is_empty() {
        pass.push_back(piece);
    }
}

/// An id for what is made up in a translated answer.
pub(super) fn compact(id: RequestId) -> String {
    id.0.simple().to_string()
}

/// The content type of the answer, where it is not the provider's.
pub(super) fn content_type(call: &Call, chosen: Option<&Chosen>, streams: bool) -> Option<HeaderValue> {
    let framing = call.endpoint.framing();
    let translated = chosen.is_some_and(|chosen| chosen.spoken != call.dialect);
    let of_bedrock = chosen.is_some_and(|chosen| {
        chosen.provider.provider.kind == penstock_core::provider::ProviderKind::Bedrock
    });
    match streams {
        true if translated || of_bedrock || framing != Framing::Sse => {
            Some(HeaderValue::from_static(framing::content_type(framing)))
        }
        false if translated => Some(HeaderValue::from_static("application/json")),
        true | false => None,
    }
}
