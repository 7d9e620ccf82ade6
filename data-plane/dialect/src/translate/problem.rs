//! Why something cannot be translated. Every refusal of a request names the place in the caller's body.

use penstock_core::dialect::Dialect;

use crate::inspect::InspectError;
use crate::json::Problem;

/// A word of the caller's that is repeated in a message is cut to this, bytes.
const MAX_WORD: usize = 64;

/// A request that has no equal in the provider's dialect. The caller's mistake or wish, so a 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untranslatable {
    /// The body is no JSON object.
    #[error("the body is not a JSON object: {0}")]
    NotJson(Problem),
    /// The field asks for something that the provider's dialect cannot say.
    #[error(
        "`{path}`{} cannot be carried over to a provider that speaks {provider}",
        .value.as_ref().map(|value| format!(" ({value})")).unwrap_or_default()
    )]
    Refused {
        /// Where in the caller's body, as `messages[2].content[0]`.
        path: String,
        /// What stands there, when it is a word.
        value: Option<String>,
        /// What the provider speaks.
        provider: Dialect,
    },
    /// What came of it is no request of the provider's dialect, so that the provider's overrides cannot be applied.
    #[error("its translation is no request: {0}")]
    NoRequest(InspectError),
    /// More values than are translated.
    #[error("the body has more than 300000 values, which is more than is carried over to another dialect")]
    TooMany,
    /// The field is not what the caller's own dialect says it is.
    #[error("`{path}` must be {expected}")]
    Invalid {
        /// Where in the caller's body.
        path: String,
        /// What it should have been.
        expected: &'static str,
    },
}

/// An answer that cannot be given in the caller's dialect. The provider's fault, so a 502 or an error event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is not an answer of the provider's dialect.
    #[error("the provider's answer could not be read: {0}")]
    Malformed(&'static str),
    /// Fragments of several tool calls are mixed, which no other dialect can say.
    #[error("the provider mixed the arguments of several tool calls")]
    Interleaved,
    /// More text than is kept of one answer.
    #[error("the provider's answer is too long to be translated")]
    TooMuch,
}

/// A caller's word as it may stand in a message.
pub(super) fn shown(word: &str) -> String {
    let mut end = word.len().min(MAX_WORD);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    let cut = word.get(..end).unwrap_or_default();
    cut.chars().filter(|char| !char.is_control()).collect()
}
