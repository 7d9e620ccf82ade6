//! Which endpoint of which dialect a request means.
//!
//! Rules: paths are matched whole, after a prefix that agents' base URLs may carry (`/claude`, `/openai`, …). The
//! query plays no part but for Gemini's `alt`. `/v1/models` belongs to several dialects; without a prefix that names
//! one, the headers tell them apart. What goes upstream is built from what was matched ([`crate::upstream_path`]),
//! never copied from the caller's path or query.
//!
//! An unknown path still gets a dialect, so that its error has a shape the caller can read.
//!
//! | module | what |
//! |---|---|
//! | `post` | paths that are asked for an answer |
//! | `google` | `models/MODEL:METHOD` |
//! | `guess` | the dialect where the path does not say it |

mod google;
mod guess;
mod post;

use http::{HeaderMap, Method, header};
use penstock_core::dialect::{Dialect, Operation};
use penstock_core::model::MAX_NAME;
use penstock_core::provider::Request;

use crate::percent;

/// What a caller can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Something that a provider is asked for.
    Ask(Ask),
    /// `GET /v1/models`, answered from the snapshot.
    Models,
    /// `GET /v1/models/{id}`, answered from the snapshot. The id is decoded, 1 to 256 bytes.
    Model(String),
    /// Bedrock's `GET /inference-profiles`, answered from the snapshot.
    InferenceProfiles,
    /// Our own `GET /penstock/v1/limits`: what the key may use. Its errors have OpenAI's shape.
    Limits,
}

/// What a provider is asked for, as far as the path says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// An answer, or something about the prompt.
    pub operation: Operation,
    /// Of APIs that have model and streaming in the path; None: the body says them.
    pub in_path: Option<InPath>,
    /// How an answer that streams is framed.
    pub framing: Framing,
    /// For providers of kind `droid`.
    pub droid: bool,
}

/// What a path says that other APIs have in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InPath {
    /// Decoded, 1 to 256 bytes without control characters.
    pub model: String,
    /// Whether the answer shall be a stream.
    pub stream: bool,
}

/// How events reach the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// Gemini without `alt=sse`: one JSON array, element by element.
    JsonArray,
    /// Bedrock's frames around Anthropic's events; its requests have Bedrock's shape too.
    Bedrock,
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
    #[error(
        "Nothing is served at this path. Known are /v1/messages, /v1/chat/completions, /v1/responses, \
         /v1/embeddings, /v1beta/models/MODEL:generateContent and /v1/models."
    )]
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
    /// A WebSocket is asked for; Codex then falls back to plain HTTP at once.
    #[error("WebSockets are not served here; send the request by HTTP.")]
    WebSocket,
}

/// Finds the endpoint of a request. `path` is as it was sent, without the query.
pub fn parse(
    method: &Method,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Matched, RouteError> {
    let Some((mut endpoint, named)) = find(method, path) else {
        let dialect = guess::by_path(path, headers);
        return Err(RouteError::NotFound { dialect });
    };
    let dialect = named.unwrap_or_else(|| guess::by_headers(headers));
    if *method == endpoint.method() {
        if let Endpoint::Ask(ask) = &mut endpoint {
            google::frame(ask, dialect, query);
        }
        return Ok(Matched { endpoint, dialect });
    }
    if dialect == Dialect::OpenaiResponses && asks_websocket(headers) {
        return Err(RouteError::WebSocket);
    }
    Err(RouteError::Method {
        dialect,
        allow: match endpoint {
            Endpoint::Ask(_) => "POST",
            Endpoint::Models | Endpoint::Model(_) | Endpoint::InferenceProfiles | Endpoint::Limits => "GET",
        },
    })
}

/// Whether the query has Anthropic's one known flag, `beta=true`.
pub fn asks_beta(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair == "beta=true"))
}

/// The endpoint at a path and the dialect that the path itself names. The method tells apart what has one path.
fn find(method: &Method, path: &str) -> Option<(Endpoint, Option<Dialect>)> {
    if let Some((dialect, ask)) = post::find(path).or_else(|| google::find(path)) {
        return Some((Endpoint::Ask(ask), Some(dialect)));
    }
    match path {
        "/penstock/v1/limits" => return Some((Endpoint::Limits, Some(Dialect::OpenaiChat))),
        "/bedrock/inference-profiles" if *method == Method::GET => {
            return Some((Endpoint::InferenceProfiles, Some(Dialect::Anthropic)));
        }
        _ => {}
    }
    let (rest, dialect) = [
        ("/anthropic/v1/", Some(Dialect::Anthropic)),
        ("/claude/v1/", Some(Dialect::Anthropic)),
        ("/openai/v1/", Some(Dialect::OpenaiChat)),
        ("/gemini/v1beta/", Some(Dialect::Gemini)),
        ("/gemini/v1/", Some(Dialect::Gemini)),
        ("/v1beta/", Some(Dialect::Gemini)),
        ("/api/v1/", None),
        ("/v1/", None),
    ]
    .into_iter()
    .find_map(|(prefix, dialect)| Some((path.strip_prefix(prefix)?, dialect)))?;
    // Another method of Gemini's API than those that are served.
    if *method == Method::POST && rest.contains(':') {
        return None;
    }
    match rest {
        "models" => Some((Endpoint::Models, dialect)),
        _ => Some((Endpoint::Model(model(rest.strip_prefix("models/")?)?), dialect)),
    }
}

/// A model's name in a path.
fn model(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > MAX_NAME * 3 {
        return None;
    }
    let id = percent::decode(text)?;
    let fits = (1..=MAX_NAME).contains(&id.len()) && !id.chars().any(char::is_control);
    fits.then(|| id.into_owned())
}

fn asks_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).map(|value| value.as_bytes());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"))
}

impl Endpoint {
    /// The only method that the endpoint takes.
    pub fn method(&self) -> Method {
        match self {
            Self::Ask(_) => Method::POST,
            Self::Models | Self::Model(_) | Self::InferenceProfiles | Self::Limits => Method::GET,
        }
    }

    /// What a provider is asked for; None where the snapshot answers.
    pub fn ask(&self) -> Option<&Ask> {
        match self {
            Self::Ask(ask) => Some(ask),
            Self::Models | Self::Model(_) | Self::InferenceProfiles | Self::Limits => None,
        }
    }

    /// Whether a provider is asked; the others are answered from the snapshot.
    pub fn goes_upstream(&self) -> bool {
        self.ask().is_some()
    }

    /// Whether a call makes a usage record (behaviour E1).
    pub fn is_metered(&self) -> bool {
        self.ask().is_some_and(|ask| match ask.operation {
            Operation::Generate | Operation::Compact => true,
            Operation::CountTokens => false,
        })
    }

    /// How an answer that streams is framed.
    pub fn framing(&self) -> Framing {
        self.ask().map(|ask| ask.framing).unwrap_or_default()
    }
}

impl Matched {
    /// What decides who can be asked.
    pub fn request(&self) -> Request {
        request(&self.endpoint, self.dialect)
    }
}

/// What decides who can be asked, for an endpoint in this dialect.
pub fn request(endpoint: &Endpoint, dialect: Dialect) -> Request {
    let ask = endpoint.ask();
    Request {
        dialect,
        operation: ask.map(|ask| ask.operation).unwrap_or_default(),
        droid: ask.is_some_and(|ask| ask.droid),
    }
}

impl RouteError {
    /// The shape that the error should have.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::NotFound { dialect } | Self::Method { dialect, .. } => *dialect,
            Self::WebSocket => Dialect::OpenaiResponses,
        }
    }
}
