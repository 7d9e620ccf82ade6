//! What speaks at the other end, and thereby which dialects, paths and credential headers apply.

use serde::{Deserialize, Serialize};

use crate::dialect::{Dialect, Operation};

/// What speaks at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    Anthropic,
    Openai,
    OpenaiCompatible,
    Gemini,
    AzureOpenai,
    Bedrock,
    Vertex,
    Droid,
}

impl ProviderKind {
    pub const ALL: [Self; 8] = [
        Self::Anthropic,
        Self::Openai,
        Self::OpenaiCompatible,
        Self::Gemini,
        Self::AzureOpenai,
        Self::Bedrock,
        Self::Vertex,
        Self::Droid,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Openai => "openai",
            Self::OpenaiCompatible => "openai-compatible",
            Self::Gemini => "gemini",
            Self::AzureOpenai => "azure-openai",
            Self::Bedrock => "bedrock",
            Self::Vertex => "vertex",
            Self::Droid => "droid",
        }
    }

    /// The dialects that a provider of this kind can speak at all.
    pub fn can_speak(self) -> &'static [Dialect] {
        use Dialect::{Anthropic, Gemini, OpenaiChat, OpenaiEmbeddings, OpenaiResponses};
        match self {
            Self::Anthropic | Self::Bedrock => &[Anthropic],
            Self::Openai | Self::OpenaiCompatible | Self::AzureOpenai => {
                &[OpenaiChat, OpenaiResponses, OpenaiEmbeddings]
            }
            Self::Gemini => &[Gemini],
            Self::Vertex => &[Anthropic, Gemini],
            Self::Droid => &[Anthropic, OpenaiChat, OpenaiResponses],
        }
    }

    /// The dialects that it speaks unless its configuration says otherwise: most compatible endpoints have no Responses.
    pub fn usually_speaks(self) -> &'static [Dialect] {
        match self {
            Self::OpenaiCompatible => &[Dialect::OpenaiChat, Dialect::OpenaiEmbeddings],
            Self::Anthropic
            | Self::Openai
            | Self::Gemini
            | Self::AzureOpenai
            | Self::Bedrock
            | Self::Vertex
            | Self::Droid => self.can_speak(),
        }
    }

    /// Whether it offers the operation in a dialect that it speaks.
    pub fn offers(self, operation: Operation) -> bool {
        match (operation, self) {
            (Operation::Generate, _)
            | (Operation::CountTokens, Self::Anthropic | Self::Gemini | Self::Vertex | Self::Droid)
            | (Operation::Compact, Self::Openai | Self::AzureOpenai) => true,
            (
                Operation::CountTokens,
                Self::Openai | Self::OpenaiCompatible | Self::AzureOpenai | Self::Bedrock,
            )
            | (
                Operation::Compact,
                Self::Anthropic
                | Self::OpenaiCompatible
                | Self::Gemini
                | Self::Bedrock
                | Self::Vertex
                | Self::Droid,
            ) => false,
        }
    }

    /// The platform whose prices apply, as in [`crate::price::Price::platform`].
    pub fn price_platform(self) -> &'static str {
        match self {
            Self::Anthropic | Self::Droid => "anthropic",
            Self::Openai | Self::OpenaiCompatible => "openai",
            Self::Gemini => "gemini",
            Self::AzureOpenai => "azure",
            Self::Bedrock => "bedrock",
            Self::Vertex => "vertex_ai",
        }
    }

    /// OpenAI models may be silent for minutes while they think.
    pub(super) fn silence_ms(self) -> u64 {
        match self {
            Self::Anthropic | Self::Bedrock => 60_000,
            Self::Openai
            | Self::OpenaiCompatible
            | Self::Gemini
            | Self::AzureOpenai
            | Self::Vertex
            | Self::Droid => 180_000,
        }
    }
}
