//! A provider's error, as the caller may see it.
//!
//! Agents match on wording, so status and body go through; credentials, e-mail and internal addresses and organisation
//! ids are masked. Which errors are shown at all is their class's word: that the provider refused its credential or wants
//! money is not, an agent would take it for its own key. Neither are pages of HTML, which are an edge's and not the API's.
//! An error without a readable body keeps its status and gets a body that says so. One inside an answer with status 200
//! is shown with the status that it should have had, a response that failed in a stream of the Responses API as that stream.
//! An operator's rule may put another
//! status and another text in the place of either.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, response};
use penstock_core::error::{CallerError, Code};
use penstock_core::failure::{Replace, ReplaceBody};
use penstock_core::usage::Outcome;
use penstock_dialect::error_shape;
use penstock_dialect::headers::{client_response_headers, hints};
use penstock_dialect::mask::{mask, mask_text};
use penstock_dialect::upstream_error::UpstreamError;

use super::answer::{AnswerBody, REQUEST_ID, id_value};
use super::attempt::{Media, media_type};
use super::call::{Call, Chosen};
use super::error::Refusal;
use super::settle::End;
use crate::clock;

/// Of a provider's message in the log, bytes.
const MAX_LOGGED: usize = 2048;

/// A provider's error that the caller gets.
pub(super) struct Shown {
    pub(super) chosen: Chosen,
    pub(super) head: response::Parts,
    pub(super) body: Bytes,
    /// The stream that ended with it, masked, where the caller gets that.
    pub(super) events: Option<Bytes>,
    /// What the operator wants in its place.
    pub(super) replace: Option<Arc<Replace>>,
    /// When somebody may serve the call, seconds.
    pub(super) retry_after: Option<u64>,
}

/// Answers with a provider's error, or with ours in its place.
pub(super) fn answer(call: &mut Call, shown: Shown) -> Result<Response<AnswerBody>, Refusal> {
    let head = &shown.head;
    let spoken = shown.chosen.spoken;
    call.chosen = Some(shown.chosen);
    let masked = mask(&shown.body, &[call.secret()]);
    let told = mask_text(told(head.status, &masked), &[call.secret()]);
    if let Some(refusal) = page(head).filter(|_| shown.replace.is_none()) {
        return Err(refusal.because(told));
    }
    if let Some(events) = shown.events {
        return Ok(stream(call, events, told, head));
    }
    let silent = masked.trim_ascii().is_empty();
    let body = match silent {
        true => wordless(call, head.status),
        false if spoken != call.dialect => reworded(call, head.status, &masked),
        false => Bytes::from(masked.into_owned()),
    };
    let (status, body) = replaced(call, shown.replace.as_deref(), head.status, body);
    call.answer_begins();
    call.settle(&End {
        outcome: Outcome::UpstreamError,
        status: call.status_seen(status.as_u16()),
        code: None,
        error: Some(told.into()),
    });
    let mut response = Response::new(AnswerBody::from(body));
    *response.status_mut() = status;
    *response.headers_mut() =
        client_response_headers(&head.headers, call.dialect, spoken, false, call.secret());
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id_value(call.arrival.id));
    come_back(headers, head, shown.retry_after);
    let json = HeaderValue::from_static("application/json");
    match silent || shown.replace.is_some() || spoken != call.dialect {
        true => drop(headers.insert(header::CONTENT_TYPE, json)),
        false => drop(headers.entry(header::CONTENT_TYPE).or_insert(json)),
    }
    Ok(response)
}

/// The provider's stream, which is an error and nothing else.
fn stream(call: &mut Call, events: Bytes, told: String, head: &response::Parts) -> Response<AnswerBody> {
    call.answer_begins();
    call.settle(&End {
        outcome: Outcome::UpstreamError,
        status: 200,
        code: None,
        error: Some(told.into()),
    });
    let mut response = Response::new(AnswerBody::from(events));
    let dialect = call.dialect;
    *response.headers_mut() = client_response_headers(&head.headers, dialect, dialect, true, call.secret());
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id_value(call.arrival.id));
    let events = HeaderValue::from_static(error_shape::STREAM_CONTENT_TYPE);
    headers.insert(header::CONTENT_TYPE, events);
    response
}

