//! The most that a call can use, read from its body; for callers with a strict budget only.
//!
//! A strict budget lets a call in only when all that it could cost still fits, so what is read here must never be too
//! low; where the body leaves it open the higher value is taken, and where there is none the call is [`Unbounded`].
//! It is a pass of its own over the whole body, in linear time, that other callers do not pay for. The body was
//! inspected before, but nothing relies on that.
//!
//! ## Rules
//! - **Input**: a byte is at most one token; the vendor's own words around tools and system prompts are under
//!   [`OVERHEAD`], an image or document under [`BLOCK`] beside its bytes. Blocks count wherever they stand, except in
//!   what models read as text: tools' schemas and the arguments of earlier tool calls.
//! - **Content that is named and not carried** (file ids, URLs, earlier answers and audio by their id) counts as the
//!   model's context window.
//! - **Server tools** run inside the call: their results are input that the body does not carry, read again in each
//!   round. Web search and fetch (and code execution, if it takes one) need a `max_uses`, which bounds the rounds;
//!   whatever else the provider runs (other server tools, MCP servers, OpenAI's `web_search_options`) has no bound.
//! - **Output**: n × the largest `max_tokens` in any spelling, in each round; absent or unreadable, the model's
//!   maximum. Predicted output is billed even where it is rejected and does not show, so it has no bound. Compaction
//!   by the provider is another answer of unknown length.
//! - **Hidden** output cannot be counted while it streams. Anthropic shows thinking summarised at best: hidden when
//!   `thinking` or an effort is asked. OpenAI shows no reasoning, and which models reason without being asked the body
//!   does not say: hidden unless `reasoning_effort` is `none`.
//! - **Tiers**: absent and `auto` leave the tier to the provider's account, so the dearest counts (`batch` never: it
//!   is not served in a call). A tier that was asked may still fall back to standard.
//! - **Factors**: Anthropic's answers name where they were made, and a speed when one was asked.
//!
//! - **Gemini** has rules of its own in `gemini`: the same, by its own names.
//! - **Embeddings** have no output.
//!
//! A key that stands twice counts as both of its values.

mod content;
mod fields;
mod gemini;

use penstock_core::cost::bound::Triggers;
use penstock_core::dialect::Dialect;

use crate::json::{Fault, Problem};
use content::Content;
use fields::Fields;

/// What the vendor puts around a prompt, tokens.
pub const OVERHEAD: u64 = 2_000;
/// An image or document beside its bytes, tokens.
pub const BLOCK: u64 = 5_000;

/// The most that one call can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Of what the body carries.
    pub input_tokens: u64,
    /// The body names content that it does not carry: the prompt may fill the model's context window.
    pub context_window: bool,
    /// How often the prompt may be read and an answer written: once, and once for each use of a server tool.
    pub rounds: u64,
    /// What may be answered.
    pub output: Output,
    /// Output cannot be counted while it streams.
    pub hidden: bool,
    /// Web searches that may be billed.
    pub searches: u64,
    /// What may raise the price.
    pub triggers: Triggers,
}

/// The most that one round can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// None: the body does not say.
    pub max_tokens: Option<u64>,
    /// Answers beside each other, at least 1.
    pub n: u64,
}

/// Why a call has no bound. The text is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The budget of this API key is strict, and this call has no bound: {what}.")]
pub struct Unbounded {
    /// What cannot be bounded.
    pub what: What,
}

/// See [`Unbounded`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// A server tool that takes a `max_uses` has none, or one that is no whole number.
    #[error("the tool {0:?} needs a max_uses")]
    ToolUses(String),
    /// Something that the provider runs.
    #[error("what the provider does for the tool {0:?} is not known")]
    Tool(String),
    /// Anthropic's `mcp_servers`.
    #[error("mcp_servers answer as much as they want")]
    McpServers,
    /// OpenAI's `web_search_options`.
    #[error("web_search_options has no limit of searches")]
    WebSearchOptions,
    /// OpenAI's `prediction`.
    #[error("a prediction is billed where it is rejected")]
    Prediction,
    /// Anthropic's `context_management` with an edit that writes an answer.
    #[error("a compaction by the provider is an answer of unknown length")]
    Compaction,
    /// `n` is no whole number.
    #[error("n must be a whole number")]
    Choices,
    /// No `max_tokens`, and the price list does not know the model's maximum.
    #[error("name max_tokens, since the most that this model answers is not known here")]
    Output,
    /// Content that is not carried, and the price list does not know the context window.
    #[error(
        "send content itself instead of its URL or id, since the context window of this model is not known here"
    )]
    ContextWindow,
    /// Not JSON.
    #[error("{0}")]
    Body(Problem),
}

/// Reads the most that a call with this body can use.
pub fn bound(dialect: Dialect, body: &[u8]) -> Result<Bound, Unbounded> {
    let openai = match dialect {
        Dialect::Gemini => return gemini::bound(body),
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => true,
        Dialect::Anthropic => false,
    };
    let embeds = dialect == Dialect::OpenaiEmbeddings;
    let fields = Fields::read(body)?;
    let content = Content::read(body)?;
    let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
    Ok(Bound {
        input_tokens: bytes
            .saturating_add(OVERHEAD)
            .saturating_add(content.blocks.saturating_mul(BLOCK)),
        context_window: content.named || fields.earlier || content.uses > 0,
        rounds: content.uses.saturating_add(1),
        output: Output {
            max_tokens: if embeds { Some(0) } else { fields.max_tokens() },
            n: fields.n.max(1),
        },
        hidden: !embeds && (fields.thinking || content.effort || (openai && !fields.reasoning.is_off())),
        searches: content.uses,
        triggers: match openai {
            true => fields.tier.openai(),
            false => Triggers {
                speed: fields.speed,
                geography: true,
                ..fields.tier.anthropic()
            },
        },
    })
}

impl Bound {
    /// All input tokens of the call, which is also what thresholds of prices are compared with. `context_window` is
    /// the model's, if it is known.
    pub fn input(&self, context_window: Option<u64>) -> Result<u64, Unbounded> {
        let one = match (self.context_window, context_window) {
            (false, _) => self.input_tokens,
            (true, Some(window)) => self.input_tokens.max(window),
            (true, None) => return Err(What::ContextWindow.into()),
        };
        Ok(one.saturating_mul(self.rounds))
    }

    /// All output tokens of the call. `max_output` is the model's maximum, if it is known.
    pub fn output(&self, max_output: Option<u64>) -> Result<u64, Unbounded> {
        let one = self.output.max_tokens.or(max_output);
        let one = one.ok_or_else(|| Unbounded::from(What::Output))?;
        Ok(one.saturating_mul(self.output.n).saturating_mul(self.rounds))
    }
}

impl From<What> for Unbounded {
    fn from(what: What) -> Self {
        Self { what }
    }
}

impl From<Fault> for Unbounded {
    fn from(fault: Fault) -> Self {
        What::Body(fault.problem).into()
    }
}
