//! Anthropic's events in Bedrock's frames.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::json;

use crate::aws::event_stream::{Broken, Decoder, Message, encode, encode_exception};
use crate::json::{Members, Value};
use crate::upstream_error::UpstreamError;

const MAX_WORD: usize = 64;

/// A provider's frames in, server-sent events out.
#[derive(Debug, Default)]
pub struct Unframer {
    decoder: Decoder,
    /// Told with the next chunk, so that the events in front of it are not lost.
    broken: Option<Broken>,
}

impl Unframer {
    /// The events that are complete with this chunk. A fault behind some of them is told with the next chunk, or by
    /// [`finish`](Self::finish).
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, Broken> {
        self.finish()?;
        self.decoder.push(chunk);
        let mut events = BytesMut::new();
        for message in &mut self.decoder {
            let read = message.and_then(|message| event(&message, &mut events));
            if let Err(broken) = read {
                self.broken = Some(broken);
                break;
            }
        }
        match events.is_empty() {
            true => self.finish().map(|()| Bytes::new()),
            false => Ok(events.freeze()),
        }
    }

    /// The stream has ended.
    pub fn finish(&self) -> Result<(), Broken> {
        self.broken.map_or(Ok(()), Err)
    }
}

fn event(message: &Message, events: &mut BytesMut) -> Result<(), Broken> {
    match message.message_type() {
        Some("exception" | "error") => {
            let words = UpstreamError::read(&message.payload);
            let name = message.exception_type().unwrap_or_default();
            let said = message.text(":error-message").unwrap_or(name);
            let error = json!({
                "type": "error",
                "error": {
                    "type": error_type(name),
                    "message": words.message.as_deref().unwrap_or(said),
                },
            });
            put(events, "error", error.to_string().as_bytes());
        }
        _ => {
            if let Some(data) = data(&message.payload)? {
                let kind =
                    member(&data, b"type").and_then(|kind| Some(kind.short_text(MAX_WORD)?.into_owned()));
                put(events, kind.as_deref().unwrap_or("message"), &data);
            }
        }
    }
    Ok(())
}

fn put(events: &mut BytesMut, name: &str, data: &[u8]) {
    events.put(&b"event: "[..]);
    events.put(name.as_bytes());
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        events.put(&b"\ndata: "[..]);
        events.put(line);
    }
    events.put(&b"\n\n"[..]);
}

/// The event that a message carries; None: it carries none. JSON may have the slashes of base64 as `\/`.
fn data(payload: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
    let Some(bytes) = member(payload, b"bytes") else {
        return Ok(None);
    };
    let text = bytes.text().and_then(Result::ok).ok_or(Broken::Payload)?;
    let data = STANDARD.decode(&*text).map_err(|_| Broken::Payload)?;
    Ok(Some(data))
}

fn member<'a>(object: &'a [u8], name: &[u8]) -> Option<Value<'a>> {
    let mut members = Members::open(object).ok()?;
    while let Some(member) = members.next().ok()? {
        if member.key.name().as_deref() == Some(name) {
            return Some(member.value);
        }
    }
    None
}

/// What an exception is called in Anthropic's API.
fn error_type(exception: &str) -> &'static str {
    match exception {
        "throttlingException" => "rate_limit_error",
        "serviceUnavailableException" => "overloaded_error",
        "validationException" => "invalid_request_error",
        "modelTimeoutException" => "timeout_error",
        _ => "api_error",
    }
}

fn exception(error_type: &str) -> &'static str {
    match error_type {
        "rate_limit_error" => "throttlingException",
        "overloaded_error" => "serviceUnavailableException",
        "invalid_request_error" => "validationException",
        "timeout_error" => "modelTimeoutException",
        "api_error" => "internalServerException",
        _ => "modelStreamErrorException",
    }
}

/// An event in a frame of its own.
pub(super) fn framed(name: Option<&str>, data: &[u8]) -> Bytes {
    if name == Some("error") {
        let words = UpstreamError::read(data);
        let said = json!({ "message": words.message.unwrap_or_default() });
        let kind = words.kind.unwrap_or_default();
        return encode_exception(exception(&kind), said.to_string().as_bytes());
    }
    let payload = json!({ "bytes": STANDARD.encode(data) });
    encode("chunk", payload.to_string().as_bytes())
}
