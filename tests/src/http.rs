//! Requests as clients send them.

use std::time::Duration;

use serde_json::{Value, json};

/// A client without retries.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(120))
        .build()
        .unwrap_or_default()
}

/// A Messages request.
pub fn anthropic_body(text: &str, stream: bool) -> Value {
    json!({
        "model": "claude-opus-4-8",
        "max_tokens": 100,
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
    })
}

/// A chat completions request.
pub fn chat_body(text: &str, stream: bool) -> Value {
    json!({"model": "gpt-5.5", "stream": stream, "messages": [{"role": "user", "content": text}]})
}
