//! A message that is not streamed, and the usage block that both forms share.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::draft::{Draft, Stop};
use crate::usage::Usage;

/// The signature of thinking blocks: opaque to callers, who must send it back unchanged.
pub(super) const SIGNATURE: &str = "ZmFrZS1wcm92aWRlci1zaWduYXR1cmU=";

#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: Vec<Block<'a>>,
    pub(super) stop_reason: Option<&'a str>,
    pub(super) stop_sequence: Option<&'a str>,
    pub(super) usage: WireUsage,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    Text {
        text: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: &'a RawValue,
    },
}

#[derive(Serialize)]
pub(super) struct WireUsage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    /// Only at the start of a stream and in whole messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<CacheCreation>,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
}

#[derive(Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl WireUsage {
    /// As a whole message and `message_start` state it.
    pub(super) fn full(usage: &Usage) -> Self {
        let cache_creation = CacheCreation {
            ephemeral_5m_input_tokens: usage.cache_write_5m,
            ephemeral_1h_input_tokens: usage.cache_write_1h,
        };
        let service_tier = Some("standard");
        Self {
            cache_creation: Some(cache_creation),
            service_tier,
            ..Self::delta(usage)
        }
    }

    /// As `message_delta` states it.
    pub(super) fn delta(usage: &Usage) -> Self {
        let thinking_tokens = usage.reasoning;
        Self {
            input_tokens: usage.input,
            cache_creation_input_tokens: usage.cache_write_5m + usage.cache_write_1h,
            cache_read_input_tokens: usage.cache_read,
            cache_creation: None,
            output_tokens: usage.output,
            output_tokens_details: (thinking_tokens > 0).then_some(OutputDetails { thinking_tokens }),
            service_tier: None,
        }
    }
}

pub(super) fn message_id(draft: &Draft) -> String {
    format!("msg_{}", draft.id)
}

pub(super) fn tool_id(draft: &Draft) -> String {
    format!("toolu_{}", draft.id)
}

pub(super) fn stop_reason(draft: &Draft) -> &str {
    draft.stop_word.as_deref().unwrap_or(match draft.stop {
        Stop::End => "end_turn",
        Stop::TokenLimit => "max_tokens",
        Stop::Tool => "tool_use",
    })
}

/// The body of an answer that is not streamed.
pub(crate) fn body(draft: &Draft) -> Result<Bytes, serde_json::Error> {
    let text = draft.pieces.concat();
    let tool_id = tool_id(draft);
    let mut content = Vec::with_capacity(3);
    content.extend(draft.thinking.map(|thinking| Block::Thinking {
        thinking,
        signature: SIGNATURE,
    }));
    content.push(Block::Text { text: &text });
    content.extend(draft.tool.as_ref().map(|tool| Block::ToolUse {
        id: &tool_id,
        name: &tool.name,
        input: &tool.input,
    }));
    let message = Message {
        id: message_id(draft),
        kind: "message",
        role: "assistant",
        model: &draft.model,
        content,
        stop_reason: Some(stop_reason(draft)),
        stop_sequence: None,
        usage: WireUsage::full(&draft.usage),
    };
    serde_json::to_vec(&message).map(Bytes::from)
}
