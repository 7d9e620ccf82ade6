//! What the head of an error answer says.

use http::{HeaderMap, header};
use penstock_core::failure::Hints;
use penstock_core::time::UnixMs;

use super::MAX_WORD;
use crate::headers::hints;

/// The head of an error answer, as far as it matters for its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorHead {
    /// When to come back.
    pub hints: Hints,
    /// `x-deny-reason`: what the egress proxy has against the request.
    pub denied: Option<String>,
    /// Bedrock's `x-amzn-errortype`, without what follows the name.
    pub error_type: Option<String>,
    /// The content is HTML.
    pub page: bool,
    /// The content is encoded, though only `identity` was asked for: it was not read.
    pub encoded: bool,
}

impl ErrorHead {
    /// Reads the headers of an error answer.
    pub fn read(headers: &HeaderMap, now: UnixMs) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let word = |name| text(name).filter(|text| !text.is_empty() && text.len() <= MAX_WORD);
        let kind = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
        Self {
            hints: hints(headers, now),
            denied: word("x-deny-reason").map(str::to_owned),
            error_type: text("x-amzn-errortype")
                .map(exception)
                .filter(|name| !name.is_empty() && name.len() <= MAX_WORD)
                .map(str::to_owned),
            encoded: text("content-encoding").is_some_and(|it| !matches!(it.trim(), "" | "identity")),
            page: kind.is_some_and(|kind| {
                kind.get(..9)
                    .is_some_and(|start| start.eq_ignore_ascii_case(b"text/html"))
            }),
        }
    }
}

/// `com.amazon.coral.service#ThrottlingException:http://…` → `ThrottlingException`.
pub(super) fn exception(text: &str) -> &str {
    let name = text.split(':').next().unwrap_or_default();
    name.rsplit('#').next().unwrap_or_default().trim()
}
