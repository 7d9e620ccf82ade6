//! The requests that the bench sends: the same bytes in every run.

mod agent;
mod source;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde::Serialize;

pub(crate) use agent::agent;

/// A model with a shipped price, so that each call is charged.
const MODEL: &str = "claude-sonnet-4-5";

#[derive(Serialize)]
struct Small<'a> {
    model: &'a str,
    max_tokens: u32,
    messages: [Message<'a>; 1],
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

/// A short question, not streamed, of exactly so many bytes.
pub(crate) fn small(bytes: usize) -> Result<Bytes> {
    let write = |content: &str| {
        let messages = [Message {
            role: "user",
            content,
        }];
        serde_json::to_vec(&Small {
            model: MODEL,
            max_tokens: 256,
            messages,
        })
    };
    let room = bytes
        .checked_sub(write("")?.len())
        .context("a request cannot be that small")?;
    Ok(write(&padding(room))?.into())
}

/// A request for a stream that comes as these words of the fake's say: see `Behaviour::parse` there.
pub(crate) fn streamed(words: &str) -> Result<Bytes> {
    let content = format!("Say something. [[fake {words}]]");
    let body = serde_json::json!({
        "model": MODEL,
        "max_tokens": 256,
        "messages": [{"role": "user", "content": content}],
        "stream": true,
    });
    Ok(serde_json::to_vec(&body)?.into())
}

/// Words that JSON writes as they are.
fn padding(bytes: usize) -> String {
    "Say in one line what this function does and whether it can fail. "
        .chars()
        .cycle()
        .take(bytes)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_request_has_the_size_asked_for_and_is_json() {
        let body = small(1024).unwrap();
        assert_eq!(body.len(), 1024);
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["messages"][0]["role"], "user");
        assert!(json.get("stream").is_none());
    }

    #[test]
    fn a_size_below_the_frame_is_an_error() {
        assert!(small(10).is_err());
    }
}
