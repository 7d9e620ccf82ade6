//! What a vendor would refuse for what it lacks, or has too much.

use http::request;

use crate::asked::Asked;
use crate::dialect::{Asks, Called, Cloud, Dialect};

/// The vendor's words for the first thing that is wrong.
pub(crate) fn missing(called: &Called, head: &request::Parts, asked: &Asked<'_>) -> Option<&'static str> {
    let spoken = called.spoken;
    let nameless = asked.model.as_deref().is_none_or(str::is_empty);
    let counts = called.asks == Asks::CountTokens;
    if spoken.cloud == Cloud::Azure && lacks_version(head) {
        return Some("Missing required query parameter: api-version");
    }
    match spoken.dialect {
        Dialect::Anthropic => match anthropic_version(spoken.cloud, head, asked) {
            Some(missing) => Some(missing),
            None if nameless => Some("model: Field required"),
            None if !asked.has_messages() => Some("messages: Field required"),
            None if !counts && asked.max_tokens.is_none() => Some("max_tokens: Field required"),
            None => None,
        },
        Dialect::Chat if nameless => Some("you must provide a model parameter"),
        Dialect::Chat if !asked.has_messages() => Some("Missing required parameter: 'messages'."),
        Dialect::Responses | Dialect::Embeddings if nameless => Some("Missing required parameter: 'model'."),
        Dialect::Responses | Dialect::Embeddings if !asked.has_input() => {
            Some("Missing required parameter: 'input'.")
        }
        Dialect::Embeddings if asked.streams() => Some("Unknown parameter: 'stream'."),
        Dialect::Gemini if !asked.has_contents() => {
            Some("GenerateContentRequest.contents: contents is not specified")
        }
        Dialect::Gemini
            if asked.streams() && head.uri.query().is_none_or(|query| !query.contains("alt=sse")) =>
        {
            Some("fake-provider: streams are spoken with alt=sse only.")
        }
        Dialect::Chat | Dialect::Responses | Dialect::Embeddings | Dialect::Gemini => None,
    }
}

/// What the body has that this cloud does not take.
pub(crate) fn extra(called: &Called, asked: &Asked<'_>) -> Option<&'static str> {
    let anthropic = called.spoken.dialect == Dialect::Anthropic && called.asks == Asks::Answer;
    match called.spoken.cloud {
        Cloud::Bedrock if asked.model.is_some() => {
            Some("Malformed input request: extraneous key [model] is not permitted")
        }
        Cloud::Bedrock if asked.stream.is_some() => {
            Some("Malformed input request: extraneous key [stream] is not permitted")
        }
        Cloud::Vertex if anthropic && asked.model.is_some() => Some("model: Extra inputs are not permitted"),
        Cloud::Own | Cloud::Bedrock | Cloud::Vertex | Cloud::Azure | Cloud::Droid => None,
    }
}

/// At the vendor it is a header, in clouds a member of the body.
fn anthropic_version(cloud: Cloud, head: &request::Parts, asked: &Asked<'_>) -> Option<&'static str> {
    let told = asked.anthropic_version.as_deref();
    match cloud {
        Cloud::Bedrock if told != Some("bedrock-2023-05-31") => Some("anthropic_version: Field required"),
        Cloud::Vertex if told != Some("vertex-2023-10-16") => Some("anthropic_version: Field required"),
        Cloud::Own | Cloud::Azure | Cloud::Droid if !head.headers.contains_key("anthropic-version") => {
            Some("anthropic-version: header is required")
        }
        Cloud::Own | Cloud::Bedrock | Cloud::Vertex | Cloud::Azure | Cloud::Droid => None,
    }
}

/// Azure's dated API, without its date.
fn lacks_version(head: &request::Parts) -> bool {
    let dated = !head.uri.path().starts_with("/openai/v1/");
    dated
        && head
            .uri
            .query()
            .is_none_or(|query| !query.contains("api-version="))
}
