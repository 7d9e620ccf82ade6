//! What a request's body asks, read in one pass.
//!
//! Only the fields that Penstock acts on are read; everything else is the provider's business and is forwarded as
//! the bytes it came in. The whole body must be JSON, and the whole of it is looked at, so that the gateway and the
//! provider cannot read different requests: a field acted on that stands twice is refused, also when one of the two
//! is written with escapes (`"mod\u0065l"`).
//!
//! A field of a wrong type is refused where Penstock must understand it (`model`, `stream`) and left to the provider
//! elsewhere. Text that is skipped is not checked for UTF-8.

mod fields;

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_core::model::MAX_NAME;

use crate::json::{Fault, Problem};
use crate::route::InPath;
use fields::Fields;

/// A longer `metadata.user_id` or `prompt_cache_key` counts as absent, bytes.
pub const MAX_IDENTITY: usize = 1024;

/// What one body asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// 1 to [`MAX_NAME`] bytes without control characters.
    pub model: String,
    /// Where the value of `model` stands in the body, quotes included. None: the path says it.
    pub model_at: Option<Range<usize>>,
    /// Whether the answer shall be a stream. Absent and null mean no.
    pub stream: bool,
    /// The largest of `max_tokens`, `max_completion_tokens` and `max_output_tokens`; Gemini's
    /// `generationConfig.maxOutputTokens`.
    pub max_output: Option<u64>,
    /// `stream_options.include_usage`.
    pub usage_chunk: UsageChunk,
    /// Anthropic's `metadata.user_id`.
    pub user_id: Option<String>,
    /// OpenAI's `prompt_cache_key`.
    pub prompt_cache_key: Option<String>,
    /// The number of `messages` (`input`, `contents`); 0 when they are no array. An `input` that is text counts 1.
    pub messages: usize,
    /// The number of `tools`; 0 when they are no array.
    pub tools: usize,
}

/// Whether the caller of a chat stream gets the chunk with the usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageChunk {
    /// `include_usage` is true.
    Asked,
    /// It is not, and this edit would make it so, also where `stream_options` is not what it should be.
    Addable(Splice),
    /// The endpoint has no such option: its streams always say the usage.
    NotOffered,
}

/// An edit of a body: the bytes of `at` are replaced by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// What goes; empty for an insertion.
    pub at: Range<usize>,
    /// What comes.
    pub text: &'static str,
}

/// A place in a body: byte from 0, line and column (in bytes) from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub byte: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
}

/// Why a body cannot be accepted. The text is for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Nothing was sent.
    #[error("The request has no body: send a JSON object.")]
    Empty,
    /// Not JSON, or not an object.
    #[error("The body is not valid JSON at {at}: {problem}.")]
    Syntax {
        /// What is wrong.
        problem: Problem,
        /// Where.
        at: Position,
    },
    /// The provider might read another one of the two than Penstock.
    #[error("The body has the key {key:?} twice, the second time at {at}: send it once.")]
    DoubledKey {
        /// The key, unescaped.
        key: &'static str,
        /// Of the second.
        at: Position,
    },
    /// Absent or empty.
    #[error("The body has no \"model\": name one, as a string.")]
    ModelMissing,
    /// Not a string, or a string that cannot be a name.
    #[error("\"model\" at {at} must be a string of 1 to {MAX_NAME} bytes without control characters.")]
    ModelInvalid {
        /// Of the value.
        at: Position,
    },
    /// OpenAI's `background`: the answer is fetched later, and nobody would see what it used.
    #[error("\"background\" at {at} cannot be metered: leave it out.")]
    Background {
        /// Of the value.
        at: Position,
    },
    /// Neither true, false nor null.
    #[error("\"stream\" at {at} must be true or false.")]
    StreamInvalid {
        /// Of the value.
        at: Position,
    },
}

/// Reads the body of a request in this dialect. `in_path` is what its path says already.
pub fn inspect(dialect: Dialect, in_path: Option<&InPath>, body: &Bytes) -> Result<Inspected, InspectError> {
    if body.is_empty() {
        return Err(InspectError::Empty);
    }
    Fields::read(dialect, body)?.into_inspected(in_path, body)
}

impl Position {
    /// The place of a byte.
    pub(crate) fn of(body: &[u8], byte: usize) -> Self {
        let before = body.get(..byte).unwrap_or(body);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        Self {
            byte: before.len(),
            line: 1 + memchr::memchr_iter(b'\n', before).count(),
            column: before.len() - line_start + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} column {} (byte {})",
            self.line, self.column, self.byte
        )
    }
}

impl InspectError {
    fn syntax(body: &[u8], fault: Fault) -> Self {
        Self::Syntax {
            problem: fault.problem,
            at: Position::of(body, fault.at),
        }
    }
}
