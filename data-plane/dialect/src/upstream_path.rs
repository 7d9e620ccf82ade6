//! Path and query at a provider.
//!
//! | kind | base URL | path behind it |
//! |---|---|---|
//! | `anthropic` | without a version | `/v1/messages` |
//! | `openai`, `openai-compatible` | with `/v1` | `/chat/completions`, `/responses`, `/embeddings` |
//! | `azure-openai` | the resource | `/openai/v1/…` (which the URL may have already), or `/openai/deployments/MODEL/…?api-version=…` |
//! | `gemini` | without a version | `/v1beta/models/MODEL:generateContent`; a stream is always asked for as server-sent events |
//! | `bedrock` | the runtime's host | `/model/MODEL/invoke` |
//! | `vertex` | with project and location | `/publishers/google/models/MODEL:…`, `/publishers/anthropic/models/MODEL:rawPredict` |
//! | `droid` | without `/a`, `/o` | `/a/v1/messages`, `/o/v1/responses` |
//!
//! A model's name is percent-encoded as one segment, so that it reaches no other path.

use std::borrow::Cow;

use penstock_core::dialect::{Dialect, Operation};
use penstock_core::provider::ProviderKind;

use crate::percent;

/// What is asked of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// That the provider is spoken to in.
    pub dialect: Dialect,
    /// An answer, or something about the prompt.
    pub operation: Operation,
    /// As the provider calls it.
    pub model: &'a str,
    /// Whether the answer shall be a stream.
    pub stream: bool,
    /// The caller's query had Anthropic's `beta=true`.
    pub beta: bool,
}

/// Whether a provider of this kind has the model in its paths.
pub fn has_model(kind: ProviderKind, api_version: Option<&str>) -> bool {
    match kind {
        ProviderKind::Gemini | ProviderKind::Bedrock | ProviderKind::Vertex => true,
        ProviderKind::AzureOpenai => api_version.is_some(),
        ProviderKind::Anthropic
        | ProviderKind::Openai
        | ProviderKind::OpenaiCompatible
        | ProviderKind::Droid => false,
    }
}

/// Path and query of what is wanted; None when a provider of this kind has no such. `base_path` is the path of its
/// base URL.
pub fn of(
    kind: ProviderKind,
    base_path: &str,
    api_version: Option<&str>,
    wanted: &Wanted<'_>,
) -> Option<String> {
    let base = base_path.trim_end_matches('/');
    let rest: Cow<'static, str> = match kind {
        ProviderKind::Anthropic => anthropic(wanted)?.into(),
        ProviderKind::Openai | ProviderKind::OpenaiCompatible => openai(wanted)?.into(),
        ProviderKind::AzureOpenai => azure(base, api_version, wanted)?.into(),
        ProviderKind::Gemini => gemini(wanted)?.into(),
        ProviderKind::Bedrock => bedrock(wanted)?.into(),
        ProviderKind::Vertex => vertex(wanted)?.into(),
        ProviderKind::Droid => match wanted.dialect {
            Dialect::Anthropic => ["/a", anthropic(wanted)?].concat().into(),
            Dialect::OpenaiChat | Dialect::OpenaiResponses => ["/o/v1", openai(wanted)?].concat().into(),
            Dialect::OpenaiEmbeddings | Dialect::Gemini => return None,
        },
    };
    Some([base, &rest].concat())
}

/// Path and query of the list of models, which is free; None where there is none.
pub fn models(kind: ProviderKind, base_path: &str) -> Option<String> {
    let base = base_path.trim_end_matches('/');
    let rest = match kind {
        ProviderKind::Anthropic => "/v1/models?limit=1",
        ProviderKind::Openai | ProviderKind::OpenaiCompatible => "/models",
        ProviderKind::AzureOpenai if base.ends_with("/openai/v1") => "/models",
        ProviderKind::AzureOpenai => "/openai/v1/models",
        ProviderKind::Gemini => "/v1beta/models?pageSize=1",
        ProviderKind::Bedrock | ProviderKind::Vertex | ProviderKind::Droid => return None,
    };
    Some([base, rest].concat())
}

