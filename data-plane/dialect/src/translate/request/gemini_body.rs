//! The shape of a Gemini request.

use std::borrow::Cow;

use serde::Serialize;

use crate::translate::fields::{Json, Text};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'t> {
    pub(super) contents: Vec<Content<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system_instruction: Option<Content<'t>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<ToolSet<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_config: Option<ToolConfig<'t>>,
    pub(super) generation_config: GenerationConfig<'t>,
}

#[derive(Serialize)]
pub(super) struct Content<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    pub(super) parts: Vec<Piece<'t>>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(super) enum Piece<'t> {
    Text {
        text: Cow<'t, str>,
    },
    Data {
        inline_data: InlineData<'t>,
    },
    File {
        file_data: FileData<'t>,
    },
    Call {
        function_call: FunctionCall<'t>,
        #[serde(skip_serializing_if = "Option::is_none")]
        thought_signature: Option<&'t str>,
    },
    Response {
        function_response: FunctionResponse<'t>,
        /// Which of the calls it answers.
        #[serde(skip)]
        call: usize,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineData<'t> {
    pub(super) mime_type: &'t str,
    pub(super) data: &'t str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData<'t> {
    pub(super) file_uri: &'t str,
}

#[derive(Serialize)]
pub(super) struct FunctionCall<'t> {
    pub(super) name: &'t str,
    pub(super) args: &'t Json<'t>,
}

#[derive(Serialize)]
pub(super) struct FunctionResponse<'t> {
    pub(super) name: &'t str,
    pub(super) response: Response,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Response {
    Output(String),
    Error(String),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolSet<'t> {
    pub(super) function_declarations: Vec<Declaration<'t>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Declaration<'t> {
    pub(super) name: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters_json_schema: Option<&'t Json<'t>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'t> {
    pub(super) function_calling_config: CallingConfig<'t>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallingConfig<'t> {
    pub(super) mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allowed_function_names: Option<[&'t str; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerationConfig<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<&'t Json<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<&'t Json<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<&'t Json<'t>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) stop_sequences: &'t [Text<'t>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_json_schema: Option<&'t Json<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_config: Option<ThinkingConfig>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThinkingConfig {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) include_thoughts: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_budget: Option<u64>,
}
