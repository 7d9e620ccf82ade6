//! A whole answer, put together from its events.

use super::{Event, Stop, Usage};
use crate::translate::seal::{seal, seal_redacted};
use crate::translate::tools::{Kind, Known, freeform_text};
use crate::translate::{Answers, Provider};

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) id: String,
    pub(super) model: String,
    provider: Provider,
    pub(super) blocks: Vec<Block>,
    pub(super) stop: Stop,
    pub(super) usage: Usage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Text(String),
    Refusal(String),
    /// `signature` is sealed.
    Thought {
        text: String,
        signature: Option<String>,
    },
    /// Sealed.
    Redacted(String),
    Call(Call),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) tool: Known,
    /// As the provider's model wrote them.
    pub(super) arguments: String,
}

impl Answer {
    /// An answer of which nothing is known yet.
    pub(super) fn empty(answers: &Answers, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            model: answers.model.clone(),
            provider: answers.provider,
            blocks: Vec::new(),
            stop: Stop::EndTurn,
            usage: Usage::default(),
        }
    }

    pub(super) fn collect(answers: &Answers, events: Vec<Event>, id: &str) -> Self {
        let mut answer = Self::empty(answers, id);
        let mut calls = 0;
        for event in events {
            calls += usize::from(matches!(event, Event::Call { .. }));
            answer.add(answers, event, calls);
        }
        answer
    }

    pub(super) fn add(&mut self, answers: &Answers, event: Event, calls: usize) {
        match event {
            Event::Text(text) => match self.blocks.last_mut() {
                Some(Block::Text(said)) => said.push_str(&text),
                _ => self.blocks.push(Block::Text(text)),
            },
            Event::Refusal(text) => match self.blocks.last_mut() {
                Some(Block::Refusal(said)) => said.push_str(&text),
                _ => self.blocks.push(Block::Refusal(text)),
            },
            Event::Thought(_) if answers.hide_thinking => {}
            Event::Thought(text) => match self.blocks.last_mut() {
                Some(Block::Thought {
                    text: said,
                    signature: None,
                }) => said.push_str(&text),
                _ => self.blocks.push(Block::Thought {
                    text,
                    signature: None,
                }),
            },
            Event::Signature(own) => {
                let sealed = Some(seal(answers.provider, &own));
                match self.blocks.last_mut() {
                    Some(Block::Thought {
                        signature: signature @ None,
                        ..
                    }) => *signature = sealed,
                    _ => self.blocks.push(Block::Thought {
                        text: String::new(),
                        signature: sealed,
                    }),
                }
            }
            Event::Redacted(data) => self
                .blocks
                .push(Block::Redacted(seal_redacted(answers.provider, &data))),
            Event::Call { id, name } => self.blocks.push(Block::Call(Call {
                id: id.unwrap_or_else(|| new_call_id(&self.id, calls)),
                tool: answers.names.known(&name),
                arguments: String::new(),
            })),
            Event::Arguments(text) => {
                if let Some(Block::Call(call)) = self.blocks.last_mut() {
                    call.arguments.push_str(&text);
                }
            }
            Event::Stop(stop) => self.stop = stop,
            Event::Usage(usage) => self.usage = usage,
            Event::Begin | Event::End => {}
        }
    }

    /// A thought's signature as the caller is given it. One that came without has an empty one, so that it goes back.
    pub(super) fn signature(&self, signature: Option<&str>) -> String {
        signature.map_or_else(|| seal(self.provider, ""), str::to_owned)
    }

    /// The texts of one kind of blocks, joined; None when there is none.
    pub(super) fn joined<'b>(&'b self, of: impl Fn(&'b Block) -> Option<&'b str>) -> Option<String> {
        let texts: Vec<&str> = self.blocks.iter().filter_map(of).collect();
        (!texts.is_empty()).then(|| texts.concat())
    }
}

impl Call {
    /// The arguments as a caller wants them: no text at all means none.
    pub(super) fn arguments(&self) -> &str {
        match self.arguments.as_str() {
            "" => "{}",
            arguments => arguments,
        }
    }

    /// What a freeform tool is given, or a function's arguments.
    pub(super) fn input(&self) -> String {
        match self.tool.kind {
            Kind::Custom => freeform_text(&self.arguments),
            Kind::Function | Kind::Search => self.arguments().to_owned(),
        }
    }
}

/// The id of a call to which the provider gave none.
pub(super) fn new_call_id(id: &str, number: usize) -> String {
    format!("call_{id}_{number}")
}
