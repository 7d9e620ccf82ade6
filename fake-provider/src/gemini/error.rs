//! Errors in Google's shape.
//!
//! `error_type` is the `status` word, `error_code` the `reason` of an `ErrorInfo`; `retry-after` comes as a `RetryInfo`
//! too, for that is where Google puts it.

use bytes::Bytes;
use http::header;
use serde_json::{Value, json};

use crate::behaviour::Behaviour;
use crate::credential::Refusal;
use crate::sse;

/// The vendor's word and a usual message for a status.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => (
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
        ),
        403 => ("PERMISSION_DENIED", "The caller does not have permission."),
        404 => ("NOT_FOUND", "The model is not found for API version v1beta."),
        429 => (
            "RESOURCE_EXHAUSTED",
            "Resource has been exhausted (e.g. check quota).",
        ),
        499 => ("CANCELLED", "The operation was cancelled."),
        500 => ("INTERNAL", "An internal error has occurred."),
        503 => ("UNAVAILABLE", "The model is overloaded. Please try again later."),
        504 => ("DEADLINE_EXCEEDED", "The request timed out."),
        501..=599 => ("UNKNOWN", "An unknown error has occurred."),
        _ => ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    }
}

fn error(status: u16, behaviour: &Behaviour) -> Value {
    let (word, message) = usual(status);
    let mut details = Vec::new();
    if let Some(reason) = &behaviour.error_code {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
        }));
    }
    let delay = behaviour.headers.get(header::RETRY_AFTER);
    if let Some(seconds) = delay.and_then(|value| value.to_str().ok()) {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s"),
        }));
    }
    json!({"error": {
        "code": status,
        "message": behaviour.error_message.as_deref().unwrap_or(message),
        "status": behaviour.error_type.as_deref().unwrap_or(word),
        "details": details,
    }})
}

/// The body of an error answer.
pub(crate) fn error_body(status: u16, behaviour: &Behaviour) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(&error(status, behaviour)).map(Bytes::from)
}

/// An error within a stream: the same object.
pub(crate) fn error_event(status: u16, behaviour: &Behaviour) -> Result<Bytes, serde_json::Error> {
    sse::of_google(&error(status, behaviour))
}

/// How a bad credential is worded. A bad key is a 400.
pub(crate) fn refused(refusal: Refusal) -> Behaviour {
    match refusal {
        Refusal::Missing => Behaviour::status(403).error(
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers. Please use API Key.",
            None,
        ),
        Refusal::ApiKey => Behaviour::status(400).error(
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            Some("API_KEY_INVALID"),
        ),
        Refusal::Bearer => Behaviour::status(401),
    }
}
