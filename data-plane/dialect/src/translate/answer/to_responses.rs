//! Events → OpenAI Responses.
//!
//! Each block is an item. A stream tells an item when it begins, its text as it comes, and the whole item when it ends;
//! the last event repeats all items. Freeform input and searches for tools are known only when their arguments are whole,
//! and are told then. The answer put together on the way is the same that a whole answer is made of.

use super::blocks::{Answer, Block, Call};
use super::responses_events::Names;
use super::responses_shape::{Item, Response, StreamEvent};
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
        self.outlet
            .close(block, &|| StreamEvent::at(block, &begun, index), out);
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

    /// The last events of what a block holds.
    fn close<'t>(&mut self, block: &'t Block, at: &dyn Fn() -> StreamEvent<'t>, out: &mut Vec<u8>) {
        let r#type = block.names().done;
        match block {
            Block::Text(text) => {
                let text = Some(text.as_str());
                self.send(
                    out,
                    StreamEvent {
                        r#type,
                        text,
                        logprobs: Some([]),
                        ..at()
                    },
                );
            }
            Block::Thought { text, .. } if !text.is_empty() => {
                let text = Some(text.as_str());
                self.send(out, StreamEvent { r#type, text, ..at() });
            }
            Block::Refusal(text) => {
                let refusal = Some(text.as_str());
                self.send(
                    out,
                    StreamEvent {
                        r#type,
                        refusal,
                        ..at()
                    },
                );
            }
            Block::Call(call) => self.close_call(call, block.names(), at, out),
            Block::Thought { .. } | Block::Redacted(_) => {}
        }
        if let Some(part) = block.part(block.text_so_far()) {
            let r#type = block.names().part_done;
            self.send(
                out,
                StreamEvent {
                    r#type,
                    part: Some(part),
                    ..at()
                },
            );
        }
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
