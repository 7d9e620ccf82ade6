//! The dialect of a request whose path does not say it.

use http::{HeaderMap, header};
use penstock_core::dialect::Dialect;

/// By what vendors' clients send.
pub(super) fn by_headers(headers: &HeaderMap) -> Dialect {
    let agent = headers
        .get(header::USER_AGENT)
        .map_or(&b""[..], |agent| agent.as_bytes());
    let google = headers.contains_key("x-goog-api-key") || headers.contains_key("x-goog-api-client");
    let anthropic = headers.contains_key("anthropic-version")
        || headers.contains_key("x-api-key")
        || agent.starts_with(b"claude-code/")
        || agent.starts_with(b"claude-cli/");
    match (google, anthropic) {
        (true, _) => Dialect::Gemini,
        (false, true) => Dialect::Anthropic,
        (false, false) => Dialect::OpenaiChat,
    }
}

/// By the start of a path at which nothing is served.
pub(super) fn by_path(path: &str, headers: &HeaderMap) -> Dialect {
    let starts = [
        ("/anthropic", Dialect::Anthropic),
        ("/claude", Dialect::Anthropic),
        ("/v1/messages", Dialect::Anthropic),
        ("/api/v1/messages", Dialect::Anthropic),
        ("/bedrock", Dialect::Anthropic),
        ("/droid/claude", Dialect::Anthropic),
        ("/openai/v1/responses", Dialect::OpenaiResponses),
        ("/v1/responses", Dialect::OpenaiResponses),
        ("/openai", Dialect::OpenaiChat),
        ("/azure", Dialect::OpenaiChat),
        ("/v1/chat", Dialect::OpenaiChat),
        ("/api/v1/chat", Dialect::OpenaiChat),
        ("/gemini", Dialect::Gemini),
        ("/v1beta", Dialect::Gemini),
    ];
    let named = starts.into_iter().find(|(start, _)| path.starts_with(start));
    named.map_or_else(|| by_headers(headers), |(_, dialect)| dialect)
}
