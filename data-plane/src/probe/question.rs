//! The short question that a provider is tested with, in a dialect that it speaks.

use bytes::Bytes;
use http::HeaderMap;
use penstock_core::dialect::{Dialect, Operation};
use penstock_core::provider::{Provider, ProviderKind, Request};
use penstock_dialect::edit::{self, Edits};
use penstock_dialect::{inspect, provider_body};
use serde_json::json;

/// What may be answered, tokens.
const MOST: u32 = 16;

/// A request for a few words.
pub(super) struct Question {
    pub(super) dialect: Dialect,
    pub(super) body: Bytes,
}

/// For a model as clients name it.
pub(super) fn ask(provider: &Provider, model: &str) -> Question {
    let dialect = dialect(provider, model);
    let sent = provider.upstream_model(model);
    let said = json!([{ "role": "user", "content": "Say ok." }]);
    let body = match dialect {
        Dialect::Anthropic => json!({ "model": sent, "max_tokens": MOST, "messages": said }),
        Dialect::OpenaiChat if provider.kind == ProviderKind::OpenaiCompatible => {
            json!({ "model": sent, "max_tokens": MOST, "messages": said })
        }
        Dialect::OpenaiChat => json!({ "model": sent, "max_completion_tokens": MOST, "messages": said }),
        Dialect::OpenaiResponses => json!({ "model": sent, "max_output_tokens": MOST, "input": said }),
        Dialect::OpenaiEmbeddings => json!({ "model": sent, "input": "ok" }),
        Dialect::Gemini => json!({
            "contents": [{ "role": "user", "parts": [{ "text": "Say ok." }] }],
            "generationConfig": { "maxOutputTokens": MOST },
        }),
    };
    let body = Bytes::from(body.to_string());
    Question {
        dialect,
        body: of_kind(provider.kind, dialect, body),
    }
}

/// The first dialect in which the provider can be asked for this model.
pub(super) fn dialect(provider: &Provider, model: &str) -> Dialect {
    let request = |dialect| Request {
        droid: provider.kind == ProviderKind::Droid,
        ..Request::answer(dialect)
    };
    let itself = |dialect: &Dialect| provider.speech(request(*dialect), model) == Some(*dialect);
    let first = Dialect::ALL.into_iter().find(itself);
    first
        .or_else(|| provider.kind.can_speak().first().copied())
        .unwrap_or(Dialect::Anthropic)
}

/// As the provider's kind wants the body.
fn of_kind(kind: ProviderKind, dialect: Dialect, body: Bytes) -> Bytes {
    let members = provider_body::members(kind, dialect, Operation::Generate, &HeaderMap::new());
    let Ok(inspected) = inspect::inspect(dialect, None, &body) else {
        return body;
    };
    let edits = Edits {
        of_kind: &members,
        ..Edits::default()
    };
    edit::rewrite(&body, &inspected, &edits).map_or(body, edit::Edited::into_bytes)
}
