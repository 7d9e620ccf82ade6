//! Answers of `/v1/models` and `/v1/models/{id}`, in the shape of each dialect.
//!
//! Penstock knows the names that a key may use and nothing else about them, so dates are the epoch (which Anthropic
//! documents as "unknown") and the owner is Penstock. The whole list is one page.

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use serde::Serialize;

const UNKNOWN_DATE: &str = "1970-01-01T00:00:00Z";

#[derive(Serialize)]
struct AnthropicList<'a> {
    data: Vec<AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    r#type: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: &'static str,
}

#[derive(Serialize)]
struct OpenaiList<'a> {
    object: &'static str,
    data: Vec<OpenaiModel<'a>>,
}

#[derive(Serialize)]
struct OpenaiModel<'a> {
    id: &'a str,
    object: &'static str,
    created: u32,
    owned_by: &'static str,
}

#[derive(Serialize)]
struct GeminiList<'a> {
    models: Vec<GeminiModel<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiModel<'a> {
    name: String,
    display_name: &'a str,
    supported_generation_methods: [&'static str; 3],
}

/// Bedrock's list of inference profiles.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InferenceProfiles<'a> {
    inference_profile_summaries: Vec<InferenceProfile<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InferenceProfile<'a> {
    inference_profile_id: &'a str,
    inference_profile_name: &'a str,
    status: &'static str,
    r#type: &'static str,
    models: [(); 0],
}

/// The models as Bedrock's list of inference profiles.
pub fn inference_profiles(ids: &[&str]) -> Bytes {
    let profile = |id| InferenceProfile {
        inference_profile_id: id,
        inference_profile_name: id,
        status: "ACTIVE",
        r#type: "SYSTEM_DEFINED",
        models: [],
    };
    json(&InferenceProfiles {
        inference_profile_summaries: ids.iter().copied().map(profile).collect(),
    })
}

/// The list of all models, in the order given.
pub fn list(dialect: Dialect, ids: &[&str]) -> Bytes {
    match dialect {
        Dialect::Anthropic => json(&AnthropicList {
            data: ids.iter().copied().map(AnthropicModel::new).collect(),
            has_more: false,
            first_id: ids.first().copied(),
            last_id: ids.last().copied(),
        }),
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => json(&OpenaiList {
            object: "list",
            data: ids.iter().copied().map(OpenaiModel::new).collect(),
        }),
        Dialect::Gemini => json(&GeminiList {
            models: ids.iter().copied().map(GeminiModel::new).collect(),
        }),
    }
}

/// One model.
pub fn one(dialect: Dialect, id: &str) -> Bytes {
    match dialect {
        Dialect::Anthropic => json(&AnthropicModel::new(id)),
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => {
            json(&OpenaiModel::new(id))
        }
        Dialect::Gemini => json(&GeminiModel::new(id)),
    }
}

/// Text and numbers only: writing cannot fail.
fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

impl<'a> AnthropicModel<'a> {
    fn new(id: &'a str) -> Self {
        Self {
            r#type: "model",
            id,
            display_name: id,
            created_at: UNKNOWN_DATE,
        }
    }
}

impl<'a> GeminiModel<'a> {
    fn new(id: &'a str) -> Self {
        Self {
            name: format!("models/{id}"),
            display_name: id,
            supported_generation_methods: ["generateContent", "streamGenerateContent", "countTokens"],
        }
    }
}

impl<'a> OpenaiModel<'a> {
    fn new(id: &'a str) -> Self {
        Self {
            id,
            object: "model",
            created: 0,
            owned_by: "penstock",
        }
    }
}
