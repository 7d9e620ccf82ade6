//! Gemini's paths: `/{version}/models/{model}:{method}`.
//!
//! The method says what is asked and whether it streams. Without `alt=sse` a stream is one JSON array.

use penstock_core::dialect::{Dialect, Operation};

use super::{Ask, Framing, InPath, model};

/// What is asked at a path of Gemini's API.
pub(super) fn find(path: &str) -> Option<(Dialect, Ask)> {
    let path = path.strip_prefix("/gemini").unwrap_or(path);
    let rest = path
        .strip_prefix("/v1beta/models/")
        .or_else(|| path.strip_prefix("/v1/models/"))?;
    let (name, method) = rest.rsplit_once(':')?;
    let (operation, stream) = match method {
        "generateContent" => (Operation::Generate, false),
        "streamGenerateContent" => (Operation::Generate, true),
        "countTokens" => (Operation::CountTokens, false),
        _ => return None,
    };
    let ask = Ask {
        operation,
        in_path: Some(InPath {
            model: model(name)?,
            stream,
        }),
        ..Ask::default()
    };
    Some((Dialect::Gemini, ask))
}

/// How the answer is framed, which the query says.
pub(super) fn frame(ask: &mut Ask, dialect: Dialect, query: Option<&str>) {
    let streams = ask.in_path.as_ref().is_some_and(|path| path.stream);
    let sse = query.is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse"));
    if dialect == Dialect::Gemini && streams && !sse {
        ask.framing = Framing::JsonArray;
    }
}
