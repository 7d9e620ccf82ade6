//! A streamed message: the events in the vendor's order.
//!
//! `message_start`, then for each block `content_block_start`, deltas and `content_block_stop` (a `ping` after
//! the first start), then `message_delta` with the stop reason and cumulative usage, then `message_stop`.
//! `message_start` states every input class and a small output count; the cache split is only there.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::message::{Block, Message, SIGNATURE, WireUsage, message_id, stop_reason, tool_id};
use crate::draft::Draft;
use crate::sse;
use crate::step::Event;
use crate::usage::Usage;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    MessageStart { message: Message<'a> },
    ContentBlockStart { index: usize, content_block: Block<'a> },
    ContentBlockDelta { index: usize, delta: Delta<'a> },
    ContentBlockStop { index: usize },
    MessageDelta { delta: Ending<'a>, usage: WireUsage },
    MessageStop,
    Ping,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
}

#[derive(Serialize)]
struct Ending<'a> {
    stop_reason: Option<&'a str>,
    stop_sequence: Option<&'a str>,
}

/// Events collected in order.
#[derive(Default)]
struct Lines {
    events: Vec<Event>,
    blocks: usize,
}

impl Line<'_> {
    fn name(&self) -> &'static str {
        match self {
            Line::MessageStart { .. } => "message_start",
            Line::ContentBlockStart { .. } => "content_block_start",
            Line::ContentBlockDelta { .. } => "content_block_delta",
            Line::ContentBlockStop { .. } => "content_block_stop",
            Line::MessageDelta { .. } => "message_delta",
            Line::MessageStop => "message_stop",
            Line::Ping => "ping",
        }
    }
}

impl Lines {
    fn push(&mut self, line: &Line<'_>, report: Option<Usage>) -> Result<(), serde_json::Error> {
        self.events.push(Event {
            bytes: sse::named(line.name(), line)?,
            report,
        });
        Ok(())
    }

    fn block<'a>(
        &mut self,
        content_block: Block<'a>,
        deltas: impl IntoIterator<Item = Delta<'a>>,
    ) -> Result<(), serde_json::Error> {
        let index = self.blocks;
        self.blocks += 1;
        self.push(&Line::ContentBlockStart { index, content_block }, None)?;
        if index == 0 {
            self.push(&Line::Ping, None)?;
        }
        for delta in deltas {
            self.push(&Line::ContentBlockDelta { index, delta }, None)?;
        }
        self.push(&Line::ContentBlockStop { index }, None)
    }
}

/// The events of a good stream.
pub(crate) fn events(draft: &Draft) -> Result<Vec<Event>, serde_json::Error> {
    let mut lines = Lines::default();
    let at_start = Usage {
        output: draft.usage.output.min(1),
        reasoning: 0,
        ..draft.usage
    };
    let message = Message {
        id: message_id(draft),
        kind: "message",
        role: "assistant",
        model: &draft.model,
        content: Vec::new(),
        stop_reason: None,
        stop_sequence: None,
        usage: WireUsage::full(&at_start),
    };
    lines.push(&Line::MessageStart { message }, Some(at_start))?;
    if let Some(thinking) = draft.thinking {
        let deltas = [
            Delta::Thinking { thinking },
            Delta::Signature { signature: SIGNATURE },
        ];
        lines.block(
            Block::Thinking {
                thinking: "",
                signature: "",
            },
            deltas,
        )?;
    }
    lines.block(
        Block::Text { text: "" },
        draft.pieces.iter().map(|text| Delta::Text { text }),
    )?;
    tool(&mut lines, draft)?;
    let delta = Ending {
        stop_reason: Some(stop_reason(draft)),
        stop_sequence: None,
    };
    let usage = WireUsage::delta(&draft.usage);
    lines.push(&Line::MessageDelta { delta, usage }, Some(draft.usage))?;
    lines.push(&Line::MessageStop, None)?;
    Ok(lines.events)
}

/// A tool's arguments arrive as an empty piece and then the JSON in two halves.
fn tool(lines: &mut Lines, draft: &Draft) -> Result<(), serde_json::Error> {
    let Some(tool) = &draft.tool else { return Ok(()) };
    let nothing: Box<RawValue> = serde_json::from_str("{}")?;
    let json = tool.input.get();
    let (first, second) = json
        .split_at_checked(json.floor_char_boundary(json.len() / 2))
        .unwrap_or((json, ""));
    let deltas = ["", first, second].map(|partial_json| Delta::InputJson { partial_json });
    lines.block(
        Block::ToolUse {
            id: &tool_id(draft),
            name: &tool.name,
            input: &nothing,
        },
        deltas,
    )
}

/// `event: ping`.
pub(crate) fn ping() -> Result<Bytes, serde_json::Error> {
    sse::named(Line::Ping.name(), &Line::Ping)
}
