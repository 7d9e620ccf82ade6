//! The closed list of our own error types, and the providers' that are known.

use crate::error::Code;

/// Stands beside a type that is in no list. The type itself is kept.
pub const UNKNOWN_MARK: &str = "unknown_error_type";

/// What an error is called when no provider gave it a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// A time limit of ours ran out before the provider answered.
    Timeout,
    /// No connection, or it broke before an answer.
    NetworkError,
    /// What came is no answer of the API: a page, a redirect, another content type.
    BadAnswer,
    /// The provider answered with an error that has no type.
    UpstreamError,
    /// The provider cannot be called as it is configured.
    NotConfigured,
    /// The answer broke off after it had begun.
    StreamInterrupted,
    /// The caller went away.
    ClientAbort,
    /// A limit of the user, the key or the provider.
    LimitRefused,
    /// Limits could not be checked, and the operator wants no calls then.
    LimitsUnavailable,
    /// The key, or what it may use.
    AccessRefused,
    /// A word rule.
    ContentRefused,
    /// The request cannot be understood, is too large or came too slowly.
    RequestInvalid,
    /// No such model here.
    ModelNotFound,
    /// Nobody could serve the call now.
    NoProvider,
    /// No room on this node.
    Overloaded,
    InternalError,
}

/// Types of Anthropic, `OpenAI`, Google and AWS. Sorted.
const PROVIDERS: &[&str] = &[
    "ABORTED",
    "ALREADY_EXISTS",
    "CANCELLED",
    "DATA_LOSS",
    "DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "OUT_OF_RANGE",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
    "UNIMPLEMENTED",
    "UNKNOWN",
    "access_terminated_error",
    "accessDeniedException",
    "api_error",
    "authentication_error",
    "billing_error",
    "conflict_error",
    "context_length_exceeded",
    "engine_overloaded_error",
    "insufficient_quota",
    "internalServerException",
    "internal_server_error",
    "invalid_api_key",
    "invalid_authentication_error",
    "invalid_request_error",
    "model_not_found",
    "modelErrorException",
    "modelNotReadyException",
    "modelStreamErrorException",
    "modelTimeoutException",
    "not_found_error",
    "overloaded_error",
    "permission_error",
    "rate_limit_error",
    "rate_limit_exceeded",
    "requests",
    "request_too_large",
    "resourceNotFoundException",
    "server_error",
    "serviceQuotaExceededException",
    "serviceUnavailableException",
    "throttlingException",
    "timeout_error",
    "tokens",
    "usage_limit_reached",
    "validationException",
];

impl ErrorType {
    pub const ALL: [Self; 16] = [
        Self::Timeout,
        Self::NetworkError,
        Self::BadAnswer,
        Self::UpstreamError,
        Self::NotConfigured,
        Self::StreamInterrupted,
        Self::ClientAbort,
        Self::LimitRefused,
        Self::LimitsUnavailable,
        Self::AccessRefused,
        Self::ContentRefused,
        Self::RequestInvalid,
        Self::ModelNotFound,
        Self::NoProvider,
        Self::Overloaded,
        Self::InternalError,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::NetworkError => "network_error",
            Self::BadAnswer => "bad_answer",
            Self::UpstreamError => "upstream_error",
            Self::NotConfigured => "not_configured",
            Self::StreamInterrupted => "stream_interrupted",
            Self::ClientAbort => "client_abort",
            Self::LimitRefused => "limit_refused",
            Self::LimitsUnavailable => "limits_unavailable",
            Self::AccessRefused => "access_refused",
            Self::ContentRefused => "content_refused",
            Self::RequestInvalid => "request_invalid",
            Self::ModelNotFound => "no_such_model",
            Self::NoProvider => "no_provider",
            Self::Overloaded => "overloaded",
            Self::InternalError => "internal_error",
        }
    }
}

impl From<Code> for ErrorType {
    fn from(code: Code) -> Self {
        of_code(code)
    }
}

/// Whether the word is in the closed list, or known of a provider.
pub fn is_known(word: &str) -> bool {
    ErrorType::ALL.iter().any(|own| own.as_str() == word)
        || PROVIDERS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// What a refusal of ours is called.
pub(super) fn of_code(code: Code) -> ErrorType {
    match code {
        Code::InvalidRequest
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::UpgradeRequired
        | Code::BodyTimeout
        | Code::RequestTooLarge
        | Code::UnsupportedEncoding => ErrorType::RequestInvalid,
        Code::SensitiveContent => ErrorType::ContentRefused,
        Code::AuthenticationFailed
        | Code::ModelNotAllowed
        | Code::ClientNotAllowed
        | Code::AddressNotAllowed
        | Code::DialectNotAllowed => ErrorType::AccessRefused,
        Code::ModelNotFound => ErrorType::ModelNotFound,
        Code::StrictBudgetUnbounded | Code::RateLimitExceeded | Code::QuotaExceeded => {
            ErrorType::LimitRefused
        }
        Code::LimitsUnavailable => ErrorType::LimitsUnavailable,
        Code::InternalError => ErrorType::InternalError,
        Code::UpstreamError => ErrorType::UpstreamError,
        Code::NoAvailableAccount | Code::ModelUnpriced | Code::TokenRefreshFailed => ErrorType::NoProvider,
        Code::Overloaded => ErrorType::Overloaded,
        Code::RequestTimeout => ErrorType::Timeout,
    }
}
