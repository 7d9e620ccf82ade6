//! Which endpoint of which dialect a request means, and where it goes upstream.
//!
//! Rules: paths are matched whole, after a prefix that agents' base URLs may carry (`/claude`, `/openai`, …). The
//! query plays no part. `/v1/models` belongs to several dialects; without a prefix that names one, the headers tell
//! them apart. What goes upstream is built from the endpoint, never copied from the caller's path or query.
//!
//! An unknown path still gets a dialect, so that its error has a shape the caller can read.

use http::{HeaderMap, Method, header};
use penstock_core::dialect::Dialect;
use penstock_core::model::MAX_NAME;
use penstock_core::provider::ProviderKind;

use crate::percent;

/// What a caller can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Anthropic `POST /v1/messages`.
    Messages,
    /// Anthropic `POST /v1/messages/count_tokens`: free, makes no usage record.
    CountTokens,
    /// OpenAI `POST /v1/chat/completions`.
    ChatCompletions,
    /// `GET /v1/models`, answered from the snapshot.
    Models,
    /// `GET /v1/models/{id}`, answered from the snapshot. The id is decoded, 1 to 256 bytes.
    Model(String),
    /// Our own `GET /penstock/v1/limits`: what the key may use. Its errors have OpenAI's shape.
    Limits,
}

/// A request's endpoint and the dialect its caller speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// What is asked for.
    pub endpoint: Endpoint,
    /// In which shape to answer.
    pub dialect: Dialect,
}

/// No endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Nothing is served at this path.
    #[error("Nothing is served at this path. Known are /v1/messages, /v1/chat/completions and /v1/models.")]
    NotFound {
        /// A guess, for the shape of the error.
        dialect: Dialect,
    },
    /// The path is served, but not with this method.
    #[error("This path takes {allow} only.")]
    Method {
        /// For the shape of the error.
        dialect: Dialect,
        /// The value of the `allow` header.
        allow: &'static str,
    },
}

/// Finds the endpoint of a request. `path` is as it was sent, without the query.
pub fn parse(method: &Method, path: &str, headers: &HeaderMap) -> Result<Matched, RouteError> {
    let Some((endpoint, named)) = find(path) else {
        let dialect = guess(path, headers);
        return Err(RouteError::NotFound { dialect });
    };
    let dialect = named.unwrap_or_else(|| by_headers(headers));
    let allowed = endpoint.method();
    match *method == allowed {
        true => Ok(Matched { endpoint, dialect }),
        false => Err(RouteError::Method {
            dialect,
            allow: if allowed == Method::POST { "POST" } else { "GET" },
        }),
    }
}

/// Whether the query has Anthropic's one known flag, `beta=true`.
pub fn asks_beta(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair == "beta=true"))
}

/// The endpoint at a path and the dialect that the path itself names.
fn find(path: &str) -> Option<(Endpoint, Option<Dialect>)> {
    use Dialect::{Anthropic, OpenaiChat};
    if path == "/azure/chat/completions" {
        return Some((Endpoint::ChatCompletions, Some(OpenaiChat)));
    }
    if path == "/penstock/v1/limits" {
        return Some((Endpoint::Limits, Some(OpenaiChat)));
    }
    let (rest, prefix) = [
        ("/anthropic/v1/", Some(Anthropic)),
        ("/claude/v1/", Some(Anthropic)),
        ("/openai/v1/", Some(OpenaiChat)),
        ("/api/v1/", None),
        ("/v1/", None),
    ]
    .into_iter()
    .find_map(|(prefix, dialect)| Some((path.strip_prefix(prefix)?, dialect)))?;
    let (endpoint, dialect) = match rest {
        "messages" => (Endpoint::Messages, Some(Anthropic)),
        "messages/count_tokens" => (Endpoint::CountTokens, Some(Anthropic)),
        "chat/completions" => (Endpoint::ChatCompletions, Some(OpenaiChat)),
        "models" => (Endpoint::Models, prefix),
        _ => (Endpoint::Model(model(rest.strip_prefix("models/")?)?), prefix),
    };
    match prefix.is_some() && prefix != dialect {
        true => None,
        false => Some((endpoint, dialect)),
    }
}

