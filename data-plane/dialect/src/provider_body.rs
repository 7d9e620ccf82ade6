//! Anthropic's body in the shape of Bedrock and Vertex AI, and from Bedrock's shape back.
//!
//! | | Anthropic | Bedrock | Vertex AI |
//! |---|---|---|---|
//! | model | body | path | path; in the body to count tokens |
//! | `stream` | body | path | both |
//! | version | header | `anthropic_version` | `anthropic_version` |
//! | beta features | header | `anthropic_beta` | header |
//!
//! A beta that is left out for Bedrock ([`crate::betas`]) takes its fields along, for with them the request would be
//! refused: `speed` of fast mode, and `output_config` on single messages of per-turn control. Bedrock has no `scope` of a
//! cache either.

mod cache_scope;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use penstock_core::dialect::{Dialect, Operation};
use penstock_core::provider::{Override, ProviderKind};

use crate::betas;
use crate::edit::{self, Splice};
use crate::json::{Kind, Members, Value};
use crate::route::InPath;

const BEDROCK_VERSION: &str = "\"bedrock-2023-05-31\"";
const VERTEX_VERSION: &str = "\"vertex-2023-10-16\"";

/// The members at the top that a provider of this kind wants set or removed; none where the body is Anthropic's own.
pub fn members(
    kind: ProviderKind,
    spoken: Dialect,
    operation: Operation,
    headers: &HeaderMap,
) -> Vec<Override> {
    if spoken != Dialect::Anthropic {
        return Vec::new();
    }
    match kind {
        ProviderKind::Bedrock => {
            let asked = betas::asked(headers);
            let told = betas::for_kind(&asked, kind);
            let mut members = vec![
                removed("model"),
                removed("stream"),
                set("anthropic_version", BEDROCK_VERSION.to_owned()),
            ];
            if !told.is_empty() {
                members.push(set("anthropic_beta", serde_json::Value::from(told).to_string()));
            }
            if left_out(&asked, "fast-mode-") {
                members.push(removed("speed"));
            }
            members
        }
        ProviderKind::Vertex => {
            let mut members = vec![set("anthropic_version", VERTEX_VERSION.to_owned())];
            if operation != Operation::CountTokens {
                members.push(removed("model"));
            }
            members
        }
        ProviderKind::Anthropic
        | ProviderKind::Openai
        | ProviderKind::OpenaiCompatible
        | ProviderKind::Gemini
        | ProviderKind::AzureOpenai
        | ProviderKind::Droid => Vec::new(),
    }
}

/// What goes out of single messages for a provider of this kind.
pub fn in_messages(kind: ProviderKind, headers: &HeaderMap, body: &Bytes) -> Vec<Splice> {
    if kind != ProviderKind::Bedrock {
        return Vec::new();
    }
    let mut splices = cache_scope::splices(body);
    if left_out(&betas::asked(headers), "per-turn-control-") {
        splices.extend(of_messages(body, b"output_config"));
    }
    splices
}

/// A request in Bedrock's shape as Anthropic's own.
///
/// Model and `stream` come into the body, version and beta features go to the headers. The body is the caller's, which has to be an object; what is none stays, to be refused.
pub fn from_bedrock(body: &Bytes, in_path: &InPath, headers: &mut HeaderMap) -> Bytes {
    let mut told = Vec::new();
    let mut taken = false;
    if let Ok(mut members) = Members::open(body) {
        while let Ok(Some(member)) = members.next() {
            if member.key.name().as_deref() == Some(b"anthropic_beta") {
                taken = true;
                let mut elements = member.value.elements();
                told.extend(std::iter::from_fn(|| elements.next()).filter_map(|value| beta(&value)));
            }
        }
    }
    for value in told {
        headers.append(betas::ANTHROPIC_BETA, value);
    }
    let edits = [
        set(
            "model",
            serde_json::Value::from(in_path.model.as_str()).to_string(),
        ),
        set("stream", in_path.stream.to_string()),
        removed("anthropic_version"),
        removed(if taken {
            "anthropic_beta"
        } else {
            "anthropic_version"
        }),
    ];
    edit::members(body, edits.get(..if taken { 4 } else { 3 }).unwrap_or_default())
}

fn beta(value: &Value<'_>) -> Option<HeaderValue> {
    HeaderValue::from_str(&value.short_text(128)?).ok()
}

fn set(path: &str, value: String) -> Override {
    Override {
        path: path.to_owned(),
        value: Some(value),
    }
}

fn removed(path: &str) -> Override {
    Override {
        path: path.to_owned(),
        value: None,
    }
}

/// A feature of this name was asked for, and Bedrock does not know it.
fn left_out(asked: &[&str], prefix: &str) -> bool {
    let mut of_name = asked.iter().filter(|name| name.starts_with(prefix));
    of_name.any(|name| betas::name_at(name, ProviderKind::Bedrock).is_none())
}

/// A member of every message, with its comma.
fn of_messages(body: &Bytes, name: &[u8]) -> Vec<Splice> {
    let mut splices = Vec::new();
    let Ok(mut members) = Members::open(body) else {
        return splices;
    };
    while let Ok(Some(member)) = members.next() {
        if member.key.name().as_deref() != Some(b"messages") {
            continue;
        }
        // Places of elements count from the array's start.
        let start = member.value.span.start;
        let mut messages = member.value.elements();
        while let Some(message) = messages.next() {
            if message.kind == Kind::Object {
                splices.extend(edit::without(message.raw(), name, start + message.span.start));
            }
        }
    }
    splices
}
