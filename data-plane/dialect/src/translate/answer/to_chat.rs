//! Events → OpenAI chat completions.
//!
//! Thinking is `reasoning_content`, as compatible providers have it; signatures have no place. A stream ends with the
//! finish reason, then the usage if the caller asked for it, then `[DONE]`.

use super::blocks::{Answer, Block, Call, new_call_id};
use super::chat_shape::{CallOut, Choice, Completion, Message, Said};
use super::{Event, Stop, Usage, created, frame};
use crate::translate::Answers;
use crate::translate::tools::Kind;

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
