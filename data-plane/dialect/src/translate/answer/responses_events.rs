//! What the events of a Responses stream are called, and where in the answer they are.

use super::Event;
use super::blocks::Block;
use super::responses_shape::{Item, Part, StreamEvent};
use crate::translate::tools::Kind;

/// What the events of a block are called. Those of parts are empty for blocks without parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) delta: &'static str,
    pub(super) done: &'static str,
    pub(super) part_added: &'static str,
    pub(super) part_done: &'static str,
}

impl Block {
    pub(super) fn names(&self) -> Names {
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
    pub(super) fn part(&self, text: &str) -> Option<Part> {
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

    pub(super) fn text_so_far(&self) -> &str {
        match self {
            Self::Text(text) | Self::Refusal(text) | Self::Thought { text, .. } => text,
            Self::Redacted(_) | Self::Call(_) => "",
        }
    }

    /// Whether the block is told only when it is whole.
    pub(super) fn told_whole(&self) -> bool {
        match self {
            Self::Call(call) => call.tool.kind != Kind::Function,
            Self::Text(_) | Self::Refusal(_) | Self::Thought { .. } | Self::Redacted(_) => false,
        }
    }
}

impl Event {
    /// The text that is told as it comes.
    pub(super) fn said(&self) -> Option<&str> {
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
    pub(super) fn at(block: &Block, item: &'t Item, index: usize) -> Self {
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
