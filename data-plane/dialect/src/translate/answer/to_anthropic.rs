//! Events → Anthropic Messages.
//!
//! One block is open at a time. The usage of other dialects comes at the end, so `message_start` says zeros and
//! `message_delta` all classes, which is where clients look last. Thinking that came without a signature gets a sealed
//! empty one, as clients give back signed thinking only.

use serde::Serialize;

use super::anthropic_usage::UsageOut;
use super::blocks::{Answer, Block, Call, new_call_id};
use super::{Event, Stop, Usage, named_frame};
use crate::translate::Answers;
use crate::translate::fields::Json;
use crate::translate::seal::seal;
use crate::translate::tools::arguments;

#[derive(Serialize)]
struct Message<'t> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'t str,
    content: Vec<BlockOut<'t>>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<&'t str>,
    usage: UsageOut,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockOut<'t> {
    Text {
        text: &'t str,
    },
    Thinking {
        thinking: &'t str,
        signature: String,
    },
    RedactedThinking {
        data: &'t str,
    },
    ToolUse {
        id: &'t str,
        name: &'t str,
        input: Json<'static>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum StreamEvent<'t> {
    MessageStart {
        message: Message<'t>,
    },
    ContentBlockStart {
        index: usize,
        content_block: BlockOut<'t>,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta<'t>,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: Ended<'t>,
        usage: UsageOut,
    },
    MessageStop,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'t> {
    #[serde(rename = "text_delta")]
    Text { text: &'t str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'t str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'t str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'t str },
}

#[derive(Serialize)]
struct Ended<'t> {
    stop_reason: &'static str,
    stop_sequence: Option<&'t str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Text,
    Thought,
    Call,
}

#[derive(Debug)]
pub(super) struct Writer {
    answers: Answers,
    id: String,
    started: bool,
    index: usize,
    open: Open,
    calls: usize,
    stop: Stop,
    usage: Usage,
}

