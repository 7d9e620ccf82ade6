//! Prebuilt answers of the vendors' own Messages and chat completions, so that a bench measures the gateway and not the fake.
//!
//! The request is not parsed: `"stream":true` and `"include_usage":true` are searched for as text (with or
//! without one space), and the answer says nothing about the request. A request with an `x-fake` header or a
//! directive, or a behaviour that changes more than the pace, takes the ordinary way.

use bytes::Bytes;
use memchr::memmem;

use crate::asked::Asked;
use crate::behaviour::Behaviour;
use crate::dialect::{Dialect, Spoken};
use crate::draft::{Draft, draft};
use crate::reply::{EVENTS, JSON, Reply};
use crate::step::{Event, Extras, plan, whole};
use crate::usage::Usage;

const STREAM: &[u8] = b"\"stream\":";
const INCLUDE_USAGE: &[u8] = b"\"include_usage\":";

/// Answers of both dialects.
#[derive(Debug)]
pub(crate) struct Prebuilt {
    anthropic: Answers,
    openai: Answers,
}

#[derive(Debug)]
struct Answers {
    whole: Bytes,
    usage: Usage,
    events: Vec<Event>,
    /// OpenAI only; the same as `events` for Anthropic.
    events_with_usage: Vec<Event>,
    extras: Extras,
}

impl Prebuilt {
    /// Bodies of `bytes` bytes where that is possible, streams with the behaviour's chunks.
    pub(crate) fn new(
        bytes: usize,
        models: [&str; 2],
        behaviour: &Behaviour,
    ) -> Result<Self, serde_json::Error> {
        let [claude, gpt] = models;
        Ok(Self {
            anthropic: Answers::new(Dialect::Anthropic, claude, bytes, behaviour)?,
            openai: Answers::new(Dialect::Chat, gpt, bytes, behaviour)?,
        })
    }

    pub(crate) fn reply(&self, dialect: Dialect, body: &[u8], behaviour: &Behaviour) -> Reply {
        let answers = match dialect {
            Dialect::Anthropic => &self.anthropic,
            Dialect::Chat | Dialect::Responses | Dialect::Embeddings | Dialect::Gemini => &self.openai,
        };
        if !says_true(body, STREAM) {
            let steps = whole(answers.whole.clone(), Some(answers.usage), behaviour);
            return Reply::sized(steps, answers.whole.len(), JSON);
        }
        let with_usage = says_true(body, INCLUDE_USAGE);
        let events = if with_usage {
            &answers.events_with_usage
        } else {
            &answers.events
        };
        Reply::stream(plan(events, &answers.extras, behaviour), EVENTS)
    }
}

impl Answers {
    fn new(
        dialect: Dialect,
        model: &str,
        bytes: usize,
        behaviour: &Behaviour,
    ) -> Result<Self, serde_json::Error> {
        let mut draft = fixed_draft(dialect, model, behaviour)?;
        let spoken = Spoken::own(dialect);
        let nothing = Asked::read(b"{}")?;
        let write = |draft: &Draft| spoken.body(draft, &nothing);
        let stream = |draft: &Draft, include_usage| spoken.events(draft, include_usage);
        let (events, events_with_usage) = (stream(&draft, false)?, stream(&draft, true)?);
        let pieces = std::mem::replace(&mut draft.pieces, vec![String::new()]);
        let text = pieces.concat();
        let room = bytes.saturating_sub(write(&draft)?.len()).max(1);
        draft.pieces = vec![text.chars().cycle().take(room).collect()];
        Ok(Self {
            whole: write(&draft)?,
            usage: draft.usage,
            events,
            events_with_usage,
            extras: spoken.extras(behaviour)?,
        })
    }
}

fn fixed_draft(dialect: Dialect, model: &str, behaviour: &Behaviour) -> Result<Draft, serde_json::Error> {
    let body = serde_json::json!({ "model": model, "messages": [] }).to_string();
    let asked = Asked::read(body.as_bytes())?;
    let said = "nothing of interest to a bench.";
    draft(dialect, &asked, said, body.as_bytes(), behaviour).map_err(serde::ser::Error::custom)
}

fn says_true(body: &[u8], key: &[u8]) -> bool {
    memmem::find_iter(body, key).any(|at| {
        let value = body.get(at + key.len()..).unwrap_or_default();
        value.strip_prefix(b" ").unwrap_or(value).starts_with(b"true")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prebuilt_bodies_have_the_size_that_was_asked() {
        let prebuilt = Prebuilt::new(800, ["claude", "gpt"], &Behaviour::default()).unwrap();
        assert_eq!(prebuilt.anthropic.whole.len(), 800);
        assert_eq!(prebuilt.openai.whole.len(), 800);
    }

    #[test]
    fn a_stream_is_recognised_with_and_without_a_space() {
        assert!(says_true(br#"{"stream":true}"#, STREAM));
        assert!(says_true(br#"{"stream": true}"#, STREAM));
        assert!(!says_true(br#"{"stream": false, "x": true}"#, STREAM));
    }
}
