//! Events → OpenAI chat completions.
//!
//! Thinking is `reasoning_content`, as compatible providers have it; signatures have no place. A stream ends with the
//! finish reason, then the usage if the caller asked for it, then `[DONE]`.

use serde::Serialize;

use super::blocks::{Answer, Block, Call, new_call_id};
use super::{Event, Stop, Usage, created, frame};
use crate::translate::Answers;
use crate::translate::tools::{Kind, Known};

#[derive(Serialize)]
struct Completion<'t> {
    id: &'t str,
    object: &'static str,
    created: u64,
    model: &'t str,
    choices: Vec<Choice<'t>>,
    /// Absent in streams without usage, null in those with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<UsageOut>>,
}

#[derive(Serialize)]
struct Choice<'t> {
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Said<'t>>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Message<'t> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallOut<'t>>,
}

#[derive(Default, Serialize)]
struct Said<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallOut<'t>; 1]>,
}

#[derive(Default, Serialize)]
struct CallOut<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<Function<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<Custom<'t>>,
}

#[derive(Serialize)]
struct Function<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'t str>,
    arguments: &'t str,
}

#[derive(Serialize)]
struct Custom<'t> {
    name: &'t str,
    input: String,
}

#[derive(Serialize)]
struct UsageOut {
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
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

#[derive(Debug)]
pub(super) struct Writer {
    answers: Answers,
    id: String,
    created: u64,
    started: bool,
    calls: usize,
    /// The call whose arguments are coming. Freeform text is told when it is whole.
    open: Option<Call>,
    stop: Stop,
    usage: Usage,
}

pub(super) fn whole(answer: &Answer) -> Vec<u8> {
    let calls = answer.blocks.iter().filter_map(|block| match block {
        Block::Call(call) => Some(CallOut::of(call, None)),
        Block::Text(_) | Block::Refusal(_) | Block::Thought { .. } | Block::Redacted(_) => None,
    });
    let message = Message {
        role: "assistant",
        content: answer.joined(Block::text),
        refusal: answer.joined(Block::refusal),
        reasoning_content: answer.joined(Block::thought),
        tool_calls: calls.collect(),
    };
    let completion = Completion {
        id: &format!("chatcmpl-{}", answer.id),
        object: "chat.completion",
        created: created::seconds(&answer.id),
        model: &answer.model,
        choices: vec![Choice {
            index: 0,
            message: Some(message),
            delta: None,
            logprobs: None,
            finish_reason: Some(answer.stop.chat()),
        }],
        usage: Some(Some(answer.usage.into())),
    };
    serde_json::to_vec(&completion).unwrap_or_default()
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(answers: &Answers, id: &str) -> Self {
        Self {
            answers: answers.clone(),
            id: format!("chatcmpl-{id}"),
            created: created::seconds(id),
            started: false,
            calls: 0,
            open: None,
            stop: Stop::EndTurn,
            usage: Usage::default(),
        }
    }

    pub(super) fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Begin => self.start(out),
            Event::Text(text) => {
                self.close(out);
                self.say(
                    Said {
                        content: Some(&text),
                        ..Said::default()
                    },
                    out,
                );
            }
            Event::Refusal(text) => {
                self.close(out);
                self.say(
                    Said {
                        refusal: Some(&text),
                        ..Said::default()
                    },
                    out,
                );
            }
            Event::Thought(text) => {
                self.close(out);
                self.say(
                    Said {
                        reasoning_content: Some(&text),
                        ..Said::default()
                    },
                    out,
                );
            }
            Event::Signature(_) | Event::Redacted(_) => {}
            Event::Call { id, name } => self.call(id, &name, out),
            Event::Arguments(text) => self.arguments(&text, out),
            Event::Stop(stop) => self.stop = stop,
            Event::Usage(usage) => self.usage = usage,
            Event::End => self.end(out),
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if !self.started {
            self.started = true;
            let said = Said {
                role: Some("assistant"),
                content: Some(""),
                ..Said::default()
            };
            self.say(said, out);
        }
    }

    fn call(&mut self, id: Option<String>, name: &str, out: &mut Vec<u8>) {
        self.close(out);
        let call = Call {
            id: id.unwrap_or_else(|| new_call_id(&self.id, self.calls + 1)),
            tool: self.answers.names.known(name),
            arguments: String::new(),
        };
        if call.tool.kind != Kind::Custom {
            self.say_call(CallOut::of_begun(&call.id, &call.tool, self.calls), out);
        }
        self.open = Some(call);
    }

    fn arguments(&mut self, text: &str, out: &mut Vec<u8>) {
        let Some(call) = &mut self.open else {
            return;
        };
        match call.tool.kind {
            Kind::Custom => call.arguments.push_str(text),
            Kind::Function | Kind::Search => {
                // Only whether there are any is remembered.
                call.arguments.replace_range(.., " ");
                self.say_call(CallOut::more(text, self.calls), out);
            }
        }
    }

    /// Ends the open call: with what was kept of it, or with an empty object if it has no arguments.
    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(call) = self.open.take() else {
            return;
        };
        match call.tool.kind {
            Kind::Custom => self.say_call(CallOut::of(&call, Some(self.calls)), out),
            Kind::Function | Kind::Search if call.arguments.is_empty() => {
                self.say_call(CallOut::more("{}", self.calls), out);
            }
            Kind::Function | Kind::Search => {}
        }
        self.calls += 1;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        self.close(out);
        self.chunk(Some((Said::default(), Some(self.stop.chat()))), out);
        if self.answers.include_usage {
            self.chunk(None, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn say(&self, said: Said<'_>, out: &mut Vec<u8>) {
        self.chunk(Some((said, None)), out);
    }

    fn say_call(&self, call: CallOut<'_>, out: &mut Vec<u8>) {
        self.say(
            Said {
                tool_calls: Some([call]),
                ..Said::default()
            },
            out,
        );
    }

    /// One chunk; without a choice it is the one with the usage.
    fn chunk(&self, said: Option<(Said<'_>, Option<&'static str>)>, out: &mut Vec<u8>) {
        let usage = match said {
            Some(_) => None,
            None => Some(self.usage.into()),
        };
        let choices = said.into_iter().map(|(delta, finish_reason)| Choice {
            index: 0,
            message: None,
            delta: Some(delta),
            logprobs: None,
            finish_reason,
        });
        frame(
            out,
            &Completion {
                id: &self.id,
                object: "chat.completion.chunk",
                created: self.created,
                model: &self.answers.model,
                choices: choices.collect(),
                usage: self.answers.include_usage.then_some(usage),
            },
        );
    }
}

// === shapes ===

impl<'t> CallOut<'t> {
    /// A whole call.
    fn of(call: &'t Call, index: Option<usize>) -> Self {
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

    fn of_begun(id: &'t str, tool: &'t Known, index: usize) -> Self {
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

    fn more(arguments: &'t str, index: usize) -> Self {
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
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Refusal(_) | Self::Thought { .. } | Self::Redacted(_) | Self::Call(_) => None,
        }
    }

    fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refusal(text) => Some(text),
            Self::Text(_) | Self::Thought { .. } | Self::Redacted(_) | Self::Call(_) => None,
        }
    }

    fn thought(&self) -> Option<&str> {
        match self {
            Self::Thought { text, .. } => Some(text.as_str()).filter(|text| !text.is_empty()),
            Self::Text(_) | Self::Refusal(_) | Self::Redacted(_) | Self::Call(_) => None,
        }
    }
}

impl Stop {
    fn chat(&self) -> &'static str {
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
