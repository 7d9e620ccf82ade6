//! Every error of ours that a caller can get: code, status, and each dialect's words for its kind.
//!
//! This table is the only place that knows them; data planes render it in the shape of the dialect that was called,
//! the ledger and the logs store the code. The rows are those of the error specification.

mod advice;

use serde::{Deserialize, Serialize};

pub use advice::Advice;

use crate::access::{Denied, NotAllowed};
use crate::limits::Exceeded;

/// A business code: stable, searchable, in the body's and the `x-penstock-code` header's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    InvalidRequest,
    /// 400: a word rule.
    SensitiveContent,
    AuthenticationFailed,
    /// 403: the caller's key may not use the model.
    ModelNotAllowed,
    /// 403: the program that calls.
    ClientNotAllowed,
    /// 403: where the call comes from.
    AddressNotAllowed,
    /// 403: the client API.
    DialectNotAllowed,
    /// 404: no enabled provider serves the model at all.
    ModelNotFound,
    NotFound,
    MethodNotAllowed,
    /// 426: a WebSocket was asked for.
    UpgradeRequired,
    BodyTimeout,
    RequestTooLarge,
    UnsupportedEncoding,
    /// 400: what the call could cost has no bound, and a strict budget needs one.
    StrictBudgetUnbounded,
    /// 429: rate or concurrency.
    RateLimitExceeded,
    /// 429: money.
    QuotaExceeded,
    InternalError,
    UpstreamError,
    NoAvailableAccount,
    ModelUnpriced,
    /// 503: whoever could serve the call lacks an access token, and none comes.
    TokenRefreshFailed,
    /// 503: limits cannot be enforced now, and the operator wants no calls then.
    LimitsUnavailable,
    Overloaded,
    RequestTimeout,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As callers and operators read it; two codes may share a text where the status tells them apart.
    pub text: &'static str,
    pub status: u16,
    pub anthropic_type: &'static str,
    pub openai_type: &'static str,
    pub openai_code: &'static str,
    pub gemini_status: &'static str,
}

/// An error of ours on its way to a caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.entry().text)]
pub struct CallerError {
    pub code: Code,
    /// For the caller: no credentials, internal addresses or provider names.
    pub message: String,
    /// Seconds, for the `retry-after` header.
    pub retry_after: Option<u64>,
    /// The limit that refused the call.
    pub limit: Option<Box<Exceeded>>,
}

impl CallerError {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
            limit: None,
        }
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub fn status(&self) -> u16 {
        self.code.entry().status
    }
}

impl From<Exceeded> for CallerError {
    fn from(exceeded: Exceeded) -> Self {
        Self {
            retry_after: Some(exceeded.retry_after),
            limit: Some(Box::new(exceeded)),
            ..Self::new(exceeded.code(), exceeded.message())
        }
    }
}

impl From<Denied> for CallerError {
    fn from(denied: Denied) -> Self {
        Self::new(Code::AuthenticationFailed, denied.to_string())
    }
}

impl From<NotAllowed> for CallerError {
    fn from(refused: NotAllowed) -> Self {
        let code = match &refused {
            NotAllowed::Model { .. } => Code::ModelNotAllowed,
            NotAllowed::Dialect { .. } => Code::DialectNotAllowed,
            NotAllowed::Address { .. } => Code::AddressNotAllowed,
            NotAllowed::Client { .. } | NotAllowed::ClientBlocked { .. } => Code::ClientNotAllowed,
        };
        Self::new(code, refused.to_string())
    }
}

impl Code {
    pub const ALL: [Self; 25] = [
        Self::InvalidRequest,
        Self::SensitiveContent,
        Self::AuthenticationFailed,
        Self::ModelNotAllowed,
        Self::ClientNotAllowed,
        Self::AddressNotAllowed,
        Self::DialectNotAllowed,
        Self::ModelNotFound,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::UpgradeRequired,
        Self::BodyTimeout,
        Self::RequestTooLarge,
        Self::UnsupportedEncoding,
        Self::StrictBudgetUnbounded,
        Self::RateLimitExceeded,
        Self::QuotaExceeded,
        Self::InternalError,
        Self::UpstreamError,
        Self::NoAvailableAccount,
        Self::ModelUnpriced,
        Self::TokenRefreshFailed,
        Self::LimitsUnavailable,
        Self::Overloaded,
        Self::RequestTimeout,
    ];

    pub fn entry(self) -> Entry {
        let (text, status, anthropic_type, openai_type, openai_code, gemini_status) = self.row();
        Entry {
            text,
            status,
            anthropic_type,
            openai_type,
            openai_code,
            gemini_status,
        }
    }

