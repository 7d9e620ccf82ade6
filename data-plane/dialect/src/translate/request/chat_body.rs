//! The shape of a chat completions request.

use serde::Serialize;
use serde::ser::Serializer;

use crate::translate::fields::{Json, Text};

#[derive(Serialize)]
pub(super) struct Body<'t> {
    pub(super) model: &'t str,
    pub(super) messages: Vec<Message<'t>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Wrapped<Function<'t>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<&'t Json<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<&'t Json<'t>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) stop: &'t [Text<'t>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verbosity: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<ResponseFormat<'t>>,
    pub(super) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

#[derive(Default, Serialize)]
pub(super) struct Message<'t> {
    pub(super) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Content<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<Call<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<&'t str>,
}

/// One text alone is a string, which every provider takes.
pub(super) enum Content<'t> {
    Text(String),
    Parts(Vec<Piece<'t>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Piece<'t> {
    Text { text: &'t str },
    ImageUrl { image_url: ImageUrl<'t> },
    File { file: File<'t> },
}

#[derive(Serialize)]
pub(super) struct ImageUrl<'t> {
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<&'t str>,
}

#[derive(Serialize)]
pub(super) struct File<'t> {
    pub(super) filename: &'t str,
    pub(super) file_data: String,
}

#[derive(Serialize)]
pub(super) struct Call<'t> {
    pub(super) id: &'t str,
    pub(super) r#type: &'static str,
    pub(super) function: CallFunction<'t>,
}

#[derive(Serialize)]
pub(super) struct CallFunction<'t> {
    pub(super) name: &'t str,
    pub(super) arguments: &'t str,
}

/// `{"type":"function","function":…}`.
#[derive(Serialize)]
pub(super) struct Wrapped<T> {
    pub(super) r#type: &'static str,
    pub(super) function: T,
}

#[derive(Serialize)]
pub(super) struct Function<'t> {
    pub(super) name: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Json<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ToolChoice<'t> {
    Word(&'static str),
    One(Wrapped<Named<'t>>),
}

#[derive(Serialize)]
pub(super) struct Named<'t> {
    pub(super) name: &'t str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ResponseFormat<'t> {
    JsonObject,
    JsonSchema { json_schema: Schema<'t> },
}

#[derive(Serialize)]
pub(super) struct Schema<'t> {
    pub(super) name: &'t str,
    pub(super) schema: &'t Json<'t>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

impl<'t> Content<'t> {
    pub(super) fn of(pieces: Vec<Piece<'t>>) -> Self {
        match pieces.as_slice() {
            [Piece::Text { text }] => Self::Text((*text).to_owned()),
            _ => Self::Parts(pieces),
        }
    }

    /// The same for sides where not every provider takes a list: texts are joined.
    pub(super) fn joined(pieces: Vec<Piece<'t>>, between: &str) -> Self {
        let texts: Option<Vec<&str>> = pieces.iter().map(Piece::as_text).collect();
        match texts {
            Some(texts) => Self::Text(texts.join(between)),
            None => Self::Parts(pieces),
        }
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}

impl Piece<'_> {
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::ImageUrl { .. } | Self::File { .. } => None,
        }
    }
}
