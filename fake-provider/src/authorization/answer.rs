//! What is asked of an authorization server, and what it answers.

use std::collections::HashMap;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
    pub(super) location: Option<String>,
}

impl Answer {
    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        Self {
            status,
            body: body.to_string(),
            location: None,
        }
    }

    pub(super) fn error(status: StatusCode, error: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": error }))
    }

    pub(super) fn redirect(to: String) -> Self {
        Self {
            status: StatusCode::FOUND,
            body: String::new(),
            location: Some(to),
        }
    }
}

/// Of a form or of JSON; of a client in an `Authorization` header too.
pub(super) fn fields(headers: &HeaderMap, body: &[u8]) -> HashMap<String, String> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    match content_type {
        Some("application/json") => {
            let json: HashMap<String, Value> = serde_json::from_slice(body).unwrap_or_default();
            let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
            json.into_iter().filter_map(text).collect()
        }
        _ => form_urlencoded::parse(body).into_owned().collect(),
    }
}
