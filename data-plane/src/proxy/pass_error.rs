//! A provider's error, as the caller may see it.
//!
//! Agents match on wording, so status and body go through; credentials, e-mail and internal addresses and organisation
//! ids are masked. Two kinds are not shown: that the provider refused its credential or wants money (an agent would
//! take it for its own key), and pages of HTML, which are an edge's and not the API's. An error without a readable body
//! keeps its status and gets a body that says so.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, response};
use penstock_core::error::{CallerError, Code};
use penstock_core::usage::Outcome;
use penstock_dialect::error_shape;
use penstock_dialect::headers::client_response_headers;
use penstock_dialect::mask::mask;
use penstock_dialect::upstream_error::UpstreamError;

use super::answer::{AnswerBody, REQUEST_ID, id_value};
use super::attempt::{Media, media_type};
use super::call::{Call, Chosen};
use super::error::Refusal;
use super::settle::End;

/// Of a provider's message in the log, bytes.
const MAX_LOGGED: usize = 2048;

/// Answers with a provider's error, or with ours in its place.
pub(super) fn answer(
    call: &mut Call,
    head: &response::Parts,
    body: &Bytes,
) -> Result<Response<AnswerBody>, Refusal> {
    let masked = mask(body, &[call.chosen.as_ref().map_or("", Chosen::secret)]);
    let told = told(head.status, &masked);
    if let Some(refusal) = replacement(head) {
        return Err(refusal.because(told));
    }
    let silent = masked.trim_ascii().is_empty();
    let shown = match silent {
        true => wordless(call, head.status),
        false => Bytes::from(masked.into_owned()),
    };
    call.answer_begins();
    call.settle(&End {
        outcome: Outcome::UpstreamError,
        status: head.status.as_u16(),
        code: None,
        error: Some(told.into()),
    });
    let mut response = Response::new(AnswerBody::from(shown));
    *response.status_mut() = head.status;
    *response.headers_mut() = client_response_headers(&head.headers, call.dialect, false);
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id_value(call.arrival.id));
    // There is no other provider to wait for instead.
    for name in ["retry-after", "retry-after-ms"] {
        if let Some(value) = head.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    let json = HeaderValue::from_static("application/json");
    match silent {
        true => drop(headers.insert(header::CONTENT_TYPE, json)),
        false => drop(headers.entry(header::CONTENT_TYPE).or_insert(json)),
    }
    Ok(response)
}

/// Clients parse an error's body, so there must be one.
fn wordless(call: &Call, status: StatusCode) -> Bytes {
    let message = format!(
        "The provider answered {} without a readable reason.",
        status.as_u16()
    );
    let error = CallerError::new(Code::UpstreamError, message);
    error_shape::render(call.dialect, &error, call.arrival.id)
}

/// For the log.
fn told(status: StatusCode, masked: &[u8]) -> String {
    let error = UpstreamError::read(masked);
    let mut text = format!("the provider answered {}", status.as_u16());
    for part in [error.kind, error.code, error.message].into_iter().flatten() {
        text.push_str(": ");
        text.push_str(&part);
    }
    text.truncate(text.floor_char_boundary(MAX_LOGGED));
    text
}

/// What is shown instead, if the error itself must not be.
fn replacement(head: &response::Parts) -> Option<Refusal> {
    let is_page = media_type(&head.headers) == Media::Other
        && head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    let unusable = || Refusal::new(Code::UpstreamError, "The provider could not serve this request.");
    match head.status {
        StatusCode::UNAUTHORIZED
        | StatusCode::PAYMENT_REQUIRED
        | StatusCode::FORBIDDEN
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => Some(unusable()),
        StatusCode::PAYLOAD_TOO_LARGE if is_page => {
            let message = "The request is larger than the provider takes.";
            Some(Refusal::new(Code::RequestTooLarge, message))
        }
        _ => is_page.then(unusable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, content_type: &str) -> response::Parts {
        let response = Response::builder()
            .status(status)
            .header("content-type", content_type);
        response.body(()).unwrap().into_parts().0
    }

    #[test]
    fn errors_about_the_providers_own_account_are_not_shown() {
        for status in [401, 402, 403, 407] {
            let refusal = replacement(&head(status, "application/json")).unwrap();
            assert_eq!(refusal.error.status(), 502, "{status}");
        }
        for status in [400, 404, 413, 429, 500, 529] {
            assert_eq!(replacement(&head(status, "application/json")), None, "{status}");
        }
    }

    #[test]
    fn pages_of_an_edge_are_not_shown() {
        let page = |status| {
            replacement(&head(status, "text/html; charset=utf-8"))
                .unwrap()
                .error
                .status()
        };
        assert_eq!((page(413), page(503)), (413, 502));
    }

    #[test]
    fn the_log_says_what_the_provider_said() {
        let body = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        let status = StatusCode::from_u16(529).unwrap();
        assert_eq!(
            told(status, body),
            "the provider answered 529: overloaded_error: Overloaded"
        );
    }
}
