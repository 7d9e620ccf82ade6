//! Which family a request speaks and what it asks for.
//!
//! Both families share a port, so `GET /v1/models` is told apart by its headers and everything else by its
//! path. A path nobody knows is answered in the shape of the family that the headers suggest.

use http::{HeaderMap, Method, header, request};

/// A vendor's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Anthropic,
    OpenAi,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// An answer of a model.
    Answer,
    CountTokens,
    Models,
    /// One model, by id.
    Model(String),
    /// The fake's own counts; no dialect.
    Counts,
    /// The path is known, the method is not.
    OtherMethod,
    Unknown,
}

impl Dialect {
    fn of_headers(headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).map(|value| value.as_bytes());
        let claude = agent.is_some_and(|agent| agent.starts_with(b"claude-"));
        if claude || headers.contains_key("anthropic-version") || headers.contains_key("x-api-key") {
            Self::Anthropic
        } else {
            Self::OpenAi
        }
    }
}

/// Reads the head of a request.
pub(crate) fn route(head: &request::Parts) -> (Dialect, Asks) {
    let known = |method: Method, asks: Asks| {
        if head.method == method {
            asks
        } else {
            Asks::OtherMethod
        }
    };
    match head.uri.path() {
        "/v1/messages" => (Dialect::Anthropic, known(Method::POST, Asks::Answer)),
        "/v1/messages/count_tokens" => (Dialect::Anthropic, known(Method::POST, Asks::CountTokens)),
        "/v1/chat/completions" => (Dialect::OpenAi, known(Method::POST, Asks::Answer)),
        path => {
            let asks = match path.strip_prefix("/v1/models") {
                Some("") => known(Method::GET, Asks::Models),
                Some(id) if id.starts_with('/') => {
                    known(Method::GET, Asks::Model(id.trim_start_matches('/').to_owned()))
                }
                _ if path == "/_fake/counts" => known(Method::GET, Asks::Counts),
                _ => Asks::Unknown,
            };
            (Dialect::of_headers(&head.headers), asks)
        }
    }
}
