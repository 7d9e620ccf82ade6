//! The shape of an Anthropic Messages request.

use std::borrow::Cow;

use serde::Serialize;

use crate::translate::fields::{Json, Text};

#[derive(Serialize)]
pub(super) struct Body<'t> {
    pub(super) model: &'t str,
    pub(super) max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) system: Vec<Block<'t>>,
    pub(super) messages: Vec<Message<'t>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<ToolSpec<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<Json<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<&'t Json<'t>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) stop_sequences: &'t [Text<'t>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<ThinkingSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_config: Option<OutputConfig<'t>>,
    pub(super) stream: bool,
}

#[derive(Serialize)]
pub(super) struct Message<'t> {
    pub(super) role: &'static str,
    pub(super) content: Vec<Block<'t>>,
}

/// A content block and whether a cache may be cut behind it.
#[derive(Serialize)]
pub(super) struct Block<'t> {
    #[serde(flatten)]
    pub(super) kind: BlockKind<'t>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum BlockKind<'t> {
    Text {
        text: Cow<'t, str>,
    },
    Image {
        source: SourceSpec<'t>,
    },
    Document {
        source: SourceSpec<'t>,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'t str>,
    },
    Thinking {
        thinking: &'t str,
        signature: &'t str,
    },
    RedactedThinking {
        data: &'t str,
    },
    ToolUse {
        id: String,
        name: &'t str,
        input: &'t Json<'t>,
    },
    ToolResult {
        tool_use_id: String,
        content: Vec<Block<'t>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

#[derive(Clone, Copy, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum CacheControl {
    Ephemeral,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum SourceSpec<'t> {
    Base64 { media_type: &'t str, data: &'t str },
    Url { url: &'t str },
}

#[derive(Serialize)]
pub(super) struct ToolSpec<'t> {
    pub(super) name: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'t str>,
    pub(super) input_schema: Option<Json<'t>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) strict: bool,
}

#[derive(Serialize)]
pub(super) struct ToolChoice<'t> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'t str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) disable_parallel_tool_use: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ThinkingSpec {
    Adaptive {
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Enabled {
        budget_tokens: u64,
    },
}

#[derive(Default, Serialize)]
pub(super) struct OutputConfig<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<SchemaFormat<'t>>,
}

#[derive(Serialize)]
pub(super) struct SchemaFormat<'t> {
    pub(super) r#type: &'static str,
    pub(super) schema: &'t Json<'t>,
}

impl<'t> From<BlockKind<'t>> for Block<'t> {
    fn from(kind: BlockKind<'t>) -> Self {
        Self {
            kind,
            cache_control: None,
        }
    }
}