    #[rustfmt::skip]
    fn row(self) -> (&'static str, u16, &'static str, &'static str, &'static str, &'static str) {
        const BAD: &str = "invalid_request_error";
        match self {
            Self::InvalidRequest => ("INVALID_REQUEST", 400, BAD, BAD, "invalid_request", "INVALID_ARGUMENT"),
            Self::SensitiveContent => ("SENSITIVE_CONTENT", 400, BAD, BAD, "content_policy_violation", "INVALID_ARGUMENT"),
            Self::AuthenticationFailed => ("AUTHENTICATION_FAILED", 401, "authentication_error", BAD, "invalid_api_key", "UNAUTHENTICATED"),
            Self::ModelNotAllowed => ("INVALID_MODEL", 403, "permission_error", BAD, "model_not_allowed", "PERMISSION_DENIED"),
            Self::ClientNotAllowed => ("CLIENT_NOT_ALLOWED", 403, "permission_error", BAD, "client_not_allowed", "PERMISSION_DENIED"),
            Self::AddressNotAllowed => ("ADDRESS_NOT_ALLOWED", 403, "permission_error", BAD, "address_not_allowed", "PERMISSION_DENIED"),
            Self::DialectNotAllowed => ("DIALECT_NOT_ALLOWED", 403, "permission_error", BAD, "dialect_not_allowed", "PERMISSION_DENIED"),
            Self::ModelNotFound => ("INVALID_MODEL", 404, "not_found_error", BAD, "model_not_found", "NOT_FOUND"),
            Self::NotFound => ("NOT_FOUND", 404, "not_found_error", BAD, "not_found", "NOT_FOUND"),
            Self::MethodNotAllowed => ("METHOD_NOT_ALLOWED", 405, BAD, BAD, "method_not_allowed", "INVALID_ARGUMENT"),
            Self::UpgradeRequired => ("UPGRADE_REQUIRED", 426, BAD, BAD, "upgrade_required", "INVALID_ARGUMENT"),
            Self::BodyTimeout => ("BODY_TIMEOUT", 408, "timeout_error", BAD, "body_timeout", "DEADLINE_EXCEEDED"),
            Self::RequestTooLarge => ("REQUEST_TOO_LARGE", 413, "request_too_large", BAD, "request_too_large", "INVALID_ARGUMENT"),
            Self::UnsupportedEncoding => ("UNSUPPORTED_ENCODING", 415, BAD, BAD, "unsupported_encoding", "INVALID_ARGUMENT"),
            Self::StrictBudgetUnbounded => ("STRICT_BUDGET_UNBOUNDED", 400, BAD, BAD, "invalid_request", "INVALID_ARGUMENT"),
            Self::RateLimitExceeded => ("RATE_LIMIT_EXCEEDED", 429, "rate_limit_error", "rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED"),
            Self::QuotaExceeded => ("QUOTA_EXCEEDED", 429, "rate_limit_error", "insufficient_quota", "insufficient_quota", "RESOURCE_EXHAUSTED"),
            Self::InternalError => ("INTERNAL_ERROR", 500, "api_error", "server_error", "internal_error", "INTERNAL"),
            Self::UpstreamError => ("UPSTREAM_ERROR", 502, "api_error", "server_error", "upstream_error", "UNAVAILABLE"),
            Self::NoAvailableAccount => ("NO_AVAILABLE_ACCOUNT", 503, "overloaded_error", "server_error", "no_available_account", "UNAVAILABLE"),
            Self::ModelUnpriced => ("MODEL_UNPRICED", 503, "api_error", "server_error", "model_unpriced", "UNAVAILABLE"),
            Self::TokenRefreshFailed => ("TOKEN_REFRESH_FAILED", 503, "api_error", "server_error", "token_refresh_failed", "UNAVAILABLE"),
            Self::LimitsUnavailable => ("LIMITS_UNAVAILABLE", 503, "api_error", "server_error", "limits_unavailable", "UNAVAILABLE"),
            Self::Overloaded => ("OVERLOADED", 503, "overloaded_error", "server_error", "overloaded", "UNAVAILABLE"),
            Self::RequestTimeout => ("REQUEST_TIMEOUT", 504, "timeout_error", "server_error", "timeout", "DEADLINE_EXCEEDED"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_and_has_an_error_status() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let entry = code.entry();
            assert!(
                seen.insert((entry.text, entry.status)),
                "{code:?} repeats another row"
            );
            assert!((400..600).contains(&entry.status));
        }
    }

    #[test]
    fn a02_a_refused_key_is_401_in_every_dialect() {
        let error = CallerError::from(Denied::KeyDisabled);
        assert_eq!(error.status(), 401);
        assert_eq!(error.code.entry().anthropic_type, "authentication_error");
        assert_eq!(error.to_string(), "AUTHENTICATION_FAILED: Key is disabled");
    }
}
