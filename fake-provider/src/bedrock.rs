//! Anthropic's answers as Amazon Bedrock gives them: its frames, its errors, its headers.
//!
//! Each event is a message of its own: a prelude of total length, length of the headers and a CRC-32 of both, then
//! headers, payload and a CRC-32 of all before. The payload has Anthropic's event in base64. An error within a stream is
//! a message of type `exception`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

use crate::behaviour::Behaviour;
use crate::credential::Refusal;
use crate::draft::Draft;
use crate::step::Event;

/// Type of a text in the headers of a frame.
const TEXT: u8 = 7;
/// Total length, length of the headers, and their CRC.
const PRELUDE: usize = 12;
const CRC: usize = 4;

/// The name of the error and a usual message for a status.
fn usual(status: u16) -> (&'static str, &'static str) {
    match status {
        403 => (
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
        ),
        404 => (
            "ResourceNotFoundException",
            "Could not resolve the foundation model.",
        ),
        408 => (
            "ModelTimeoutException",
            "Model has timed out in processing the request.",
        ),
        424 => (
            "ModelErrorException",
            "The system encountered an error with the model.",
        ),
        429 => (
            "ThrottlingException",
            "Too many requests, please wait before trying again.",
        ),
        503 | 529 => (
            "ServiceUnavailableException",
            "Bedrock is unable to process your request.",
        ),
        500..=599 => (
            "InternalServerException",
            "The system encountered an unexpected error during processing.",
        ),
        _ => (
            "ValidationException",
            "Malformed input request, please reformat your input.",
        ),
    }
}

/// What the head of an error answer calls it.
pub(crate) fn error_name(status: u16, behaviour: &Behaviour) -> String {
    behaviour
        .error_type
        .clone()
        .unwrap_or_else(|| usual(status).0.to_owned())
}

/// The body of an error answer.
pub(crate) fn error_body(status: u16, behaviour: &Behaviour) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(&said(status, behaviour)).map(Bytes::from)
}

/// An error within a stream.
pub(crate) fn exception(status: u16, behaviour: &Behaviour) -> Result<Bytes, serde_json::Error> {
    let mut name = error_name(status, behaviour);
    // In a stream the names begin with a small letter.
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let headers = [
        (":exception-type", name.as_str()),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    Ok(message(&headers, &serde_json::to_vec(&said(status, behaviour))?))
}

/// How a bad credential is worded.
pub(crate) fn refused(refusal: Refusal) -> Behaviour {
    let (kind, message) = match refusal {
        Refusal::Missing => (
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        Refusal::ApiKey | Refusal::Bearer => (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    };
    Behaviour::status(403).error(kind, message, None)
}

/// Anthropic's events in frames; the last one has the metrics of the call.
pub(crate) fn framed(events: Vec<Event>, draft: &Draft) -> Vec<Event> {
    let last = events.len().saturating_sub(1);
    let frame = |(index, event): (usize, Event)| Event {
        bytes: frame(&event.bytes, (index == last).then(|| metrics(draft))),
        report: event.report,
    };
    events.into_iter().enumerate().map(frame).collect()
}

/// One server-sent event in a frame, with more members in its data.
pub(crate) fn frame(event: &[u8], more: Option<Value>) -> Bytes {
    let text = String::from_utf8_lossy(event);
    let data = text.lines().find_map(|line| line.strip_prefix("data: "));
    let mut data = data.unwrap_or_default().to_owned();
    if let Some(more) = more
        && let Ok(Value::Object(mut object)) = serde_json::from_str::<Value>(&data)
    {
        object.insert("amazon-bedrock-invocationMetrics".to_owned(), more);
        data = Value::Object(object).to_string();
    }
    let payload = json!({"bytes": STANDARD.encode(data), "p": "abcdefghijk"});
    let headers = [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    message(&headers, payload.to_string().as_bytes())
}

/// What the head of an answer that is not streamed says of its usage.
pub(crate) fn usage_headers(draft: &Draft) -> [(&'static str, u64); 4] {
    let usage = &draft.usage;
    [
        ("x-amzn-bedrock-input-token-count", usage.input),
        ("x-amzn-bedrock-output-token-count", usage.output),
        ("x-amzn-bedrock-cache-read-input-token-count", usage.cache_read),
        (
            "x-amzn-bedrock-cache-write-input-token-count",
            usage.cache_write_5m + usage.cache_write_1h,
        ),
    ]
}

fn said(status: u16, behaviour: &Behaviour) -> Value {
    let (_, message) = usual(status);
    let message = behaviour.error_message.as_deref().unwrap_or(message);
    json!({ "message": message })
}

fn metrics(draft: &Draft) -> Value {
    json!({
        "inputTokenCount": draft.usage.input,
        "outputTokenCount": draft.usage.output,
        "invocationLatency": 20,
        "firstByteLatency": 5,
    })
}

/// The names and values are ours, so they fit their lengths.
fn message(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut fields = BytesMut::new();
    for (name, value) in headers {
        fields.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
        fields.put_slice(name.as_bytes());
        fields.put_u8(TEXT);
        fields.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        fields.put_slice(value.as_bytes());
    }
    let total = PRELUDE + fields.len() + payload.len() + CRC;
    let mut message = BytesMut::with_capacity(total);
    message.put_u32(u32::try_from(total).unwrap_or(u32::MAX));
    message.put_u32(u32::try_from(fields.len()).unwrap_or(u32::MAX));
    message.put_u32(crc32fast::hash(&message));
    message.put_slice(&fields);
    message.put_slice(payload);
    message.put_u32(crc32fast::hash(&message));
    message.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_states_its_lengths_and_checksums() {
        let frame = frame(b"event: ping\ndata: {\"type\":\"ping\"}\n\n", None);
        let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        assert_eq!(number(0) as usize, frame.len());
        assert_eq!(number(8), crc32fast::hash(&frame[..8]));
        let end = frame.len() - 4;
        assert_eq!(number(end), crc32fast::hash(&frame[..end]));
        let payload = &frame[12 + number(4) as usize..end];
        let payload: Value = serde_json::from_slice(payload).unwrap();
        let inner = STANDARD.decode(payload["bytes"].as_str().unwrap()).unwrap();
        assert_eq!(inner, b"{\"type\":\"ping\"}");
    }
}
