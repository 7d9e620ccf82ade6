//! Errors of ours, on their way to the caller.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use penstock_core::dialect::Dialect;
use penstock_core::error::{CallerError, Code};
use penstock_core::id::RequestId;
use penstock_dialect::error_shape;
use penstock_dialect::route::RouteError;

use super::answer::{AnswerBody, CODE, json};

const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// For refusals that may clear at any moment.
const SOON: u64 = 1;
/// For refusals that an operator has to clear.
const LATER: u64 = 60;

/// Why a call is answered by us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// For the caller.
    pub(super) error: CallerError,
    /// For the log: what the caller must not read. Never a secret.
    pub(super) detail: Option<String>,
    /// The value of an `allow` header.
    allow: Option<&'static str>,
    /// The request's body was not read to its end: the connection cannot be used again.
    pub(super) close: bool,
    /// The caller went away in the middle of the request.
    pub(super) gone: bool,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        CallerError::new(code, message).into()
    }

    /// Adds what only operators read.
    pub(super) fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// There is nobody left to read it.
    pub(super) fn gone(mut self) -> Self {
        self.gone = true;
        self
    }

    /// No room now: 503.
    pub(super) fn overloaded(detail: &str) -> Self {
        Self::new(Code::Overloaded, "Penstock is overloaded. Try again in a moment.").because(detail)
    }

    /// No key can be known yet: 503.
    pub(super) fn not_ready() -> Self {
        let message = "Penstock has no configuration yet. Try again in a moment.";
        Self::new(Code::Overloaded, message).because("no snapshot is in force")
    }

    /// The answer in the shape of the dialect that was called.
    pub(super) fn answer(&self, dialect: Dialect, id: RequestId) -> Response<AnswerBody> {
        let error = &self.error;
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, error_shape::render(dialect, error, id), id);
        let headers = response.headers_mut();
        headers.insert(CODE, HeaderValue::from_static(error.code.entry().text));
        if let Some(seconds) = error.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if is_lasting(error.code) {
            headers.insert(X_SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<CallerError> for Refusal {
    fn from(mut error: CallerError) -> Self {
        error.retry_after = error.retry_after.or_else(|| retry_after(error.code));
        Self {
            error,
            detail: None,
            allow: None,
            close: false,
            gone: false,
        }
    }
}

impl From<&RouteError> for Refusal {
    fn from(error: &RouteError) -> Self {
        let (code, allow) = match error {
            RouteError::NotFound { .. } => (Code::NotFound, None),
            RouteError::Method { allow, .. } => (Code::MethodNotAllowed, Some(*allow)),
        };
        Self {
            allow,
            ..Self::new(code, error.to_string())
        }
    }
}

/// Every 429 and 503 has one.
fn retry_after(code: Code) -> Option<u64> {
    match code {
        Code::Overloaded => Some(SOON),
        Code::NoAvailableAccount | Code::ModelUnpriced => Some(LATER),
        Code::RateLimitExceeded | Code::QuotaExceeded | Code::LimitsUnavailable => Some(SOON),
        Code::InvalidRequest
        | Code::AuthenticationFailed
        | Code::ModelNotAllowed
        | Code::ModelNotFound
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::BodyTimeout
        | Code::RequestTooLarge
        | Code::UnsupportedEncoding
        | Code::StrictBudgetUnbounded
        | Code::InternalError
        | Code::UpstreamError
        | Code::RequestTimeout => None,
    }
}

/// Whether asking again within a minute is of no use.
fn is_lasting(code: Code) -> bool {
    match code {
        Code::InvalidRequest
        | Code::AuthenticationFailed
        | Code::ModelNotAllowed
        | Code::ModelNotFound
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::RequestTooLarge
        | Code::UnsupportedEncoding
        | Code::StrictBudgetUnbounded
        | Code::ModelUnpriced => true,
        Code::BodyTimeout
        | Code::InternalError
        | Code::UpstreamError
        | Code::NoAvailableAccount
        | Code::RateLimitExceeded
        | Code::QuotaExceeded
        | Code::LimitsUnavailable
        | Code::Overloaded
        | Code::RequestTimeout => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_429_and_503_says_when_to_come_back() {
        for code in Code::ALL {
            let refusal = Refusal::new(code, "x");
            assert_eq!(
                refusal.error.retry_after.is_some(),
                matches!(code.entry().status, 429 | 503),
                "{code:?}"
            );
        }
    }

    #[test]
    fn an_error_names_its_code_and_the_call_in_headers() {
        let id = RequestId::from_parts(1, &[1; 10]);
        let response = Refusal::new(Code::ModelNotAllowed, "no").answer(Dialect::Anthropic, id);
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()["x-penstock-code"], "INVALID_MODEL");
        assert_eq!(response.headers()["x-penstock-request-id"], id.to_string());
        assert_eq!(response.headers()["x-should-retry"], "false");
    }

    #[test]
    fn a_wrong_method_says_which_one_is_right() {
        let error = RouteError::Method {
            dialect: Dialect::Anthropic,
            allow: "POST",
        };
        let response = Refusal::from(&error).answer(error.dialect(), RequestId::from_parts(1, &[1; 10]));
        assert_eq!(response.headers()["allow"], "POST");
    }

    #[test]
    fn s10_what_is_for_operators_does_not_reach_the_caller() {
        let refusal = Refusal::new(Code::UpstreamError, "The provider failed.").because("10.0.0.7 refused");
        let body = error_shape::render(
            Dialect::OpenaiChat,
            &refusal.error,
            RequestId::from_parts(1, &[1; 10]),
        );
        assert!(!String::from_utf8_lossy(&body).contains("10.0.0.7"));
    }
}
