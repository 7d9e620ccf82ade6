//! What a failed request was, for the failure log: names, counts and hashes, never contents.
//!
//! Read only once a call has failed. What is not there or not understood is left out; nothing here can fail. Of streams,
//! whose request is gone when they break, the few headers that matter are kept in [`Kept`], one small allocation.

mod body;
mod kept;
mod sdk;

use std::collections::BTreeMap;

use http::{HeaderMap, Version};
use penstock_core::failed_call::{HeadFacts, UNKNOWN};
use sha2::{Digest, Sha256};

use crate::credentials::is_credential_header;
use crate::mask::mask;

pub use body::body;
pub use kept::Kept;

/// Headers of a request that are logged with their values.
const OF_REQUESTS: [&str; 6] = [
    "anthropic-version",
    "anthropic-beta",
    "openai-beta",
    "x-app",
    "x-stainless-retry-count",
    "x-stainless-timeout",
];
/// Headers of a provider's answer that are.
const OF_ANSWERS: [&str; 5] = [
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "cf-ray",
    "x-deny-reason",
];
/// Longer values are cut, bytes.
const MAX_VALUE: usize = 200;
const MAX_TRACE_ID: usize = 128;

/// What the headers of a request say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The trace that the caller named.
    pub trace_id: Option<String>,
    /// `anthropic-sdk-python==0.28.0`, or `unknown`.
    pub sdk_version: String,
    /// `Python 3.11.5`, or `unknown`.
    pub runtime: String,
    /// `via`, of a proxy before us.
    pub via: Option<String>,
    /// What stands in the record as it is. Without what only the gateway knows.
    pub facts: HeadFacts,
}

/// Reads the headers of a request.
pub fn head(headers: &HeaderMap) -> Head {
    Head {
        facts: HeadFacts {
            request_headers_hash: Some(hash_of(headers)),
            business_module: text(headers, "x-business-module"),
            custom_headers: listed(headers, &OF_REQUESTS),
            ..HeadFacts::default()
        },
        ..few(headers)
    }
}

/// The same without the hash, which needs all headers.
fn few(headers: &HeaderMap) -> Head {
    Head {
        trace_id: trace_id(headers),
        sdk_version: sdk::version(headers).unwrap_or_else(|| UNKNOWN.to_owned()),
        runtime: sdk::runtime(headers).unwrap_or_else(|| UNKNOWN.to_owned()),
        via: text(headers, "via"),
        facts: HeadFacts {
            business_module: text(headers, "x-business-module"),
            custom_headers: listed(headers, &OF_REQUESTS),
            ..HeadFacts::default()
        },
    }
}

/// The listed headers of a provider's answer.
pub fn of_answer(headers: &HeaderMap) -> BTreeMap<String, String> {
    listed(headers, &OF_ANSWERS)
}

/// `sha256:…` of these bytes.
pub fn hash(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// The caller's trace: of `traceparent`, else `x-trace-id`.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let parent = headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split('-').nth(1))
        .filter(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .filter(|id| id.bytes().any(|byte| byte != b'0'));
    if let Some(id) = parent {
        return Some(id.to_ascii_lowercase());
    }
    let id = headers.get("x-trace-id")?.to_str().ok()?.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    let shaped = !id.is_empty() && id.len() <= MAX_TRACE_ID && id.bytes().all(plain);
    shaped.then(|| shown(id.as_bytes()))
}

/// Names and values in an order of their own, so that the same headers give the same hash however they came.
fn hash_of(headers: &HeaderMap) -> String {
    let mut lines: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !is_secret(name.as_str()))
        .map(|(name, value)| [name.as_str().as_bytes(), b":", value.as_bytes(), b"\n"].concat())
        .collect();
    lines.sort_unstable();
    hash(&lines.concat())
}

/// Doubt hides: what is called like a credential is one.
fn is_secret(name: &str) -> bool {
    let words = [
        "auth",
        "token",
        "secret",
        "key",
        "cookie",
        "password",
        "credential",
    ];
    is_credential_header(name) || words.iter().any(|word| name.contains(word))
}

fn listed(headers: &HeaderMap, names: &[&str]) -> BTreeMap<String, String> {
    names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), text(headers, name)?)))
        .collect()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    (!value.is_empty()).then(|| shown(value))
}

/// Masked and cut.
fn shown(value: &[u8]) -> String {
    let value = value.get(..value.len().min(MAX_VALUE)).unwrap_or_default();
    String::from_utf8_lossy(&mask(value, &[])).into_owned()
}

/// A request's or an answer's headers as they may be shown: each with its value, credentials as `***`.
pub fn masked(headers: &HeaderMap) -> BTreeMap<String, String> {
    let value = |name: &str, value: &[u8]| match is_secret(name) {
        true => "***".to_owned(),
        false => shown(value),
    };
    headers
        .iter()
        .map(|(name, bytes)| (name.as_str().to_owned(), value(name.as_str(), bytes.as_bytes())))
        .collect()
}

/// How a version of HTTP is written.
pub fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}
