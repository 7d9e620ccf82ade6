//! Errors that come with status 200: which status they would have come with.

use super::Answered;

/// The same, with a status that says something.
pub(super) fn with_status(mut seen: Answered<'_>) -> Answered<'_> {
    if seen.status < 400 {
        let words = [seen.kind_word, seen.code, seen.google_status];
        seen.status = words.into_iter().flatten().find_map(status_of).unwrap_or(500);
    }
    seen
}

/// Google writes the number itself as the code.
fn status_of(word: &str) -> Option<u16> {
    let number = word.parse().ok().filter(|status| (400..600).contains(status));
    number.or_else(|| {
        let known = |(_, words): &&(u16, &[&str])| words.iter().any(|w| w.eq_ignore_ascii_case(word));
        STATUSES.iter().find(known).map(|(status, _)| *status)
    })
}

/// The type that Anthropic's API gives errors of a status, where a status has one.
pub(super) fn type_of(status: u16) -> Option<&'static str> {
    let known = STATUSES.iter().find(|(of, _)| *of == status);
    known.and_then(|(_, words)| words.iter().find(|word| word.ends_with("_error")).copied())
}

#[rustfmt::skip]
const STATUSES: &[(u16, &[&str])] = &[
    (400, &["invalid_request_error", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "validationException"]),
    (401, &["authentication_error", "invalid_api_key", "UNAUTHENTICATED"]),
    (402, &["billing_error"]),
    (403, &["permission_error", "PERMISSION_DENIED"]),
    (404, &["not_found_error", "NOT_FOUND"]),
    (409, &["conflict_error", "ABORTED"]),
    (413, &["request_too_large"]),
    (424, &["modelStreamErrorException", "modelErrorException"]),
    (408, &["modelTimeoutException"]),
    (429, &["rate_limit_error", "rate_limit_exceeded", "insufficient_quota", "RESOURCE_EXHAUSTED", "throttlingException"]),
    (499, &["CANCELLED"]),
    (500, &["api_error", "server_error", "INTERNAL", "internalServerException"]),
    (503, &["UNAVAILABLE", "serviceUnavailableException"]),
    (504, &["timeout_error", "DEADLINE_EXCEEDED"]),
    (529, &["overloaded_error"]),
];
