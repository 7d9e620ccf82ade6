//! From a request's head to what it asks for.
//!
//! All APIs share a port. Paths tell them apart, except `GET /v1/models`, where the headers do. A path that nobody
//! knows is answered in the shape of the API that the headers suggest.
//!
//! | path | API |
//! |---|---|
//! | `/v1/messages`, `/v1/messages/count_tokens` | Anthropic |
//! | `/v1/chat/completions`, `/v1/responses`, `/v1/responses/compact`, `/v1/embeddings` | OpenAI |
//! | `/v1beta/models/MODEL:METHOD`, also with `/v1` | Gemini |
//! | `/model/MODEL/invoke`, `/model/MODEL/invoke-with-response-stream` | Bedrock |
//! | `/v1/projects/P/locations/L/publishers/PUBLISHER/models/MODEL:METHOD` | Vertex AI |
//! | `/openai/deployments/MODEL/…?api-version=…`, `/openai/responses?api-version=…`, `/openai/v1/…` | Azure |
//! | `/a/v1/messages`, `/o/v1/responses`, `/o/v1/chat/completions` | Droid |

use http::{HeaderMap, Method, header, request};

use crate::dialect::{Asks, Called, Cloud, Dialect, InPath, Spoken};

/// What a path means, whatever the method.
type Found = (Spoken, Asks, Option<InPath>);

/// Reads the head of a request.
pub(crate) fn route(head: &request::Parts) -> Called {
    let path = head.uri.path();
    let (spoken, asks, in_path) = find(path, &head.headers);
    let method = match asks {
        Asks::Models | Asks::Model(_) | Asks::Counts => Some(Method::GET),
        Asks::Answer | Asks::Compact | Asks::CountTokens => Some(Method::POST),
        Asks::OtherMethod | Asks::Unknown => None,
    };
    let asks = match method {
        Some(method) if method != head.method => Asks::OtherMethod,
        Some(_) | None => asks,
    };
    Called {
        spoken,
        asks,
        in_path,
    }
}

fn find(path: &str, headers: &HeaderMap) -> Found {
    let guessed = || Spoken::own(of_headers(headers));
    if path == "/_fake/counts" {
        return (guessed(), Asks::Counts, None);
    }
    if let Some(rest) = path.strip_prefix("/model/") {
        return bedrock(rest);
    }
    if let Some((project, rest)) = path
        .strip_prefix("/v1/projects/")
        .and_then(|rest| rest.split_once("/publishers/"))
    {
        return vertex(project, rest);
    }
    if let Some(rest) = path.strip_prefix("/openai/") {
        return azure(rest);
    }
    let droid = [
        ("/a/v1/messages", Dialect::Anthropic),
        ("/o/v1/responses", Dialect::Responses),
        ("/o/v1/chat/completions", Dialect::Chat),
    ];
    if let Some((_, dialect)) = droid.into_iter().find(|(known, _)| *known == path) {
        return (at(dialect, Cloud::Droid), Asks::Answer, None);
    }
    let Some((version, rest)) = path
        .strip_prefix("/v1beta/")
        .map(|rest| ("v1beta", rest))
        .or_else(|| Some(("v1", path.strip_prefix("/v1/")?)))
    else {
        return (guessed(), Asks::Unknown, None);
    };
    if let Some((name, method)) = rest
        .strip_prefix("models/")
        .and_then(|name| name.rsplit_once(':'))
        && let Some((asks, stream)) = google_method(method)
    {
        return (Spoken::own(Dialect::Gemini), asks, in_path(name, Some(stream)));
    }
    let dialect = if version == "v1beta" {
        Dialect::Gemini
    } else {
        of_headers(headers)
    };
    match rest {
        "models" => (Spoken::own(dialect), Asks::Models, None),
        "messages/count_tokens" => (Spoken::own(Dialect::Anthropic), Asks::CountTokens, None),
        "messages" => (Spoken::own(Dialect::Anthropic), Asks::Answer, None),
        _ => match (openai(rest), rest.strip_prefix("models/")) {
            (Some((dialect, asks)), _) => (Spoken::own(dialect), asks, None),
            (None, Some(id)) => (Spoken::own(dialect), Asks::Model(decoded(id)), None),
            (None, None) => (guessed(), Asks::Unknown, None),
        },
    }
}

fn openai(path: &str) -> Option<(Dialect, Asks)> {
    match path {
        "chat/completions" => Some((Dialect::Chat, Asks::Answer)),
        "responses" => Some((Dialect::Responses, Asks::Answer)),
        "responses/compact" => Some((Dialect::Responses, Asks::Compact)),
        "embeddings" => Some((Dialect::Embeddings, Asks::Answer)),
        _ => None,
    }
}

fn bedrock(rest: &str) -> Found {
    let spoken = at(Dialect::Anthropic, Cloud::Bedrock);
    let (name, stream) = match rest.rsplit_once('/') {
        Some((name, "invoke")) => (name, false),
        Some((name, "invoke-with-response-stream")) => (name, true),
        Some(_) | None => return (spoken, Asks::Unknown, None),
    };
    (spoken, Asks::Answer, in_path(name, Some(stream)))
}

