//! A streamed completion: chunks, then `[DONE]`.
//!
//! Usage is stated only when the caller asked with `stream_options.include_usage`: then every chunk has
//! `usage: null` and one last chunk has no choices and the numbers. Otherwise the field is absent everywhere.

use bytes::Bytes;
use serde::Serialize;

use super::CREATED;
use super::completion::{Function, ToolCall, WireUsage, call_id, completion_id, finish_reason};
use crate::draft::Draft;
use crate::sse;
use crate::step::Event;

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    service_tier: &'static str,
    system_fingerprint: &'static str,
    choices: Vec<Choice<'a>>,
    /// Absent, null, or numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<WireUsage>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'a str>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
}

/// What all chunks of a stream share.
struct Chunks<'a> {
    id: String,
    draft: &'a Draft,
    include_usage: bool,
}

impl Chunks<'_> {
    fn chunk<'a>(&'a self, choices: Vec<Choice<'a>>, usage: Option<Option<WireUsage>>) -> Chunk<'a> {
        Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: CREATED,
            model: &self.draft.model,
            service_tier: "default",
            system_fingerprint: "fp_fake",
            choices,
            usage,
        }
    }

    fn event(&self, delta: Delta<'_>, finish_reason: Option<&str>) -> Result<Event, serde_json::Error> {
        let choice = Choice {
            index: 0,
            delta,
            logprobs: None,
            finish_reason,
        };
        let chunk = self.chunk(vec![choice], self.include_usage.then_some(None));
        sse::unnamed(&chunk).map(Event::plain)
    }
}

/// The events of a good stream.
pub(crate) fn events(draft: &Draft, include_usage: bool) -> Result<Vec<Event>, serde_json::Error> {
    let chunks = Chunks {
        id: completion_id(draft),
        draft,
        include_usage,
    };
    let role = Some("assistant");
    let mut events = Vec::with_capacity(draft.pieces.len() + 5);
    if draft.tool.is_some() {
        for call in tool_deltas(draft, &call_id(draft)) {
            let role = role.filter(|_| events.is_empty());
            events.push(chunks.event(
                Delta {
                    role,
                    tool_calls: Some([call]),
                    content: None,
                },
                None,
            )?);
        }
    } else {
        events.push(chunks.event(
            Delta {
                role,
                content: Some(""),
                tool_calls: None,
            },
            None,
        )?);
        for piece in &draft.pieces {
            events.push(chunks.event(
                Delta {
                    content: Some(piece),
                    ..Delta::default()
                },
                None,
            )?);
        }
    }
    events.push(chunks.event(Delta::default(), Some(finish_reason(draft)))?);
    if include_usage {
        let chunk = chunks.chunk(Vec::new(), Some(Some(WireUsage::of(&draft.usage))));
        events.push(Event {
            bytes: sse::unnamed(&chunk)?,
            report: Some(draft.usage),
        });
    }
    events.push(Event::plain(Bytes::from_static(b"data: [DONE]\n\n")));
    Ok(events)
}

/// The call's name first, then its arguments in two halves.
fn tool_deltas<'a>(draft: &'a Draft, id: &'a str) -> Vec<ToolCall<'a>> {
    let Some(tool) = &draft.tool else {
        return Vec::new();
    };
    let json = tool.input.get();
    let (first, second) = json
        .split_at_checked(json.floor_char_boundary(json.len() / 2))
        .unwrap_or((json, ""));
    let start = ToolCall {
        index: Some(0),
        id: Some(id),
        kind: Some("function"),
        function: Function {
            name: Some(&tool.name),
            arguments: "",
        },
    };
    let more = [first, second].map(|arguments| ToolCall {
        index: Some(0),
        id: None,
        kind: None,
        function: Function {
            name: None,
            arguments,
        },
    });
    std::iter::once(start).chain(more).collect()
}

/// OpenAI has no ping event; a comment line is what its edge sends.
pub(crate) fn ping() -> Bytes {
    Bytes::from_static(b": keep-alive\n\n")
}