/// When to come back: when somebody is there again, else when the provider says so. Its words are not repeated unread.
fn come_back(headers: &mut HeaderMap, head: &response::Parts, retry_after: Option<u64>) {
    let worth = matches!(head.status.as_u16(), 429 | 503 | 529);
    if let Some(seconds) = retry_after.filter(|_| worth) {
        headers.insert(header::RETRY_AFTER, seconds.into());
        return;
    }
    let number = |name| head.headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let exact = number("retry-after-ms");
    if let Some(ms) = exact {
        headers.insert("retry-after-ms", ms.into());
    }
    let date = || {
        hints(&head.headers, clock::now())
            .retry_after
            .filter(|_| exact.is_none())
    };
    if let Some(seconds) = number("retry-after").or_else(|| date().map(|wait| wait.as_secs())) {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
}

/// What an operator's rule wants in the place of status and body.
fn replaced(call: &Call, replace: Option<&Replace>, status: StatusCode, body: Bytes) -> (StatusCode, Bytes) {
    let Some(replace) = replace else {
        return (status, body);
    };
    let wanted = replace
        .status
        .and_then(|status| StatusCode::from_u16(status).ok());
    let body = match &replace.body {
        Some(ReplaceBody::Message(message)) => {
            let error = CallerError::new(Code::UpstreamError, message);
            error_shape::render(call.dialect, &error, call.arrival.id)
        }
        Some(ReplaceBody::Json(json)) => json.clone().into(),
        None => body,
    };
    (wanted.unwrap_or(status), body)
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

/// The words of an error of another dialect, in the caller's.
fn reworded(call: &Call, status: StatusCode, masked: &[u8]) -> Bytes {
    let code = match status.as_u16() {
        401 => Code::AuthenticationFailed,
        403 => Code::ModelNotAllowed,
        404 => Code::ModelNotFound,
        413 => Code::RequestTooLarge,
        429 => Code::RateLimitExceeded,
        503 | 529 => Code::Overloaded,
        504 => Code::RequestTimeout,
        400..=499 => Code::InvalidRequest,
        _ => Code::UpstreamError,
    };
    match UpstreamError::read(masked).message {
        Some(message) => {
            let error = CallerError::new(code, mask_text(message, &[call.secret()]));
            error_shape::render(call.dialect, &error, call.arrival.id)
        }
        None => wordless(call, status),
    }
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

/// What is shown in the place of a page.
fn page(head: &response::Parts) -> Option<Refusal> {
    let is_page = media_type(&head.headers) == Media::Page;
    is_page.then(|| match head.status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let message = "The request is larger than the provider takes.";
            Refusal::new(Code::RequestTooLarge, message)
        }
        _ => Refusal::new(Code::UpstreamError, "The provider could not serve this request."),
    })
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
    fn s10_when_to_come_back_is_told_as_numbers_and_nothing_unread() {
        let told = |name: &'static str, value: &'static str| {
            let mut head = head(429, "application/json");
            head.headers.insert(name, HeaderValue::from_static(value));
            let mut headers = HeaderMap::new();
            come_back(&mut headers, &head, None);
            let told = headers.get(name).or_else(|| headers.get(header::RETRY_AFTER));
            told.map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(told("retry-after", "7").as_deref(), Some("7"));
        assert_eq!(told("retry-after-ms", "1500").as_deref(), Some("1500"));
        assert_eq!(told("retry-after", "sk-secret-0123456789"), None);
        assert_eq!(told("retry-after-ms", "soon"), None);
        let date = told("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT").unwrap();
        assert!(date.parse::<u64>().is_ok(), "{date}");
    }

    #[test]
    fn pages_of_an_edge_are_not_shown() {
        let page = |status| {
            page(&head(status, "text/html; charset=utf-8"))
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
