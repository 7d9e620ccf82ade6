//! Errors of ours, on their way to the caller.
//!
//! A refusal by a limit says in headers which limit it is, what is left of it and when to come back (D2): amounts in
//! the dimension's unit, USD for money. Clients are told not to try again when it would take more than a minute.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use penstock_core::dialect::Dialect;
use penstock_core::error::{CallerError, Code};
use penstock_core::id::RequestId;
use penstock_core::limits::Exceeded;
use penstock_core::limits::exceeded::WORTH_A_RETRY;
use penstock_dialect::bound::Unbounded;
use penstock_dialect::error_shape;
use penstock_dialect::mask::mask_known;
use penstock_dialect::route::RouteError;

use super::answer::{AnswerBody, CODE, json};

const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const X_RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RATELIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
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
    /// In place of the code's own status.
    status: Option<u16>,
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

    /// Takes out of what operators read what a provider may have repeated.
    pub(super) fn masked(mut self, secret: &str) -> Self {
        self.detail = self.detail.map(|detail| mask_known(detail, &[secret]));
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

    /// Limits cannot be enforced now, and the operator wants no calls then: 503.
    pub(super) fn limits_unavailable(detail: &str) -> Self {
        let message = "Limits cannot be checked now. Try again in a moment.";
        Self::new(Code::LimitsUnavailable, message).because(detail)
    }

    /// The operator's status for budgets that are used up, 429 or 402. Other errors keep theirs, and the words of the
    /// body stay.
    pub(super) fn quota_status(mut self, status: u16) -> Self {
        if self.error.code == Code::QuotaExceeded {
            self.status = Some(status);
        }
        self
    }

    /// What the caller sees.
    pub(super) fn status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.error.status())
    }

    /// Whether asking again within a minute is of no use.
    fn is_lasting(&self) -> bool {
        match &self.error.limit {
            Some(exceeded) => exceeded.is_lasting(),
            None => is_lasting(self.error.code) || self.error.retry_after.is_some_and(|s| s > WORTH_A_RETRY),
        }
    }

    /// The answer in the shape of the dialect that was called.
    pub(super) fn answer(&self, dialect: Dialect, id: RequestId) -> Response<AnswerBody> {
        let error = &self.error;
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, error_shape::render(dialect, error, id), id);
        let headers = response.headers_mut();
        headers.insert(CODE, HeaderValue::from_static(error.code.entry().text));
        if let Some(seconds) = error.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(exceeded) = &error.limit {
            name_limit(headers, exceeded);
        }
        if self.is_lasting() {
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
            status: None,
            close: false,
            gone: false,
        }
    }
}

impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        CallerError::from(exceeded).into()
    }
}

impl From<Unbounded> for Refusal {
    fn from(error: Unbounded) -> Self {
        Self::new(Code::StrictBudgetUnbounded, error.to_string())
    }
}

impl From<&RouteError> for Refusal {
    fn from(error: &RouteError) -> Self {
        let (code, allow) = match error {
            RouteError::NotFound { .. } => (Code::NotFound, None),
            RouteError::Method { allow, .. } => (Code::MethodNotAllowed, Some(*allow)),
            RouteError::WebSocket => (Code::UpgradeRequired, None),
        };
        Self {
            allow,
            ..Self::new(code, error.to_string())
        }
    }
}

fn name_limit(headers: &mut HeaderMap, exceeded: &Exceeded) {
    let left = exceeded.limit.saturating_sub(exceeded.used);
    for (name, amount) in [(X_RATELIMIT_LIMIT, exceeded.limit), (X_RATELIMIT_REMAINING, left)] {
        if let Ok(value) = HeaderValue::try_from(exceeded.amount(amount)) {
            headers.insert(name, value);
        }
    }
    if let Some(at) = exceeded.reset_at {
        // Rounded up: at the second that is stated the window has ended.
        let seconds = at.0.saturating_add(999).div_euclid(1000);
        headers.insert(X_RATELIMIT_RESET, seconds.into());
    }
}

