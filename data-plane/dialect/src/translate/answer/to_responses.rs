//! Events → OpenAI Responses.
//!
//! Each block is an item. A stream tells an item when it begins, its text as it comes, and the whole item when it ends;
//! the last event repeats all items. Freeform input and searches for tools are known only when their arguments are whole,
//! and are told then. The answer put together on the way is the same that a whole answer is made of.

use super::blocks::{Answer, Block, Call};
use super::responses_shape::{Item, Part, Response, StreamEvent};
use super::{Event, named_frame};
use crate::translate::Answers;
use crate::translate::tools::Kind;

#[derive(Debug)]
pub(super) struct Writer {
    answers: Answers,
    answer: Answer,
    calls: usize,
    /// The item that the last block of the answer is becoming, as it was told at its beginning.
    open: Option<Item>,
    /// The items that have ended.
    items: Vec<Item>,
    started: bool,
    outlet: Outlet,
}

/// Numbers events.
#[derive(Debug, Default)]
struct Outlet {
    sequence: u64,
}

pub(super) fn whole(answer: &Answer) -> Vec<u8> {
    let blocks = answer.blocks.iter().enumerate();
    let items: Vec<Item> = blocks
        .map(|(number, block)| Item::of(block, answer, number))
        .collect();
    serde_json::to_vec(&Response::ended(answer, &items)).unwrap_or_default()
}

impl Writer {
    pub(super) fn new(answers: &Answers, id: &str) -> Self {
        Self {
            answers: answers.clone(),
            answer: Answer::empty(answers, id),
            calls: 0,
            open: None,
            items: Vec::new(),
            started: false,
            outlet: Outlet::default(),
        }
    }

    pub(super) fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if !self.continues(&event) {
            self.close(out);
        }
        self.calls += usize::from(matches!(event, Event::Call { .. }));
        let (begins, ends) = (event == Event::Begin, event == Event::End);
        let said = event.said().map(str::to_owned);
        let blocks = self.answer.blocks.len();
        self.answer.add(&self.answers, event, self.calls);
        if begins || ends {
            self.start(out);
        }
        if self.answer.blocks.len() > blocks {
            self.added(out);
        }
        if let Some(said) = said {
            self.delta(&said, out);
        }
        if ends {
            self.end(out);
        }
    }

    /// Whether what is open stays open: the event is more of it, or no content.
    fn continues(&self, event: &Event) -> bool {
        match (event, self.answer.blocks.last()) {
            (Event::Begin | Event::Stop(_) | Event::Usage(_), _)
            | (Event::Text(_), Some(Block::Text(_)))
            | (Event::Refusal(_), Some(Block::Refusal(_)))
            | (Event::Thought(_) | Event::Signature(_), Some(Block::Thought { signature: None, .. }))
            | (Event::Arguments(_), Some(Block::Call(_))) => true,
            (
                Event::Text(_)
                | Event::Refusal(_)
                | Event::Thought(_)
                | Event::Signature(_)
                | Event::Redacted(_)
                | Event::Call { .. }
                | Event::Arguments(_)
                | Event::End,
                _,
            ) => false,
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        for r#type in ["response.created", "response.in_progress"] {
            let response = Response::begun(&self.answer.id, &self.answer.model);
            self.outlet.send(
                out,
                StreamEvent {
                    r#type,
                    response: Some(response),
                    ..StreamEvent::default()
                },
            );
        }
    }

    /// Tells that the newest block has begun.
    fn added(&mut self, out: &mut Vec<u8>) {
        let Some(block) = self.answer.blocks.last() else {
            return;
        };
        let index = self.items.len();
        let item = Item::of(block, &self.answer, index).begun();
        self.outlet.send(
            out,
            StreamEvent {
                r#type: "response.output_item.added",
                output_index: Some(index),
                item: Some(&item),
                ..StreamEvent::default()
            },
        );
        if let Some(part) = block.part("") {
            self.outlet.send(
                out,
                StreamEvent {
                    r#type: block.names().part_added,
                    part: Some(part),
                    ..StreamEvent::at(block, &item, index)
                },
            );
        }
        self.open = Some(item);
    }

    fn delta(&mut self, said: &str, out: &mut Vec<u8>) {
        let (Some(block), Some(item)) = (self.answer.blocks.last(), &self.open) else {
            return;
        };
        if block.told_whole() {
            return;
        }
        self.outlet.send(
            out,
            StreamEvent {
                r#type: block.names().delta,
                delta: Some(said),
                ..StreamEvent::at(block, item, self.items.len())
            },
        );
    }

    /// Tells the whole of what is open, and that it has ended.
    fn close(&mut self, out: &mut Vec<u8>) {
        let (Some(block), Some(begun)) = (self.answer.blocks.last(), self.open.take()) else {
            return;
        };
        let index = self.items.len();
        let at = || StreamEvent::at(block, &begun, index);
        let names = block.names();
        match block {
            Block::Text(text) => {
                let text = Some(text.as_str());
                self.outlet.send(
                    out,
                    StreamEvent {
                        r#type: names.done,
                        text,
                        logprobs: Some([]),
                        ..at()
                    },
                );
            }
            Block::Thought { text, .. } if !text.is_empty() => {
                let text = Some(text.as_str());
                self.outlet.send(
                    out,
                    StreamEvent {
                        r#type: names.done,
                        text,
                        ..at()
                    },
                );
            }
            Block::Refusal(text) => {
                let refusal = Some(text.as_str());
                self.outlet.send(
                    out,
                    StreamEvent {
                        r#type: names.done,
                        refusal,
                        ..at()
                    },
                );
            }
            Block::Call(call) => self.outlet.close_call(call, names, &at, out),
            Block::Thought { .. } | Block::Redacted(_) => {}
        }
        if let Some(part) = block.part(block.text_so_far()) {
            self.outlet.send(
                out,
                StreamEvent {
                    r#type: names.part_done,
                    part: Some(part),
                    ..at()
                },
            );
        }
        let item = Item::of(block, &self.answer, index);
        self.outlet.send(
            out,
            StreamEvent {
                r#type: "response.output_item.done",
                output_index: Some(index),
                item: Some(&item),
                ..StreamEvent::default()
            },
        );
        self.items.push(item);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let response = Response::ended(&self.answer, &self.items);
        let r#type = match response.status {
            "incomplete" => "response.incomplete",
            _ => "response.completed",
        };
        self.outlet.send(
            out,
            StreamEvent {
                r#type,
                response: Some(response),
                ..StreamEvent::default()
            },
        );
    }
}