/// `PROJECT/locations/LOCATION` before `/publishers/`, and `PUBLISHER/models/MODEL:METHOD` behind it.
fn vertex(project: &str, rest: &str) -> Found {
    let unknown = (at(Dialect::Gemini, Cloud::Vertex), Asks::Unknown, None);
    let Some((publisher, (name, method))) = rest
        .split_once("/models/")
        .and_then(|(publisher, model)| Some((publisher, model.rsplit_once(':')?)))
    else {
        return unknown;
    };
    if !project.contains("/locations/") {
        return unknown;
    }
    match (publisher, method) {
        ("google", method) => match google_method(method) {
            Some((asks, stream)) => (unknown.0, asks, in_path(name, Some(stream))),
            None => unknown,
        },
        ("anthropic", "rawPredict" | "streamRawPredict") => {
            let spoken = at(Dialect::Anthropic, Cloud::Vertex);
            match name {
                "count-tokens" => (spoken, Asks::CountTokens, None),
                _ => (
                    spoken,
                    Asks::Answer,
                    in_path(name, Some(method == "streamRawPredict")),
                ),
            }
        }
        _ => unknown,
    }
}

fn google_method(method: &str) -> Option<(Asks, bool)> {
    match method {
        "generateContent" => Some((Asks::Answer, false)),
        "streamGenerateContent" => Some((Asks::Answer, true)),
        "countTokens" => Some((Asks::CountTokens, false)),
        _ => None,
    }
}

fn azure(rest: &str) -> Found {
    let deployment = rest
        .strip_prefix("deployments/")
        .and_then(|rest| rest.split_once('/'));
    let (path, in_path) = match deployment {
        Some((name, path)) => (path, in_path(name, None)),
        None => (rest.strip_prefix("v1/").unwrap_or(rest), None),
    };
    match openai(path) {
        Some((dialect, asks)) => (at(dialect, Cloud::Azure), asks, in_path),
        None if path == "models" => (at(Dialect::Chat, Cloud::Azure), Asks::Models, None),
        None => (at(Dialect::Chat, Cloud::Azure), Asks::Unknown, None),
    }
}

fn at(dialect: Dialect, cloud: Cloud) -> Spoken {
    Spoken { dialect, cloud }
}

fn in_path(model: &str, stream: Option<bool>) -> Option<InPath> {
    Some(InPath {
        model: decoded(model),
        stream,
    })
}

/// Percent-decoded; what is no such text stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) if *byte == b'%' => {
                bytes.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            Some(_) | None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn of_headers(headers: &HeaderMap) -> Dialect {
    let agent = headers.get(header::USER_AGENT).map(|value| value.as_bytes());
    let claude = agent.is_some_and(|agent| agent.starts_with(b"claude-"));
    if headers.contains_key("x-goog-api-key") || headers.contains_key("x-goog-api-client") {
        Dialect::Gemini
    } else if claude || headers.contains_key("anthropic-version") || headers.contains_key("x-api-key") {
        Dialect::Anthropic
    } else {
        Dialect::Chat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(path: &str) -> Called {
        let request = http::Request::post(path).body(()).unwrap();
        route(&request.into_parts().0)
    }

    #[test]
    fn every_cloud_has_its_paths() {
        let paths = [
            ("/v1/messages", Dialect::Anthropic, Cloud::Own, None),
            ("/v1/responses", Dialect::Responses, Cloud::Own, None),
            ("/v1/embeddings", Dialect::Embeddings, Cloud::Own, None),
            (
                "/v1beta/models/g:generateContent",
                Dialect::Gemini,
                Cloud::Own,
                Some(("g", Some(false))),
            ),
            (
                "/model/us.a%3A0/invoke",
                Dialect::Anthropic,
                Cloud::Bedrock,
                Some(("us.a:0", Some(false))),
            ),
            (
                "/v1/projects/p/locations/l/publishers/anthropic/models/c@1:streamRawPredict",
                Dialect::Anthropic,
                Cloud::Vertex,
                Some(("c@1", Some(true))),
            ),
            (
                "/openai/deployments/d/chat/completions?api-version=1",
                Dialect::Chat,
                Cloud::Azure,
                Some(("d", None)),
            ),
            ("/openai/v1/responses", Dialect::Responses, Cloud::Azure, None),
            ("/o/v1/responses", Dialect::Responses, Cloud::Droid, None),
        ];
        for (path, dialect, cloud, in_path) in paths {
            let called = called(path);
            assert_eq!(called.spoken, at(dialect, cloud), "{path}");
            assert_eq!(called.asks, Asks::Answer, "{path}");
            let found = called.in_path.as_ref().map(|at| (at.model.as_str(), at.stream));
            assert_eq!(found, in_path, "{path}");
        }
    }

    #[test]
    fn a_known_path_wants_its_method() {
        assert_eq!(called("/v1/models").asks, Asks::OtherMethod);
        assert_eq!(called("/v1/nothing").asks, Asks::Unknown);
    }
}