fn model(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > MAX_NAME * 3 {
        return None;
    }
    let id = percent::decode(text)?;
    let fits = id.len() <= MAX_NAME && !id.chars().any(char::is_control);
    fits.then(|| id.into_owned())
}

fn by_headers(headers: &HeaderMap) -> Dialect {
    let agent = headers
        .get(header::USER_AGENT)
        .map_or(&b""[..], |agent| agent.as_bytes());
    let anthropic = headers.contains_key("anthropic-version")
        || headers.contains_key("x-api-key")
        || agent.starts_with(b"claude-code/")
        || agent.starts_with(b"claude-cli/");
    if anthropic {
        Dialect::Anthropic
    } else {
        Dialect::OpenaiChat
    }
}

fn guess(path: &str, headers: &HeaderMap) -> Dialect {
    let anthropic = ["/anthropic", "/claude", "/v1/messages", "/api/v1/messages"];
    let openai = ["/openai", "/azure", "/v1/chat", "/api/v1/chat"];
    if anthropic.iter().any(|start| path.starts_with(start)) {
        Dialect::Anthropic
    } else if openai.iter().any(|start| path.starts_with(start)) {
        Dialect::OpenaiChat
    } else {
        by_headers(headers)
    }
}

impl Endpoint {
    /// The only method that the endpoint takes.
    pub fn method(&self) -> Method {
        match self {
            Self::Messages | Self::CountTokens | Self::ChatCompletions => Method::POST,
            Self::Models | Self::Model(_) | Self::Limits => Method::GET,
        }
    }

    /// Whether a provider is asked; the others are answered from the snapshot.
    pub fn goes_upstream(&self) -> bool {
        match self {
            Self::Messages | Self::CountTokens | Self::ChatCompletions => true,
            Self::Models | Self::Model(_) | Self::Limits => false,
        }
    }

    /// Whether a call makes a usage record (behaviour E1).
    pub fn is_metered(&self) -> bool {
        match self {
            Self::Messages | Self::ChatCompletions => true,
            Self::CountTokens | Self::Models | Self::Model(_) | Self::Limits => false,
        }
    }

    /// Path and query at a provider. `base_path` is the path of its base URL as vendors' SDKs take it: Anthropic
    /// without the version, OpenAI with `/v1`. `beta` is [`asks_beta`] of the caller's query.
    ///
    /// None when a provider of this kind has no such endpoint.
    pub fn upstream_path(&self, kind: ProviderKind, base_path: &str, beta: bool) -> Option<String> {
        let path = match (self, kind) {
            (Self::Messages, ProviderKind::Anthropic) => "/v1/messages",
            (Self::CountTokens, ProviderKind::Anthropic) => "/v1/messages/count_tokens",
            (Self::ChatCompletions, ProviderKind::Openai | ProviderKind::OpenaiCompatible) => {
                "/chat/completions"
            }
            (
                Self::Messages
                | Self::CountTokens
                | Self::ChatCompletions
                | Self::Models
                | Self::Model(_)
                | Self::Limits,
                ProviderKind::Anthropic | ProviderKind::Openai | ProviderKind::OpenaiCompatible,
            ) => return None,
        };
        let base = base_path.trim_end_matches('/');
        let query = match kind {
            ProviderKind::Anthropic if beta => "?beta=true",
            ProviderKind::Anthropic | ProviderKind::Openai | ProviderKind::OpenaiCompatible => "",
        };
        Some([base, path, query].concat())
    }
}

impl RouteError {
    /// The shape that the error should have.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::NotFound { dialect } | Self::Method { dialect, .. } => *dialect,
        }
    }
}
