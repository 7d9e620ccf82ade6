//! Translation where a caller's dialect and a provider's differ.
//!
//! A request is read strictly out of the caller's dialect into an [`Ask`](ask::Ask) and written in the provider's; an
//! answer is read leniently into a sequence of events ([`answer`]), whole or in a stream, and written in the
//! caller's. So each dialect has one reader and one writer, and a whole answer and a stream cannot say different things.
//!
//! | rule | where |
//! |---|---|
//! | what has no equal is refused with its path, never dropped | [`fields`] |
//! | what is left out without harm, and why | [`dropped`] |
//! | how much memory a translation takes | [`weight`] |
//! | tools under names that the provider takes, and back | [`tools`] |
//! | thinking goes back only to who made it | [`seal`] |
//! | unknown events and fields of answers are skipped | [`answer`] |
//!
//! Nothing here knows models, with one exception: which Claude models think by budgets ([`effort`]).
//! Errors, as bodies or inside a stream, are not translated here: they are read by `upstream_error` and told by
//! `error_shape`.

mod answer;
mod ask;
pub mod dropped;
mod effort;
mod fields;
mod problem;
mod request;
mod seal;
mod tools;
mod weight;

use penstock_core::dialect::Dialect;

pub use answer::StreamTranslator;
pub use problem::{Broken, Untranslatable};
pub use weight::memory;

use tools::Names;

/// A dialect that callers may speak here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Anthropic,
    Chat,
    Responses,
}

/// A dialect that providers may speak here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    Anthropic,
    Chat,
    Gemini,
}

/// A pair of dialects between which requests and answers are translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    caller: Caller,
    provider: Provider,
    openai: bool,
}

/// A request in the provider's dialect.
#[derive(Debug)]
pub struct TranslatedRequest {
    /// The body. For Gemini the model and whether the answer streams are not in it but in the path.
    pub body: Vec<u8>,
    /// Whether the caller wants a stream.
    pub stream: bool,
    /// What the answer's translation needs to know.
    pub answers: Answers,
}

/// Translates the answer to one request.
#[derive(Clone, Debug)]
pub struct Answers {
    caller: Caller,
    provider: Provider,
    /// What the caller asked for. That is what it is told, whichever model answered: Claude Code gives thinking back only
    /// when the answer's model is the one that it asked. The ledger has the model that served.
    model: String,
    names: Names,
    /// A chat stream ends with the usage.
    include_usage: bool,
    /// The caller does not want to read thinking.
    hide_thinking: bool,
}

/// The translation between the two; None when there is none.
pub fn between(caller: Dialect, provider: Dialect) -> Option<Translation> {
    let (caller, provider) = match (caller, provider) {
        (Dialect::Anthropic, Dialect::OpenaiChat) => (Caller::Anthropic, Provider::Chat),
        (Dialect::Anthropic, Dialect::Gemini) => (Caller::Anthropic, Provider::Gemini),
        (Dialect::OpenaiChat, Dialect::Anthropic) => (Caller::Chat, Provider::Anthropic),
        (Dialect::OpenaiResponses, Dialect::Anthropic) => (Caller::Responses, Provider::Anthropic),
        (Dialect::OpenaiResponses, Dialect::OpenaiChat) => (Caller::Responses, Provider::Chat),
        (
            Dialect::Anthropic
            | Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::OpenaiEmbeddings
            | Dialect::Gemini,
            _,
        ) => return None,
    };
    Some(Translation {
        caller,
        provider,
        openai: false,
    })
}

impl Translation {
    /// Says that a chat provider is OpenAI itself (or Azure), which wants newer names (`max_completion_tokens`) and
    /// refuses fields of others (`reasoning_content`).
    pub fn with_openai(self, openai: bool) -> Self {
        Self { openai, ..self }
    }

    /// The request in the provider's dialect. `model` is what the provider is asked for.
    pub fn request(&self, body: &[u8], model: &str) -> Result<TranslatedRequest, Untranslatable> {
        request::translate(*self, body, model)
    }
}

impl Answers {
    /// A whole answer in the caller's dialect. `id` is a new id, letters and digits; the caller's dialect puts its
    /// prefix before it. A UUIDv7 also tells the time, where the dialect has one.
    pub fn whole(&self, body: &[u8], id: &str) -> Result<Vec<u8>, Broken> {
        answer::whole(self, body, id)
    }

    /// A translator for one stream.
    pub fn stream(&self, id: &str) -> StreamTranslator {
        StreamTranslator::new(self, id)
    }
}

impl From<Provider> for Dialect {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Anthropic => Self::Anthropic,
            Provider::Chat => Self::OpenaiChat,
            Provider::Gemini => Self::Gemini,
        }
    }
}
