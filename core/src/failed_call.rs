//! The record of a failed call: what the failure log writes and the control plane keeps.
//!
//! A call failed when its caller got 4xx or 5xx, or a stream that did not end well. Attempts of it that failed before
//! leave a record of their own, which is not `final`. The names of the fields are those of the log and of the database;
//! they never change their meaning.
//!
//! Here are the shape and what can be said without looking at bytes: the closed list of our own [`ErrorType`]s, which of
//! the providers' types are known, why an attempt was retried, which parameter a message speaks of. What requests and
//! answers say is read by the dialect crate, and never holds contents: names, counts and hashes only.

mod error_type;
mod param;
mod retry;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Code;
use crate::failure::{Category, Class, ErrorClass};
use crate::id::{KeyId, ProviderId, RequestId, UserId};

pub use error_type::{ErrorType, UNKNOWN_MARK, is_known};
pub use param::leading_path;
pub use retry::RetryReason;

/// In the place of what cannot be known.
pub const UNKNOWN: &str = "unknown";
/// The longest message that is kept, bytes.
pub const MAX_MESSAGE: usize = 2048;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedCall {
    /// Unix milliseconds, the data plane's clock.
    pub timestamp: i64,
    /// Of the caller's tracing, else made of our id; the same for all records of a call.
    pub trace_id: String,
    /// The provider's own id of the call.
    pub request_id: String,
    /// What the provider answered. None: it did not.
    pub http_status_code: Option<u16>,
    /// The provider's word, or an [`ErrorType`] of ours.
    pub error_type: String,
    /// [`UNKNOWN_MARK`] when the type is in no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type_mark: Option<String>,
    /// Masked, at most [`MAX_MESSAGE`] bytes.
    pub error_message: String,
    /// As the caller asked.
    pub model: String,
    /// As the provider was asked, when that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_served: Option<String>,
    /// The provider's URL, without secrets.
    pub endpoint: String,
    /// `name==version`.
    pub client_sdk_version: String,
    /// `Python 3.11.5`.
    pub sdk_language_runtime: String,
    /// Our own id of the call, as the caller reads it in `x-penstock-request-id`.
    pub penstock_request_id: RequestId,
    /// Counts the records of one call, from 0.
    pub number: u32,
    /// False: an attempt that was retried.
    pub r#final: bool,
    pub error_class: ErrorClass,
    pub error_category: Category,
    /// The business code, when the caller got an error of ours.
    pub code: Option<String>,
    /// None: hidden behind `user_id_hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id_hash: Option<String>,
    pub key_id: KeyId,
    pub provider_id: Option<ProviderId>,
    /// `main:529 > backup:200`.
    pub provider_chain: String,
    pub session_id: Option<String>,
    /// The whole call, until this record.
    pub duration_ms: u32,
    /// What the caller saw; of a record that is not final, what the attempt got (0: nothing).
    pub status_code: u16,
    /// `5xx`.
    pub status_family: String,
    /// Of the node that served the call.
    pub data_plane: String,
    /// The client API that was called.
    pub dialect: String,
    #[serde(flatten)]
    pub head: HeadFacts,
    #[serde(flatten)]
    pub body: BodyFacts,
    #[serde(flatten)]
    pub attempt: AttemptFacts,
    #[serde(flatten)]
    pub answer: AnswerFacts,
}

/// What the headers of a request say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadFacts {
    /// The first eight and the last four characters of the caller's key; of a short one the first two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_prefix: Option<String>,
    /// `sha256:…`, over the headers that hold no credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_headers_hash: Option<String>,
    /// Header `x-business-module`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_module: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// By a fixed list of names; of the request, and of the provider's answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_headers: BTreeMap<String, String>,
}

/// What the body of a request asks, without any of its contents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BodyFacts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools_count: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_names: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens_requested: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body_hash: Option<String>,
    /// `text`, `image`, `tool_result`, ….
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_types_in_messages: Vec<String>,
}

/// What the attempt at a provider was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFacts {
    /// As `api_key_prefix`, of the credential that the provider was called with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_key_hint: Option<String>,
    /// Of this attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_time_ms: Option<u32>,
    #[serde(default)]
    pub retry_count: u32,
    /// Why the last attempt before, or this one if it is not final, was tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_reason: Option<RetryReason>,
    /// Scheme and host of the proxy on the way out; else what the caller's proxy says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_used: Option<String>,
    /// The parameter that the error is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_param: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_attempts_log: Vec<LoggedAttempt>,
}

/// What the answer had been when it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerFacts {
    #[serde(default)]
    pub stream_mode: bool,
    #[serde(default)]
    pub stream_error_occurred: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_chunks_received: Option<u64>,
    /// As the provider reported them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens_estimated: Option<u64>,
    /// Media types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_content_types: Vec<String>,
}

/// One attempt, as the record of its call lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedAttempt {
    /// By name.
    pub provider: String,
    /// Since the request arrived.
    pub start_ms: u32,
    pub duration_ms: u32,
    /// None: there was no answer.
    pub status: Option<u16>,
    /// `answered`, `connect`, `timeout`, `broken`, `abandoned`.
    pub end: String,
    /// Of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// The row of the table of errors, or the operator's rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl FailedCall {
    /// As the log and the database have it.
    pub fn to_json(&self) -> String {
        // Cannot fail: all keys are text, and a temperature that JSON cannot say was never read from JSON.
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// The family of a status: `5xx`.
pub fn family(status: u16) -> String {
    match status {
        100..=599 => format!("{}xx", status / 100),
        _ => "none".to_owned(),
    }
}

/// Whose fault a refusal of ours is.
pub fn class_of(code: Code) -> (ErrorClass, Category) {
    match error_type::of_code(code) {
        ErrorType::LimitRefused | ErrorType::AccessRefused | ErrorType::ContentRefused => {
            (ErrorClass::PolicyRejection, Category::Client)
        }
        ErrorType::RequestInvalid | ErrorType::ModelNotFound => {
            (ErrorClass::NonRetryableClientError, Category::Client)
        }
        ErrorType::ClientAbort => (ErrorClass::ClientAbort, Category::Client),
        ErrorType::Timeout | ErrorType::NetworkError | ErrorType::StreamInterrupted => {
            (ErrorClass::SystemError, Category::Network)
        }
        ErrorType::BadAnswer | ErrorType::UpstreamError => (ErrorClass::ProviderError, Category::Server),
        ErrorType::NotConfigured
        | ErrorType::NoProvider
        | ErrorType::LimitsUnavailable
        | ErrorType::Overloaded
        | ErrorType::InternalError => (ErrorClass::SystemError, Category::Server),
    }
}

#[cfg(test)]
mod tests;