pub(super) fn whole(answer: &Answer) -> Vec<u8> {
    let content = answer
        .blocks
        .iter()
        .map(|block| BlockOut::of(block, answer))
        .collect();
    let message = Message {
        stop_reason: Some(answer.stop.anthropic()),
        stop_sequence: answer.stop.sequence(),
        usage: answer.usage.into(),
        ..Message::new(&answer.id, &answer.model, content)
    };
    serde_json::to_vec(&message).unwrap_or_default()
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(answers: &Answers, id: &str) -> Self {
        Self {
            answers: answers.clone(),
            id: id.to_owned(),
            started: false,
            index: 0,
            open: Open::Nothing,
            calls: 0,
            stop: Stop::EndTurn,
            usage: Usage::default(),
        }
    }

    pub(super) fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Begin => self.start(out),
            Event::Text(text) | Event::Refusal(text) => {
                self.begin(Open::Text, BlockOut::Text { text: "" }, out);
                self.delta(Delta::Text { text: &text }, out);
            }
            Event::Thought(_) if self.answers.hide_thinking => {}
            Event::Thought(text) => {
                self.begin(Open::Thought, BlockOut::empty_thought(), out);
                self.delta(Delta::Thinking { thinking: &text }, out);
            }
            Event::Signature(own) => {
                self.begin(Open::Thought, BlockOut::empty_thought(), out);
                self.sign(&own, out);
            }
            Event::Redacted(data) => {
                self.close(out);
                self.send(
                    &StreamEvent::ContentBlockStart {
                        index: self.index,
                        content_block: BlockOut::RedactedThinking { data: &data },
                    },
                    out,
                );
                self.send(&StreamEvent::ContentBlockStop { index: self.index }, out);
                self.index += 1;
            }
            Event::Call { id, name } => self.call(id, &name, out),
            Event::Arguments(text) => self.delta(Delta::Input { partial_json: &text }, out),
            Event::Stop(stop) => self.stop = stop,
            Event::Usage(usage) => self.usage = usage,
            Event::End => self.end(out),
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if !self.started {
            self.started = true;
            let message = Message::new(&self.id, &self.answers.model, Vec::new());
            self.send(&StreamEvent::MessageStart { message }, out);
        }
    }

    /// Opens a block, unless one of the kind is open.
    fn begin(&mut self, kind: Open, content_block: BlockOut<'_>, out: &mut Vec<u8>) {
        if self.open != kind {
            self.close(out);
            self.open = kind;
            let index = self.index;
            self.send(&StreamEvent::ContentBlockStart { index, content_block }, out);
        }
    }

    fn call(&mut self, id: Option<String>, name: &str, out: &mut Vec<u8>) {
        self.close(out);
        self.calls += 1;
        let id = id.unwrap_or_else(|| new_call_id(&self.id, self.calls));
        let known = self.answers.names.known(name);
        let block = BlockOut::ToolUse {
            id: &id,
            name: &known.name,
            input: arguments("".into()),
        };
        self.begin(Open::Call, block, out);
    }

    fn delta(&self, delta: Delta<'_>, out: &mut Vec<u8>) {
        let index = self.index;
        self.send(&StreamEvent::ContentBlockDelta { index, delta }, out);
    }

    /// Signs the open thought and ends it.
    fn sign(&mut self, own: &str, out: &mut Vec<u8>) {
        let signature = seal(self.answers.provider, own);
        self.delta(
            Delta::Signature {
                signature: &signature,
            },
            out,
        );
        self.stop_block(out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        match self.open {
            Open::Nothing => {}
            Open::Thought => self.sign("", out),
            Open::Text | Open::Call => self.stop_block(out),
        }
    }

    fn stop_block(&mut self, out: &mut Vec<u8>) {
        self.send(&StreamEvent::ContentBlockStop { index: self.index }, out);
        self.index += 1;
        self.open = Open::Nothing;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        self.close(out);
        let delta = Ended {
            stop_reason: self.stop.anthropic(),
            stop_sequence: self.stop.sequence(),
        };
        let usage = self.usage.into();
        self.send(&StreamEvent::MessageDelta { delta, usage }, out);
        self.send(&StreamEvent::MessageStop, out);
    }

    fn send(&self, event: &StreamEvent<'_>, out: &mut Vec<u8>) {
        named_frame(out, event.name(), event);
    }
}

// === shapes ===

impl<'t> Message<'t> {
    fn new(id: &str, model: &'t str, content: Vec<BlockOut<'t>>) -> Self {
        Self {
            id: format!("msg_{id}"),
            r#type: "message",
            role: "assistant",
            model,
            content,
            stop_reason: None,
            stop_sequence: None,
            usage: Usage::default().into(),
        }
    }
}

impl<'t> BlockOut<'t> {
    fn of(block: &'t Block, answer: &Answer) -> Self {
        match block {
            Block::Text(text) | Block::Refusal(text) => Self::Text { text },
            Block::Thought { text, signature } => Self::Thinking {
                thinking: text,
                signature: answer.signature(signature.as_deref()),
            },
            Block::Redacted(data) => Self::RedactedThinking { data },
            Block::Call(call) => Self::of_call(call),
        }
    }

    fn of_call(call: &'t Call) -> Self {
        Self::ToolUse {
            id: &call.id,
            name: &call.tool.name,
            input: arguments(call.arguments().into()),
        }
    }

    fn empty_thought() -> Self {
        Self::Thinking {
            thinking: "",
            signature: String::new(),
        }
    }
}

impl StreamEvent<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }
}

impl Stop {
    fn anthropic(&self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::MaxTokens => "max_tokens",
            Self::Sequence(_) => "stop_sequence",
            Self::ToolUse => "tool_use",
            Self::Refusal => "refusal",
            Self::Context => "model_context_window_exceeded",
            Self::Pause => "pause_turn",
        }
    }

    fn sequence(&self) -> Option<&str> {
        match self {
            Self::Sequence(sequence) => sequence.as_deref(),
            Self::EndTurn | Self::MaxTokens | Self::ToolUse | Self::Refusal | Self::Context | Self::Pause => {
                None
            }
        }
    }
}
