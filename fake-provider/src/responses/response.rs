//! A response that is not streamed, and what a stream tells of it.

use bytes::Bytes;
use serde_json::{Value, json};

use super::CREATED;
use super::items::items;
use crate::draft::{Draft, Stop};
use crate::usage::Usage;

/// The response while it is being made.
pub(super) fn begun(draft: &Draft) -> Value {
    response(draft, "in_progress", Vec::new(), None)
}

/// The response at its end: `completed`, or `incomplete` when it ran out of tokens.
pub(super) fn ended(draft: &Draft) -> Value {
    let output = items(draft).iter().map(|item| item.done()).collect();
    response(draft, status(draft), output, Some(&draft.usage))
}

pub(super) fn status(draft: &Draft) -> &str {
    draft.stop_word.as_deref().unwrap_or(match draft.stop {
        Stop::End | Stop::Tool => "completed",
        Stop::TokenLimit => "incomplete",
    })
}

/// The body of an answer that is not streamed.
pub(crate) fn body(draft: &Draft) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(&ended(draft)).map(Bytes::from)
}

/// A conversation made shorter.
pub(crate) fn compacted(draft: &Draft) -> Result<Bytes, serde_json::Error> {
    let item = json!({
        "type": "compaction",
        "id": format!("cmp_{}", draft.id),
        "encrypted_content": "gAAAAABfake-provider-compaction",
    });
    let compaction = json!({
        "id": response_id(draft),
        "object": "response.compaction",
        "created_at": CREATED,
        "output": [item],
        "usage": usage(&draft.usage),
    });
    serde_json::to_vec(&compaction).map(Bytes::from)
}

fn response(draft: &Draft, status: &str, output: Vec<Value>, used: Option<&Usage>) -> Value {
    let incomplete = (status == "incomplete").then(|| json!({"reason": "max_output_tokens"}));
    json!({
        "id": response_id(draft),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": false,
        "error": null,
        "incomplete_details": incomplete,
        "instructions": null,
        "metadata": {},
        "model": draft.model,
        "output": output,
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null},
        "service_tier": "default",
        "store": false,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": used.map(usage),
    })
}

fn response_id(draft: &Draft) -> String {
    format!("resp_{}", draft.id)
}

/// The input's count includes cached tokens and cache writes.
fn usage(usage: &Usage) -> Value {
    let written = usage.cache_write_5m + usage.cache_write_1h;
    let input = usage.input + usage.cache_read + written;
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": input + usage.output,
    })
}
