//! The shapes of OpenAI chat completions, whole and in chunks.

use serde::Serialize;

use super::blocks::{Block, Call};
use super::{Stop, Usage};
use crate::translate::tools::{Kind, Known};

#[derive(Serialize)]
pub(super) struct Completion<'t> {
    pub(super) id: &'t str,
    pub(super) object: &'static str,
    pub(super) created: u64,
    pub(super) model: &'t str,
    pub(super) choices: Vec<Choice<'t>>,
    /// Absent in streams without usage, null in those with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Option<UsageOut>>,
}

#[derive(Serialize)]
pub(super) struct Choice<'t> {
    pub(super) index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Message<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<Said<'t>>,
    pub(super) logprobs: Option<()>,
    pub(super) finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Message<'t> {
    pub(super) role: &'static str,
    pub(super) content: Option<String>,
    pub(super) refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<CallOut<'t>>,
}

#[derive(Default, Serialize)]
pub(super) struct Said<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<[CallOut<'t>; 1]>,
}

#[derive(Default, Serialize)]
pub(super) struct CallOut<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<Function<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<Custom<'t>>,
}

#[derive(Serialize)]
pub(super) struct Function<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'t str>,
    pub(super) arguments: &'t str,
}

#[derive(Serialize)]
pub(super) struct Custom<'t> {
    pub(super) name: &'t str,
    pub(super) input: String,
}

#[derive(Serialize)]
pub(super) struct UsageOut {
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    pub(super) total_tokens: u64,
    pub(super) prompt_tokens_details: PromptDetails,
    pub(super) completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
pub(super) struct PromptDetails {
    pub(super) cached_tokens: u64,
    pub(super) cache_write_tokens: u64,
}

#[derive(Serialize)]
pub(super) struct CompletionDetails {
    pub(super) reasoning_tokens: u64,
}

impl<'t> CallOut<'t> {
    /// A whole call.
    pub(super) fn of(call: &'t Call, index: Option<usize>) -> Self {
        let begun = Self::of_begun(&call.id, &call.tool, 0);
        match call.tool.kind {
            Kind::Custom => Self {
                index,
                r#type: Some("custom"),
                function: None,
                custom: Some(Custom {
                    name: &call.tool.name,
                    input: call.input(),
                }),
                ..begun
            },
            Kind::Function | Kind::Search => Self {
                index,
                function: Some(Function {
                    name: Some(&call.tool.name),
                    arguments: call.arguments(),
                }),
                ..begun
            },
        }
    }

    pub(super) fn of_begun(id: &'t str, tool: &'t Known, index: usize) -> Self {
        Self {
            index: Some(index),
            id: Some(id),
            r#type: Some("function"),
            function: Some(Function {
                name: Some(&tool.name),
                arguments: "",
            }),
            custom: None,
        }
    }

    pub(super) fn more(arguments: &'t str, index: usize) -> Self {
        Self {
            index: Some(index),
            function: Some(Function {
                name: None,
                arguments,
            }),
            ..Self::default()
        }
    }
}

impl Block {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Refusal(_) | Self::Thought { .. } | Self::Redacted(_) | Self::Call(_) => None,
        }
    }

    pub(super) fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refusal(text) => Some(text),
            Self::Text(_) | Self::Thought { .. } | Self::Redacted(_) | Self::Call(_) => None,
        }
    }

    pub(super) fn thought(&self) -> Option<&str> {
        match self {
            Self::Thought { text, .. } => Some(text.as_str()).filter(|text| !text.is_empty()),
            Self::Text(_) | Self::Refusal(_) | Self::Redacted(_) | Self::Call(_) => None,
        }
    }
}

impl Stop {
    pub(super) fn chat(&self) -> &'static str {
        match self {
            Self::EndTurn | Self::Sequence(_) | Self::Pause => "stop",
            Self::MaxTokens | Self::Context => "length",
            Self::ToolUse => "tool_calls",
            Self::Refusal => "content_filter",
        }
    }
}

impl From<Usage> for UsageOut {
    fn from(usage: Usage) -> Self {
        let cached = usage.cache_read.saturating_add(usage.cache_write);
        let prompt_tokens = usage.input.saturating_add(cached);
        Self {
            prompt_tokens,
            completion_tokens: usage.output,
            total_tokens: prompt_tokens.saturating_add(usage.output),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.reasoning,
            },
        }
    }
}
