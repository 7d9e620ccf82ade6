//! Errors in the vendor's shape.

use bytes::Bytes;
use serde::Serialize;

use crate::behaviour::Behaviour;
use crate::credential::Refusal;
use crate::sse;

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: Inner<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Details<'a> {
    error_code: &'a str,
}

/// The vendor's type and a usual message for a status.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("authentication_error", "invalid x-api-key"),
        402 => (
            "billing_error",
            "Your credit balance is too low to access the Anthropic API.",
        ),
        403 => (
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
        404 => ("not_found_error", "The requested resource could not be found."),
        409 => ("conflict_error", "The resource was changed at the same time."),
        413 => ("request_too_large", "Request exceeds the maximum size."),
        429 => (
            "rate_limit_error",
            "This request would exceed your organization's rate limit.",
        ),
        504 => ("timeout_error", "Request timed out."),
        529 => ("overloaded_error", "Overloaded"),
        500..=599 => ("api_error", "Internal server error"),
        _ => ("invalid_request_error", "The request is invalid."),
    }
}

fn inner(status: u16, behaviour: &Behaviour) -> Inner<'_> {
    let (kind, message) = usual(status);
    Inner {
        kind: behaviour.error_type.as_deref().unwrap_or(kind),
        message: behaviour.error_message.as_deref().unwrap_or(message),
        details: behaviour
            .error_code
            .as_deref()
            .map(|error_code| Details { error_code }),
    }
}

/// The body of an error answer.
pub(crate) fn error_body(
    status: u16,
    behaviour: &Behaviour,
    request_id: &str,
) -> Result<Bytes, serde_json::Error> {
    let body = ErrorBody {
        kind: "error",
        error: inner(status, behaviour),
        request_id: Some(request_id),
    };
    serde_json::to_vec(&body).map(Bytes::from)
}

/// `event: error` within a stream.
pub(crate) fn error_event(status: u16, behaviour: &Behaviour) -> Result<Bytes, serde_json::Error> {
    let body = ErrorBody {
        kind: "error",
        error: inner(status, behaviour),
        request_id: None,
    };
    sse::named("error", &body)
}

/// How a bad credential is worded.
pub(crate) fn refused(refusal: Refusal) -> Behaviour {
    let message = match refusal {
        Refusal::Missing => "x-api-key header is required",
        Refusal::ApiKey => "invalid x-api-key",
        Refusal::Bearer => "Invalid bearer token",
    };
    Behaviour::status(401).error("authentication_error", message, None)
}

/// The value of the `request-id` header.
pub(crate) fn request_id(number: u64) -> String {
    format!("req_fake{number:016}")
}
