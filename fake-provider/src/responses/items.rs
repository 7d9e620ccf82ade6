//! What a response consists of: reasoning, a message, a call.

use serde_json::{Value, json};

use crate::draft::{Draft, ToolCall};

/// Reasoning that only its maker can read.
const SEALED: &str = "gAAAAABfake-provider-reasoning";

/// An item of the output, whole.
#[derive(Debug)]
pub(super) enum Item<'a> {
    Reasoning {
        id: String,
        text: &'a str,
        sealed: bool,
    },
    Message {
        id: String,
        pieces: &'a [String],
    },
    Call {
        id: String,
        call_id: String,
        tool: &'a ToolCall,
    },
}

/// The items of an answer in their order. A call has no text beside it.
pub(super) fn items(draft: &Draft) -> Vec<Item<'_>> {
    let mut items = Vec::with_capacity(2);
    items.extend(draft.thinking.map(|text| Item::Reasoning {
        id: format!("rs_{}", draft.id),
        text,
        sealed: draft.sealed,
    }));
    items.push(match &draft.tool {
        Some(tool) => Item::Call {
            id: format!("{}_{}", if tool.freeform { "ctc" } else { "fc" }, draft.id),
            call_id: format!("call_{}", draft.id),
            tool,
        },
        None => Item::Message {
            id: format!("msg_{}", draft.id),
            pieces: &draft.pieces,
        },
    });
    items
}

impl Item<'_> {
    /// As it is at the end.
    pub(super) fn done(&self) -> Value {
        match self {
            Self::Reasoning { id, text, sealed } => json!({
                "id": id,
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": text}],
                "encrypted_content": sealed.then_some(SEALED),
            }),
            Self::Message { id, pieces } => json!({
                "id": id,
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [text_part(&pieces.concat())],
            }),
            Self::Call { id, call_id, tool } => call(id, call_id, tool, "completed", &argument(tool)),
        }
    }

    /// As it is when it begins.
    pub(super) fn begun(&self) -> Value {
        match self {
            Self::Reasoning { id, .. } => json!({"id": id, "type": "reasoning", "summary": []}),
            Self::Message { id, .. } => json!({
                "id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": [],
            }),
            Self::Call { id, call_id, tool } => call(id, call_id, tool, "in_progress", ""),
        }
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Reasoning { id, .. } | Self::Message { id, .. } | Self::Call { id, .. } => id,
        }
    }
}

/// What the tool is given: JSON, or the text of a tool that takes one.
pub(super) fn argument(tool: &ToolCall) -> String {
    let json = tool.input.get();
    match tool.freeform {
        true => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
        false => json.to_owned(),
    }
}

pub(super) fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn call(id: &str, call_id: &str, tool: &ToolCall, status: &str, argument: &str) -> Value {
    let (kind, field) = match tool.freeform {
        true => ("custom_tool_call", "input"),
        false => ("function_call", "arguments"),
    };
    json!({
        "id": id, "type": kind, "status": status, "call_id": call_id, "name": tool.name, field: argument,
    })
}
