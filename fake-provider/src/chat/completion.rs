//! A completion that is not streamed, and the usage block that both forms share.

use bytes::Bytes;
use serde::Serialize;

use super::CREATED;
use crate::draft::{Draft, Stop};
use crate::usage::Usage;

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: WireUsage,
    service_tier: &'static str,
    system_fingerprint: &'static str,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
}

#[derive(Serialize)]
pub(super) struct ToolCall<'a> {
    /// Only in streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    pub(super) function: Function<'a>,
}

#[derive(Serialize)]
pub(super) struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
}

#[derive(Serialize)]
pub(super) struct WireUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
    audio_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl WireUsage {
    /// The prompt's count includes cached tokens and cache writes.
    pub(super) fn of(usage: &Usage) -> Self {
        let cache_write_tokens = usage.cache_write_5m + usage.cache_write_1h;
        let prompt_tokens = usage.input + usage.cache_read + cache_write_tokens;
        Self {
            prompt_tokens,
            completion_tokens: usage.output,
            total_tokens: prompt_tokens + usage.output,
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens,
                audio_tokens: 0,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.reasoning,
                audio_tokens: 0,
                accepted_prediction_tokens: 0,
                rejected_prediction_tokens: 0,
            },
        }
    }
}

pub(super) fn completion_id(draft: &Draft) -> String {
    format!("chatcmpl-{}", draft.id)
}

pub(super) fn call_id(draft: &Draft) -> String {
    format!("call_{}", draft.id)
}

pub(super) fn finish_reason(draft: &Draft) -> &str {
    draft.stop_word.as_deref().unwrap_or(match draft.stop {
        Stop::End => "stop",
        Stop::TokenLimit => "length",
        Stop::Tool => "tool_calls",
    })
}

/// The body of an answer that is not streamed. A tool call has no text beside it.
pub(crate) fn body(draft: &Draft) -> Result<Bytes, serde_json::Error> {
    let text = draft.pieces.concat();
    let id = call_id(draft);
    let tool_calls = draft.tool.as_ref().map(|tool| {
        let function = Function {
            name: Some(&tool.name),
            arguments: tool.input.get(),
        };
        [ToolCall {
            index: None,
            id: Some(&id),
            kind: Some("function"),
            function,
        }]
    });
    let content = tool_calls.is_none().then_some(text.as_str());
    let message = Message {
        role: "assistant",
        content,
        refusal: None,
        tool_calls,
    };
    let choice = Choice {
        index: 0,
        message,
        logprobs: None,
        finish_reason: finish_reason(draft),
    };
    let completion = Completion {
        id: completion_id(draft),
        object: "chat.completion",
        created: CREATED,
        model: &draft.model,
        choices: [choice],
        usage: WireUsage::of(&draft.usage),
        service_tier: "default",
        system_fingerprint: "fp_fake",
    };
    serde_json::to_vec(&completion).map(Bytes::from)
}