fn anthropic(wanted: &Wanted<'_>) -> Option<&'static str> {
    match (wanted.dialect, wanted.operation, wanted.beta) {
        (Dialect::Anthropic, Operation::Generate, false) => Some("/v1/messages"),
        (Dialect::Anthropic, Operation::Generate, true) => Some("/v1/messages?beta=true"),
        (Dialect::Anthropic, Operation::CountTokens, false) => Some("/v1/messages/count_tokens"),
        (Dialect::Anthropic, Operation::CountTokens, true) => Some("/v1/messages/count_tokens?beta=true"),
        _ => None,
    }
}

fn openai(wanted: &Wanted<'_>) -> Option<&'static str> {
    match (wanted.dialect, wanted.operation) {
        (Dialect::OpenaiChat, Operation::Generate) => Some("/chat/completions"),
        (Dialect::OpenaiResponses, Operation::Generate) => Some("/responses"),
        (Dialect::OpenaiResponses, Operation::Compact) => Some("/responses/compact"),
        (Dialect::OpenaiEmbeddings, Operation::Generate) => Some("/embeddings"),
        _ => None,
    }
}

/// The dated API has deployments for chat and embeddings, and responses beside them.
fn azure(base: &str, api_version: Option<&str>, wanted: &Wanted<'_>) -> Option<String> {
    let path = openai(wanted)?;
    let Some(version) = api_version else {
        let v1 = if base.ends_with("/openai/v1") {
            ""
        } else {
            "/openai/v1"
        };
        return Some([v1, path].concat());
    };
    let openai = if base.ends_with("/openai") { "" } else { "/openai" };
    let query = ["?api-version=", version].concat();
    Some(match wanted.dialect {
        Dialect::OpenaiResponses => [openai, path, &query].concat(),
        Dialect::Anthropic | Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::Gemini => {
            let deployment = percent::segment(wanted.model)?;
            [openai, "/deployments/", &deployment, path, &query].concat()
        }
    })
}

/// The method of Gemini's API, with the query that makes a stream one of server-sent events.
fn gemini_method(wanted: &Wanted<'_>) -> Option<&'static str> {
    match (wanted.dialect, wanted.operation, wanted.stream) {
        (Dialect::Gemini, Operation::Generate, false) => Some(":generateContent"),
        (Dialect::Gemini, Operation::Generate, true) => Some(":streamGenerateContent?alt=sse"),
        (Dialect::Gemini, Operation::CountTokens, _) => Some(":countTokens"),
        _ => None,
    }
}

fn gemini(wanted: &Wanted<'_>) -> Option<String> {
    let method = gemini_method(wanted)?;
    Some(["/v1beta/models/", &percent::segment(wanted.model)?, method].concat())
}

fn bedrock(wanted: &Wanted<'_>) -> Option<String> {
    let method = match (wanted.dialect, wanted.operation, wanted.stream) {
        (Dialect::Anthropic, Operation::Generate, false) => "/invoke",
        (Dialect::Anthropic, Operation::Generate, true) => "/invoke-with-response-stream",
        _ => return None,
    };
    Some(["/model/", &percent::segment(wanted.model)?, method].concat())
}

fn vertex(wanted: &Wanted<'_>) -> Option<String> {
    if wanted.dialect == Dialect::Gemini {
        let method = gemini_method(wanted)?;
        return Some(
            [
                "/publishers/google/models/",
                &percent::segment(wanted.model)?,
                method,
            ]
            .concat(),
        );
    }
    let (model, method) = match (wanted.dialect, wanted.operation, wanted.stream) {
        (Dialect::Anthropic, Operation::Generate, false) => (wanted.model, ":rawPredict"),
        (Dialect::Anthropic, Operation::Generate, true) => (wanted.model, ":streamRawPredict"),
        (Dialect::Anthropic, Operation::CountTokens, _) => ("count-tokens", ":rawPredict"),
        _ => return None,
    };
    Some(["/publishers/anthropic/models/", &percent::segment(model)?, method].concat())
}
