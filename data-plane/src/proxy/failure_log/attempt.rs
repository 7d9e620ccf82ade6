//! What was seen of an attempt that failed.

use std::collections::BTreeMap;
use std::time::Duration;

use http::uri::Uri;
use penstock_core::failed_call::{ErrorType, MAX_MESSAGE, RetryReason, UNKNOWN, leading_path};
use penstock_core::failure::{Category, ErrorClass, Finding};
use penstock_dialect::facts;
use penstock_dialect::upstream_error::UpstreamError;

use super::super::call::{Call, Chosen};
use super::super::failed::{ErrorAnswer, Failed, Reported};
use super::{hint_of, masked, masked_text};

/// Members of a URL's query that are no secrets.
const SHOWN_QUERY: [&str; 3] = ["api-version", "alt", "beta"];
/// Bodies of errors beyond this are not looked at for an id, bytes.
const MAX_BODY: usize = 64 << 10;

/// See the module. All texts are masked.
pub(in crate::proxy) struct FailedAttempt {
    /// Its place among all attempts of the call.
    pub(in crate::proxy) at: usize,
    pub(super) provider: Chosen,
    pub(super) status: Option<u16>,
    pub(super) error_type: String,
    pub(super) message: String,
    pub(super) param: Option<String>,
    pub(super) request_id: String,
    pub(super) endpoint: String,
    pub(super) hint: Option<String>,
    pub(super) class: ErrorClass,
    pub(super) category: Category,
    pub(super) reason: RetryReason,
    pub(super) took: Duration,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) content_type: Option<String>,
}

impl FailedAttempt {
    /// Of the attempt that has just ended.
    pub(in crate::proxy) fn new(call: &Call, chosen: &Chosen, failed: &Failed, finding: &Finding) -> Self {
        let words = Words::of(chosen, failed);
        let last = call.attempts.last();
        let headers = match failed {
            Failed::Status(answer) => Some(&answer.head.headers),
            Failed::Target(_)
            | Failed::NoEndpoint
            | Failed::Connect { .. }
            | Failed::Timeout(_)
            | Failed::Broken { .. }
            | Failed::Redirect
            | Failed::NoAnswer(_)
            | Failed::Page
            | Failed::ErrorAnswer(_)
            | Failed::NoMemory => None,
        };
        let status = words.status.or(call.failure.answered);
        Self {
            at: call.attempts.len().saturating_sub(1),
            provider: chosen.clone(),
            status,
            error_type: words.error_type,
            param: words.param,
            message: words.message,
            request_id: call
                .upstream_request_id
                .clone()
                .or(words.request_id)
                .unwrap_or_else(|| UNKNOWN.to_owned()),
            endpoint: call
                .failure
                .sent_to
                .as_ref()
                .map_or_else(|| UNKNOWN.to_owned(), shown_uri),
            hint: hint_of(chosen),
            class: finding.error_class(),
            category: finding.category(),
            reason: RetryReason::of(finding, status),
            took: last.map(|last| last.took).unwrap_or_default(),
            headers: headers.map(facts::of_answer).unwrap_or_default(),
            content_type: headers.and_then(media_type),
        }
    }
}

/// What the provider said, or what we say of it.
struct Words {
    status: Option<u16>,
    error_type: String,
    message: String,
    param: Option<String>,
    request_id: Option<String>,
}

impl Words {
    fn of(chosen: &Chosen, failed: &Failed) -> Self {
        match failed {
            Failed::Status(answer) => Self::of_answer(chosen, answer),
            Failed::ErrorAnswer(reported) => Self::of_event(chosen, reported),
            Failed::Timeout(_) => Self::ours(chosen, failed, ErrorType::Timeout),
            Failed::Connect { .. } | Failed::Broken { .. } => {
                Self::ours(chosen, failed, ErrorType::NetworkError)
            }
            Failed::Redirect | Failed::NoAnswer(_) | Failed::Page => {
                Self::ours(chosen, failed, ErrorType::BadAnswer)
            }
            Failed::Target(_) | Failed::NoEndpoint => Self::ours(chosen, failed, ErrorType::NotConfigured),
            Failed::NoMemory => Self::ours(chosen, failed, ErrorType::Overloaded),
        }
    }

    fn of_answer(chosen: &Chosen, answer: &ErrorAnswer) -> Self {
        let body = masked(
            answer
                .body
                .get(..MAX_BODY.min(answer.body.len()))
                .unwrap_or_default(),
            chosen,
        );
        let error = UpstreamError::read(&body);
        let id = request_id_in(&body);
        let status = answer.head.status.as_u16();
        let silent = || format!("the provider answered {status} without a readable reason");
        Self::said(error, Some(status), id, silent)
    }

    fn of_event(chosen: &Chosen, reported: &Reported) -> Self {
        let words = reported
            .words
            .clone()
            .with_texts(|text| masked_text(text.as_bytes(), chosen));
        let silent = || "an error event without a reason".to_owned();
        Self::said(words, Some(200), None, silent)
    }

    fn said(
        error: UpstreamError,
        status: Option<u16>,
        request_id: Option<String>,
        silent: impl FnOnce() -> String,
    ) -> Self {
        let details = error.details.unwrap_or_default();
        let error_type = error.kind.or(details.google_status).or(error.code);
        let message = cut(error.message.unwrap_or_else(silent));
        Self {
            status,
            error_type: error_type.unwrap_or_else(|| ErrorType::UpstreamError.as_str().to_owned()),
            param: details
                .param
                .or_else(|| leading_path(&message).map(str::to_owned)),
            message,
            request_id,
        }
    }

    fn ours(chosen: &Chosen, failed: &Failed, error_type: ErrorType) -> Self {
        let text = masked_text(failed.to_string().as_bytes(), chosen);
        Self {
            status: None,
            error_type: error_type.as_str().to_owned(),
            message: cut(text),
            param: None,
            request_id: None,
        }
    }
}

pub(super) fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_MESSAGE));
    text
}

/// Anthropic writes it beside the error.
fn request_id_in(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Body {
        request_id: Option<String>,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    body.request_id.filter(|id| !id.is_empty() && id.len() <= 256)
}

/// A URL without its user and without what may be secret of its query.
pub(in crate::proxy) fn shown_uri(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("https");
    let host = uri.host().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    let shown = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        SHOWN_QUERY.contains(&name)
    };
    let query: Vec<_> = uri.query().unwrap_or_default().split('&').filter(shown).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{host}{port}{}{mark}{}", uri.path(), query.join("&"))
}

fn media_type(headers: &http::HeaderMap) -> Option<String> {
    let value = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next()?.trim();
    (!essence.is_empty() && essence.len() <= 100).then(|| essence.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s10_a_url_is_shown_without_user_and_without_secrets() {
        let shown = |text: &str| shown_uri(&text.parse().unwrap());
        assert_eq!(
            shown("https://user:secret@host:8443/v1/messages?key=secret&api-version=1&beta=true"),
            "https://host:8443/v1/messages?api-version=1&beta=true"
        );
        assert_eq!(shown("https://host/v1?key=secret"), "https://host/v1");
    }

    #[test]
    fn g14_the_id_in_an_error_body_is_found() {
        let body = br#"{"type":"error","error":{"type":"x"},"request_id":"req_011"}"#;
        assert_eq!(request_id_in(body).as_deref(), Some("req_011"));
        assert_eq!(request_id_in(b"<html>"), None);
    }
}