/// Every 429 and 503 has one.
fn retry_after(code: Code) -> Option<u64> {
    match code {
        Code::Overloaded => Some(SOON),
        Code::NoAvailableAccount | Code::ModelUnpriced | Code::TokenRefreshFailed => Some(LATER),
        Code::RateLimitExceeded | Code::QuotaExceeded | Code::LimitsUnavailable => Some(SOON),
        Code::InvalidRequest
        | Code::SensitiveContent
        | Code::AuthenticationFailed
        | Code::ModelNotAllowed
        | Code::ClientNotAllowed
        | Code::AddressNotAllowed
        | Code::DialectNotAllowed
        | Code::ModelNotFound
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::UpgradeRequired
        | Code::BodyTimeout
        | Code::RequestTooLarge
        | Code::UnsupportedEncoding
        | Code::StrictBudgetUnbounded
        | Code::InternalError
        | Code::UpstreamError
        | Code::RequestTimeout => None,
    }
}

/// Whether the error stays until somebody changes something.
fn is_lasting(code: Code) -> bool {
    match code {
        Code::InvalidRequest
        | Code::SensitiveContent
        | Code::AuthenticationFailed
        | Code::ModelNotAllowed
        | Code::ClientNotAllowed
        | Code::AddressNotAllowed
        | Code::DialectNotAllowed
        | Code::ModelNotFound
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::UpgradeRequired
        | Code::RequestTooLarge
        | Code::UnsupportedEncoding
        | Code::StrictBudgetUnbounded
        | Code::ModelUnpriced => true,
        Code::BodyTimeout
        | Code::InternalError
        | Code::UpstreamError
        | Code::NoAvailableAccount
        | Code::TokenRefreshFailed
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
    use penstock_core::limits::{Dimension, Level};
    use penstock_core::time::UnixMs;
    use penstock_dialect::bound::What;

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

    fn exceeded() -> Exceeded {
        Exceeded {
            level: Level::User,
            dimension: Dimension::UsdDaily,
            used: 2_500_000_000,
            limit: 4_000_000_000,
            reset_at: Some(UnixMs(1_700_000_000_001)),
            retry_after: 61,
        }
    }

    fn answered(refusal: &Refusal) -> (u16, Vec<String>) {
        let response = refusal.answer(Dialect::OpenaiChat, RequestId::from_parts(1, &[1; 10]));
        let names = [
            "retry-after",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "x-should-retry",
        ];
        let value = |name| response.headers().get(name).map_or("-", |v| v.to_str().unwrap());
        (
            response.status().as_u16(),
            names.map(value).map(str::to_owned).to_vec(),
        )
    }

    #[test]
    fn d02_a_refusal_by_a_limit_says_so_in_headers() {
        let money = exceeded();
        let told = ["61", "4", "1.5", "1700000001", "false"].map(str::to_owned);
        assert_eq!(answered(&money.into()), (429, told.to_vec()));
        let rate = Exceeded {
            dimension: Dimension::Rpm,
            used: 12,
            limit: 10,
            reset_at: None,
            retry_after: 60,
            ..money
        };
        let told = ["60", "10", "0", "-", "-"].map(str::to_owned);
        assert_eq!(answered(&rate.into()), (429, told.to_vec()));
    }

    #[test]
    fn d02_operators_may_want_402_for_money_and_only_for_money() {
        let money = Refusal::from(exceeded()).quota_status(402);
        assert_eq!((answered(&money).0, money.status()), (402, 402));
        assert_eq!(money.error.code.entry().openai_code, "insufficient_quota");
        let rate = Exceeded {
            dimension: Dimension::Tpm,
            ..exceeded()
        };
        assert_eq!(Refusal::from(rate).quota_status(402).status(), 429);
    }

    #[test]
    fn d05_limits_that_cannot_be_checked_are_503_for_a_moment() {
        let refusal = Refusal::limits_unavailable("Redis is away");
        assert_eq!(refusal.error.code.entry().text, "LIMITS_UNAVAILABLE");
        let told = ["1", "-", "-", "-", "-"].map(str::to_owned);
        assert_eq!(answered(&refusal), (503, told.to_vec()));
    }

    #[test]
    fn d04_what_has_no_bound_is_400_and_says_what() {
        let refusal = Refusal::from(Unbounded::from(What::WebSearchOptions));
        assert_eq!(refusal.status(), 400);
        assert_eq!(refusal.error.code.entry().text, "STRICT_BUDGET_UNBOUNDED");
        assert!(refusal.error.message.contains("web_search_options"));
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
