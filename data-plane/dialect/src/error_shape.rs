//! Our own errors in the shape of the dialect that was called.
//!
//! What an error is called in each dialect is core's table; here is the JSON around it. In a stream that has begun
//! the same object is an event, after which the connection ends without the dialect's terminal event, so that no
//! client takes the stream for whole (behaviour C3).
//!
//! A refusal by a limit adds a `penstock` object that says which limit, how full it is and when it resets (D2).

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_core::error::CallerError;
use penstock_core::id::RequestId;
use penstock_core::limits::reading::Amount;
use penstock_core::limits::{Dimension, Exceeded, Level};
use serde::Serialize;

/// The content type of [`render`].
pub const CONTENT_TYPE: &str = "application/json";
/// The content type of streams and of [`event`].
pub const STREAM_CONTENT_TYPE: &str = "text/event-stream";

/// Written when an error cannot be; it always can, since it is text and numbers.
const LAST_RESORT: &str = r#"{"error":{"message":"internal error","type":"api_error"}}"#;

#[derive(Serialize)]
struct Anthropic<'a> {
    r#type: &'static str,
    error: AnthropicError<'a>,
    request_id: String,
}

#[derive(Serialize)]
struct AnthropicError<'a> {
    r#type: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    penstock: Option<Limit>,
}

#[derive(Serialize)]
struct Openai<'a> {
    error: OpenaiError<'a>,
}

#[derive(Serialize)]
struct OpenaiError<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'static str>,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    penstock: Option<Limit>,
}

#[derive(Serialize)]
struct Gemini<'a> {
    error: GeminiError<'a>,
}

#[derive(Serialize)]
struct GeminiError<'a> {
    code: u16,
    message: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    penstock: Option<Limit>,
}

/// The limit that refused the call; the same in every dialect.
#[derive(Serialize)]
struct Limit {
    code: &'static str,
    dimension: Dimension,
    level: Level,
    used: Amount,
    limit: Amount,
    reset_at: Option<String>,
}

/// The body of an error answer; its status is `error.status()`, unless the operator wants another one.
pub fn render(dialect: Dialect, error: &CallerError, request_id: RequestId) -> Bytes {
    let entry = error.code.entry();
    let message = error.message.as_str();
    let penstock = error.limit.as_deref().map(Limit::of);
    let text = match dialect {
        Dialect::Anthropic => serde_json::to_string(&Anthropic {
            r#type: "error",
            error: AnthropicError {
                r#type: entry.anthropic_type,
                message,
                penstock,
            },
            request_id: request_id.to_string(),
        }),
        Dialect::Gemini => serde_json::to_string(&Gemini {
            error: GeminiError {
                code: error.status(),
                message,
                status: entry.gemini_status,
                penstock,
            },
        }),
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => {
            serde_json::to_string(&Openai {
                error: OpenaiError {
                    message,
                    r#type: entry.openai_type,
                    param: None,
                    code: entry.openai_code,
                    penstock,
                },
            })
        }
    };
    text.map_or(Bytes::from_static(LAST_RESORT.as_bytes()), Bytes::from)
}

/// The same as the last event of a stream that has begun.
pub fn event(dialect: Dialect, error: &CallerError, request_id: RequestId) -> Bytes {
    as_event(dialect, &render(dialect, error, request_id))
}

/// An error's body, ours or a provider's, as the last event of a stream that has begun.
pub fn as_event(dialect: Dialect, body: &[u8]) -> Bytes {
    let mut event: Vec<u8> = match dialect {
        Dialect::Anthropic => b"event: error\n".to_vec(),
        Dialect::OpenaiResponses => return responses_event(body),
        Dialect::OpenaiChat | Dialect::OpenaiEmbeddings | Dialect::Gemini => Vec::new(),
    };
    for line in body.split(|byte| matches!(byte, b'\n' | b'\r')) {
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event.into()
}

/// The event has the fields of the error itself, and the error too, for clients that look for that.
fn responses_event(body: &[u8]) -> Bytes {
    let read = serde_json::from_slice(body).unwrap_or_default();
    let error = inner(&read).cloned().unwrap_or_default();
    let field = |name: &str| error.get(name).cloned().unwrap_or_default();
    let event = serde_json::json!({
        "type": "error",
        "code": field("code"),
        "message": field("message"),
        "param": field("param"),
        "error": error,
    });
    format!("event: error\ndata: {event}\n\n").into()
}

/// The error in a body, in a response that failed, or in an event that has its fields itself.
fn inner(said: &serde_json::Value) -> Option<&serde_json::Value> {
    let error = said.get("error").filter(|error| !error.is_null());
    let error = error.or_else(|| said.get("response")?.get("error"));
    let error = error.filter(|error| !error.is_null());
    error.or_else(|| said.get("message").map(|_| said))
}

/// An error event of a Responses stream as the body that such an error has with a status of its own.
pub fn of_responses_event(data: &[u8], status: u16) -> Bytes {
    let said = serde_json::from_slice(data).unwrap_or_default();
    let Some(error) = inner(&said) else {
        return Bytes::copy_from_slice(data);
    };
    let field = |name: &str| error.get(name).cloned().unwrap_or_default();
    let told = match error.get("type").and_then(serde_json::Value::as_str) {
        None | Some("error") => match status {
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        },
        Some(told) => told,
    };
    let body = serde_json::json!({"error": {
        "message": field("message"),
        "type": told,
        "param": field("param"),
        "code": field("code"),
    }});
    body.to_string().into()
}

/// Whether the data of an event is a response that failed, which ends a Responses stream.
pub fn is_failed_response(data: &[u8]) -> bool {
    let said: serde_json::Value = serde_json::from_slice(data).unwrap_or_default();
    said.get("type").is_some_and(|kind| kind == "response.failed")
}

impl Limit {
    fn of(exceeded: &Exceeded) -> Self {
        let dimension = exceeded.dimension;
        let amount = |value| Amount { dimension, value };
        Self {
            code: exceeded.code().entry().text,
            dimension,
            level: exceeded.level,
            used: amount(exceeded.used),
            limit: amount(exceeded.limit),
            reset_at: exceeded.reset_at.map(|at| at.to_string()),
        }
    }
}
