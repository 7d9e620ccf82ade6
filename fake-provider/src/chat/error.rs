//! Errors in the vendor's shape.

use bytes::Bytes;
use serde::Serialize;

use crate::behaviour::Behaviour;
use crate::credential::Refusal;
use crate::sse;

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

type Usual = (&'static str, &'static str, Option<&'static str>);

/// The vendor's type, a usual message and the code for a status.
fn usual(status: u16) -> Usual {
    const INVALID: &str = "invalid_request_error";
    match status {
        401 => (INVALID, "Incorrect API key provided.", Some("invalid_api_key")),
        403 => (INVALID, "You are not allowed to do this.", None),
        404 => (INVALID, "The requested resource does not exist.", None),
        413 => (INVALID, "The request is too large.", None),
        429 => (
            "requests",
            "Rate limit reached for requests. Please try again in 1.5s.",
            Some("rate_limit_exceeded"),
        ),
        503 => (
            "server_error",
            "The server is currently overloaded with other requests.",
            Some("server_is_overloaded"),
        ),
        500..=599 => (
            "server_error",
            "The server had an error while processing your request.",
            None,
        ),
        _ => (INVALID, "The request is invalid.", None),
    }
}

fn inner(status: u16, behaviour: &Behaviour) -> Inner<'_> {
    let (kind, message, code) = usual(status);
    // The usual code goes with the usual type only.
    let usual_code = code.filter(|_| behaviour.error_type.is_none());
    Inner {
        message: behaviour.error_message.as_deref().unwrap_or(message),
        kind: behaviour.error_type.as_deref().unwrap_or(kind),
        param: None,
        code: behaviour.error_code.as_deref().or(usual_code),
    }
}

/// The body of an error answer.
pub(crate) fn error_body(status: u16, behaviour: &Behaviour) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(&ErrorBody {
        error: inner(status, behaviour),
    })
    .map(Bytes::from)
}

/// An error within a stream.
pub(crate) fn error_event(status: u16, behaviour: &Behaviour) -> Result<Bytes, serde_json::Error> {
    sse::unnamed(&ErrorBody {
        error: inner(status, behaviour),
    })
}

/// How a bad credential is worded.
pub(crate) fn refused(refusal: Refusal) -> Behaviour {
    const INVALID: &str = "invalid_request_error";
    let refused = Behaviour::status(401);
    match refusal {
        Refusal::Missing => refused.error(INVALID, "You didn't provide an API key.", None),
        Refusal::ApiKey | Refusal::Bearer => refused.error(
            INVALID,
            "Incorrect API key provided: ********. You can find your API key in your account.",
            Some("invalid_api_key"),
        ),
    }
}

/// The value of the `x-request-id` header.
pub(crate) fn request_id(number: u64) -> String {
    format!("req_{number:032x}")
}
