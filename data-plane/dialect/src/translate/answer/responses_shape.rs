//! The shapes of OpenAI Responses: items, the response around them, events of a stream.

use serde::Serialize;

use super::blocks::{Answer, Block, Call};
use super::{Stop, Usage, created};
use crate::translate::fields::Json;
use crate::translate::tools::{Kind, arguments};

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item {
    Message {
        id: String,
        status: &'static str,
        role: &'static str,
        content: Vec<Part>,
    },
    Reasoning {
        id: String,
        summary: Vec<Part>,
        encrypted_content: Option<String>,
    },
    FunctionCall {
        id: String,
        status: &'static str,
        call_id: String,
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        arguments: String,
    },
    CustomToolCall {
        id: String,
        status: &'static str,
        call_id: String,
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        input: String,
    },
    ToolSearchCall {
        id: String,
        status: &'static str,
        call_id: String,
        execution: &'static str,
        arguments: Json<'static>,
    },
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part {
    OutputText {
        text: String,
        annotations: [(); 0],
        logprobs: [(); 0],
    },
    Refusal {
        refusal: String,
    },
    SummaryText {
        text: String,
    },
}

#[derive(Serialize)]
pub(super) struct Response<'t> {
    pub(super) id: String,
    object: &'static str,
    created_at: u64,
    pub(super) status: &'static str,
    error: Option<()>,
    incomplete_details: Option<Incomplete>,
    instructions: Option<()>,
    model: &'t str,
    pub(super) output: &'t [Item],
    parallel_tool_calls: bool,
    previous_response_id: Option<()>,
    store: bool,
    temperature: Option<()>,
    tool_choice: &'static str,
    tools: [(); 0],
    top_p: Option<()>,
    usage: Option<UsageOut>,
    metadata: Empty,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Incomplete {
    reason: &'static str,
}

#[derive(Serialize)]
struct UsageOut {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

/// One event of a stream, whichever: absent members are left out.
#[derive(Default, Serialize)]
pub(super) struct StreamEvent<'t> {
    pub(super) r#type: &'static str,
    pub(super) sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<&'t Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<Response<'t>>,
}

impl Item {
    /// The item that a block is; `number` makes its id.
    pub(super) fn of(block: &Block, answer: &Answer, number: usize) -> Self {
        let response = &answer.id;
        let status = "completed";
        let id = |prefix: &str| format!("{prefix}_{response}_{number}");
        match block {
            Block::Text(text) => Self::message(id("msg"), status, Part::text(text)),
            Block::Refusal(text) => Self::message(
                id("msg"),
                status,
                Part::Refusal {
                    refusal: text.clone(),
                },
            ),
            Block::Thought { text, signature } => Self::Reasoning {
                id: id("rs"),
                summary: match text.as_str() {
                    "" => Vec::new(),
                    text => vec![Part::SummaryText {
                        text: text.to_owned(),
                    }],
                },
                encrypted_content: Some(answer.signature(signature.as_deref())),
            },
            Block::Redacted(data) => Self::Reasoning {
                id: id("rs"),
                summary: Vec::new(),
                encrypted_content: Some(data.clone()),
            },
            Block::Call(call) => Self::call(call, response, number, status),
        }
    }

    fn message(id: String, status: &'static str, part: Part) -> Self {
        Self::Message {
            id,
            status,
            role: "assistant",
            content: vec![part],
        }
    }

    fn call(call: &Call, response: &str, number: usize, status: &'static str) -> Self {
        let id = |prefix: &str| format!("{prefix}_{response}_{number}");
        let (call_id, tool) = (call.id.clone(), call.tool.clone());
        match tool.kind {
            Kind::Function => Self::FunctionCall {
                id: id("fc"),
                status,
                call_id,
                name: tool.name,
                namespace: tool.namespace,
                arguments: call.input(),
            },
            Kind::Custom => Self::CustomToolCall {
                id: id("ctc"),
                status,
                call_id,
                name: tool.name,
                namespace: tool.namespace,
                input: call.input(),
            },
            Kind::Search => Self::ToolSearchCall {
                id: id("tsc"),
                status,
                call_id,
                execution: "client",
                arguments: arguments(call.arguments().into()),
            },
        }
    }

    /// The item before anything of it was said.
    pub(super) fn begun(&self) -> Self {
        let mut begun = self.clone();
        match &mut begun {
            Self::Message { status, content, .. } => {
                *status = "in_progress";
                content.clear();
            }
            Self::Reasoning {
                summary,
                encrypted_content,
                ..
            } => {
                summary.clear();
                *encrypted_content = None;
            }
            Self::FunctionCall {
                status, arguments, ..
            } => {
                *status = "in_progress";
                arguments.clear();
            }
            Self::CustomToolCall { status, input, .. } => {
                *status = "in_progress";
                input.clear();
            }
            Self::ToolSearchCall { status, .. } => *status = "in_progress",
        }
        begun
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Message { id, .. }
            | Self::Reasoning { id, .. }
            | Self::FunctionCall { id, .. }
            | Self::CustomToolCall { id, .. }
            | Self::ToolSearchCall { id, .. } => id,
        }
    }
}

impl Part {
    pub(super) fn text(text: &str) -> Self {
        Self::OutputText {
            text: text.to_owned(),
            annotations: [],
            logprobs: [],
        }
    }
}

impl<'t> Response<'t> {
    /// As it is while the answer comes.
    pub(super) fn begun(id: &str, model: &'t str) -> Self {
        Self {
            id: format!("resp_{id}"),
            object: "response",
            created_at: created::seconds(id),
            status: "in_progress",
            error: None,
            incomplete_details: None,
            instructions: None,
            model,
            output: &[],
            parallel_tool_calls: true,
            previous_response_id: None,
            store: false,
            temperature: None,
            tool_choice: "auto",
            tools: [],
            top_p: None,
            usage: None,
            metadata: Empty {},
        }
    }

    pub(super) fn ended(answer: &'t Answer, output: &'t [Item]) -> Self {
        let reason = match answer.stop {
            Stop::MaxTokens | Stop::Context => Some("max_output_tokens"),
            Stop::Refusal => Some("content_filter"),
            Stop::EndTurn | Stop::Sequence(_) | Stop::ToolUse | Stop::Pause => None,
        };
        Self {
            status: if reason.is_some() {
                "incomplete"
            } else {
                "completed"
            },
            incomplete_details: reason.map(|reason| Incomplete { reason }),
            output,
            usage: Some(answer.usage.into()),
            ..Self::begun(&answer.id, &answer.model)
        }
    }
}

impl From<Usage> for UsageOut {
    fn from(usage: Usage) -> Self {
        let cached = usage.cache_read.saturating_add(usage.cache_write);
        let input_tokens = usage.input.saturating_add(cached);
        Self {
            input_tokens,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write,
            },
            output_tokens: usage.output,
            output_tokens_details: OutputDetails {
                reasoning_tokens: usage.reasoning,
            },
            total_tokens: input_tokens.saturating_add(usage.output),
        }
    }
}
