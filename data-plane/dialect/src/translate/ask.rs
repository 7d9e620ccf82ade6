//! A request in no dialect: what callers of all dialects can ask for, read strictly by `request::from_*` and written by
//! `request::to_*`. What only one provider's dialect can carry keeps its path, so that the others refuse it by name.

use super::Provider;
use super::effort::{Effort, Thinking};
use super::fields::{Json, Text};
use super::problem::Untranslatable;
use super::tools::{Choice, Tool};

/// One request.
#[derive(Debug, Default)]
pub(super) struct Ask<'a> {
    /// The caller's name of it, for the answer.
    pub(super) model: Option<Text<'a>>,
    pub(super) stream: bool,
    /// Instructions that stand before the conversation.
    pub(super) system: Vec<Text<'a>>,
    pub(super) turns: Vec<Turn<'a>>,
    pub(super) tools: Vec<Tool<'a>>,
    pub(super) choice: Option<Choice>,
    /// At most one tool call in an answer, and where that is said.
    pub(super) one_call: Option<String>,
    pub(super) max_tokens: Option<u64>,
    pub(super) temperature: Option<Json<'a>>,
    pub(super) top_p: Option<Json<'a>>,
    pub(super) top_k: Option<Json<'a>>,
    pub(super) stop: Vec<Text<'a>>,
    pub(super) thinking: Thinking,
    pub(super) effort: Option<Effort>,
    pub(super) format: Option<Format<'a>>,
    /// How long answers should be, in OpenAI's words.
    pub(super) verbosity: Option<Text<'a>>,
    /// The caller wants the beginning of the conversation to be cached.
    pub(super) cache: bool,
    /// A chat caller wants usage at the end of a stream.
    pub(super) include_usage: bool,
}

/// What one side said.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) path: String,
    pub(super) role: Role,
    pub(super) parts: Vec<Part<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Instructions in the middle of a conversation.
    System,
    User,
    Assistant,
}

#[derive(Debug)]
pub(super) enum Part<'a> {
    Text(Text<'a>),
    Image(Media<'a>),
    /// A PDF or another document.
    File(Media<'a>),
    /// Thinking, and what its maker signed it with.
    Thought {
        text: Text<'a>,
        signature: Text<'a>,
    },
    /// Thinking that only its maker can read.
    Redacted(Text<'a>),
    Call {
        id: Text<'a>,
        /// As the provider knows the tool.
        name: String,
        /// An object.
        input: Json<'a>,
    },
    Result {
        id: Text<'a>,
        content: Vec<Part<'a>>,
        failed: bool,
    },
}

#[derive(Debug)]
pub(super) struct Media<'a> {
    pub(super) path: String,
    pub(super) source: Source<'a>,
    /// A file's name.
    pub(super) name: Option<Text<'a>>,
    /// How closely an image is looked at, in OpenAI's words.
    pub(super) detail: Option<Text<'a>>,
}

#[derive(Debug)]
pub(super) enum Source<'a> {
    Base64 { mime: Text<'a>, data: Text<'a> },
    Url(Text<'a>),
}

/// The answer must be JSON.
#[derive(Debug)]
pub(super) enum Format<'a> {
    Schema {
        name: Option<Text<'a>>,
        schema: Json<'a>,
        strict: Option<bool>,
    },
    /// Any JSON object, and where that is said.
    Object { path: String },
}

impl<'a> Media<'a> {
    pub(super) fn refuse(&self, what: &str, provider: Provider) -> Untranslatable {
        Untranslatable::Refused {
            path: self.path.clone(),
            value: Some(what.to_owned()),
            provider: provider.into(),
        }
    }

    /// The source of a URL, which may be a `data:` URL.
    pub(super) fn source_of(url: Text<'a>) -> Source<'a> {
        let parts = url
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"));
        match parts {
            Some((mime, data)) => Source::Base64 {
                mime: mime.to_owned().into(),
                data: data.to_owned().into(),
            },
            None => Source::Url(url),
        }
    }
}

impl Source<'_> {
    /// As one URL, a `data:` URL when the bytes are here.
    pub(super) fn to_url(&self) -> String {
        match self {
            Self::Base64 { mime, data } => format!("data:{mime};base64,{data}"),
            Self::Url(url) => url.clone().into_owned(),
        }
    }
}
