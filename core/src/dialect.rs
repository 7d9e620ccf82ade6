//! The client APIs that callers speak, and what can be asked in them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A client API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI chat completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// OpenAI embeddings.
    OpenaiEmbeddings,
    /// Google's Gemini API.
    Gemini,
}

/// What is asked of a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Operation {
    /// An answer: a message, a completion, vectors.
    #[default]
    Generate,
    /// How many tokens a prompt has; free.
    CountTokens,
    /// OpenAI Responses: a shorter form of a conversation.
    Compact,
}

impl Dialect {
    pub const ALL: [Self; 5] = [
        Self::Anthropic,
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::OpenaiEmbeddings,
        Self::Gemini,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::OpenaiEmbeddings => "openai-embeddings",
            Self::Gemini => "gemini",
        }
    }

    /// Into which dialects a call of this one can be translated, the best first. Only answers are translated, no other
    /// operation.
    pub fn translates_into(self) -> &'static [Self] {
        match self {
            Self::Anthropic => &[Self::OpenaiChat, Self::Gemini],
            Self::OpenaiChat => &[Self::Anthropic],
            Self::OpenaiResponses => &[Self::Anthropic, Self::OpenaiChat],
            Self::OpenaiEmbeddings | Self::Gemini => &[],
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
