//! Anthropic Messages → events. A later number of usage replaces an earlier one.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::anthropic_usage::UsageTold;
use super::{Event, Stop, lenient};
use crate::translate::problem::Broken;

const NO_EVENT: Broken = Broken::Malformed("no event of a message");
/// The events that are read; others may have any members.
const EVENTS: [&str; 5] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "message_delta",
    "message_stop",
];

#[derive(Deserialize)]
struct Kind {
    r#type: Option<String>,
}

/// A whole message, or one event of a stream: their members do not overlap.
#[derive(Deserialize)]
struct Told {
    r#type: Option<String>,
    content: Option<Vec<Block>>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    #[serde(default, deserialize_with = "lenient::usage")]
    usage: Option<UsageTold>,
    message: Option<Started>,
    content_block: Option<Block>,
    delta: Option<Delta>,
}

#[derive(Deserialize)]
struct Started {
    #[serde(default, deserialize_with = "lenient::usage")]
    usage: Option<UsageTold>,
}

#[derive(Deserialize)]
struct Block {
    r#type: Option<String>,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    data: Option<String>,
    id: Option<String>,
    name: Option<String>,
    input: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Delta {
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Reader {
    usage: UsageTold,
    /// The open block is a kind that is skipped.
    skipping: bool,
}

pub(super) fn whole(body: &[u8]) -> Result<Vec<Event>, Broken> {
    let told: Told = serde_json::from_slice(body).map_err(|_| Broken::Malformed("no message"))?;
    let Some(content) = told.content else {
        return Err(Broken::Malformed("a message without content"));
    };
    let mut events = vec![Event::Begin];
    for block in content {
        block.begin(&mut events);
    }
    events.extend(stop(told.stop_reason, told.stop_sequence));
    events.extend(told.usage.map(|usage| Event::Usage(usage.read())));
    events.push(Event::End);
    Ok(events)
}

impl Reader {
    pub(super) fn event(&mut self, data: &[u8]) -> Result<Vec<Event>, Broken> {
        let mut events = Vec::new();
        let kind: Kind = serde_json::from_slice(data).map_err(|_| NO_EVENT)?;
        let known = kind.r#type.is_some_and(|kind| EVENTS.contains(&&*kind));
        if !known {
            return Ok(events);
        }
        let told: Told = serde_json::from_slice(data).map_err(|_| NO_EVENT)?;
        match told.r#type.as_deref() {
            Some("message_start") => {
                let usage = told.message.and_then(|message| message.usage);
                self.usage.merge(usage.unwrap_or_default());
                events.push(Event::Begin);
                events.push(Event::Usage(self.usage.read()));
            }
            Some("content_block_start") => {
                let known = told.content_block.is_some_and(|block| block.begin(&mut events));
                self.skipping = !known;
            }
            Some("content_block_delta") if !self.skipping => {
                if let Some(delta) = told.delta {
                    delta.goes_on(&mut events);
                }
            }
            Some("message_delta") => {
                let delta = told
                    .delta
                    .map(|delta| stop(delta.stop_reason, delta.stop_sequence));
                events.extend(delta.flatten());
                if let Some(usage) = told.usage {
                    self.usage.merge(usage);
                    events.push(Event::Usage(self.usage.read()));
                }
            }
            Some("message_stop") => events.push(Event::End),
            Some(_) | None => {}
        }
        Ok(events)
    }
}

impl Block {
    /// False for a kind that is not known.
    fn begin(self, events: &mut Vec<Event>) -> bool {
        let full = |text: Option<String>| text.filter(|text| !text.is_empty());
        match self.r#type.as_deref() {
            Some("text") => events.extend(full(self.text).map(Event::Text)),
            Some("thinking") => {
                events.extend(full(self.thinking).map(Event::Thought));
                events.extend(full(self.signature).map(Event::Signature));
            }
            Some("redacted_thinking") => events.extend(full(self.data).map(Event::Redacted)),
            Some("tool_use") => {
                events.push(Event::Call {
                    id: full(self.id),
                    name: self.name.unwrap_or_default(),
                });
                // A stream begins with an empty object, which is replaced by what follows.
                let input = self.input.map(|input| input.get().to_owned());
                events.extend(
                    input
                        .filter(|input| input != "{}" && input != "null")
                        .map(Event::Arguments),
                );
            }
            Some(_) | None => return false,
        }
        true
    }
}

impl Delta {
    fn goes_on(self, events: &mut Vec<Event>) {
        let full = |text: Option<String>| text.filter(|text| !text.is_empty());
        events.extend(full(self.text).map(Event::Text));
        events.extend(full(self.thinking).map(Event::Thought));
        events.extend(full(self.signature).map(Event::Signature));
        events.extend(full(self.partial_json).map(Event::Arguments));
    }
}

fn stop(reason: Option<String>, sequence: Option<String>) -> Option<Event> {
    Some(Event::Stop(match reason?.as_str() {
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::Sequence(sequence),
        "tool_use" => Stop::ToolUse,
        "refusal" => Stop::Refusal,
        "model_context_window_exceeded" => Stop::Context,
        "pause_turn" => Stop::Pause,
        _ => Stop::EndTurn,
    }))
}