impl Outlet {
    fn send(&mut self, out: &mut Vec<u8>, event: StreamEvent<'_>) {
        let event = StreamEvent {
            sequence_number: self.sequence,
            ..event
        };
        named_frame(out, event.r#type, &event);
        self.sequence += 1;
    }

    fn close_call<'t>(
        &mut self,
        call: &'t Call,
        names: Names,
        at: &dyn Fn() -> StreamEvent<'t>,
        out: &mut Vec<u8>,
    ) {
        let whole = call.input();
        match call.tool.kind {
            Kind::Function => {
                if call.arguments.is_empty() {
                    let delta = Some("{}");
                    self.send(
                        out,
                        StreamEvent {
                            r#type: names.delta,
                            delta,
                            ..at()
                        },
                    );
                }
                let (name, arguments) = (Some(call.tool.name.as_str()), Some(whole.as_str()));
                self.send(
                    out,
                    StreamEvent {
                        r#type: names.done,
                        name,
                        arguments,
                        ..at()
                    },
                );
            }
            Kind::Custom => {
                let (delta, input) = (Some(whole.as_str()), Some(whole.as_str()));
                self.send(
                    out,
                    StreamEvent {
                        r#type: names.delta,
                        delta,
                        ..at()
                    },
                );
                self.send(
                    out,
                    StreamEvent {
                        r#type: names.done,
                        input,
                        ..at()
                    },
                );
            }
            Kind::Search => {}
        }
    }
}

/// What the events of a block are called. Those of parts are empty for blocks without parts.
#[derive(Clone, Copy, Debug)]
struct Names {
    delta: &'static str,
    done: &'static str,
    part_added: &'static str,
    part_done: &'static str,
}

impl Block {
    fn names(&self) -> Names {
        let content = |delta, done| Names {
            delta,
            done,
            part_added: "response.content_part.added",
            part_done: "response.content_part.done",
        };
        let call = |delta, done| Names {
            delta,
            done,
            part_added: "",
            part_done: "",
        };
        match self {
            Self::Text(_) => content("response.output_text.delta", "response.output_text.done"),
            Self::Refusal(_) => content("response.refusal.delta", "response.refusal.done"),
            Self::Thought { .. } | Self::Redacted(_) => Names {
                delta: "response.reasoning_summary_text.delta",
                done: "response.reasoning_summary_text.done",
                part_added: "response.reasoning_summary_part.added",
                part_done: "response.reasoning_summary_part.done",
            },
            Self::Call(one) => match one.tool.kind {
                Kind::Custom => call(
                    "response.custom_tool_call_input.delta",
                    "response.custom_tool_call_input.done",
                ),
                Kind::Function | Kind::Search => call(
                    "response.function_call_arguments.delta",
                    "response.function_call_arguments.done",
                ),
            },
        }
    }

    /// The part that holds the block's text. A thought without text has none.
    fn part(&self, text: &str) -> Option<Part> {
        match self {
            Self::Text(_) => Some(Part::text(text)),
            Self::Refusal(_) => Some(Part::Refusal {
                refusal: text.to_owned(),
            }),
            Self::Thought { text: own, .. } if !own.is_empty() => Some(Part::SummaryText {
                text: text.to_owned(),
            }),
            Self::Thought { .. } | Self::Redacted(_) | Self::Call(_) => None,
        }
    }

    fn text_so_far(&self) -> &str {
        match self {
            Self::Text(text) | Self::Refusal(text) | Self::Thought { text, .. } => text,
            Self::Redacted(_) | Self::Call(_) => "",
        }
    }

    /// Whether the block is told only when it is whole.
    fn told_whole(&self) -> bool {
        match self {
            Self::Call(call) => call.tool.kind != Kind::Function,
            Self::Text(_) | Self::Refusal(_) | Self::Thought { .. } | Self::Redacted(_) => false,
        }
    }
}

impl Event {
    /// The text that is told as it comes.
    fn said(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Refusal(text) | Self::Thought(text) | Self::Arguments(text) => {
                Some(text)
            }
            Self::Begin
            | Self::Signature(_)
            | Self::Redacted(_)
            | Self::Call { .. }
            | Self::Stop(_)
            | Self::Usage(_)
            | Self::End => None,
        }
    }
}

impl<'t> StreamEvent<'t> {
    /// An event about a block.
    fn at(block: &Block, item: &'t Item, index: usize) -> Self {
        let thought = matches!(block, Block::Thought { .. } | Block::Redacted(_));
        let content = matches!(block, Block::Text(_) | Block::Refusal(_));
        Self {
            output_index: Some(index),
            item_id: Some(item.id()),
            content_index: content.then_some(0),
            summary_index: thought.then_some(0),
            ..Self::default()
        }
    }
}
