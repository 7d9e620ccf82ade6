//! A request for a token that failed: what happened, what it means, what to do. No text in it holds a secret.

use bytes::Bytes;
use penstock_core::provider::OutboundProxy;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_store::TokenFailure;
use serde_json::Value as Json;

use super::shown;

/// An answer, read whole.
pub(super) struct Answered {
    pub(super) status: u16,
    /// As the server states it.
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

/// What a failure means for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The refresh token, the code or the assertion is refused.
    InvalidGrant,
    /// The client is: wrong id, secret, scope or URL.
    Misconfigured,
    /// It passes.
    Later,
    /// It was sent, and what became of it is unknown.
    Unknown,
    /// No answer of an authorization server: a redirect, a page, a path that is not there. It may pass.
    Strange,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) step: &'static str,
    pub(crate) status: Option<u16>,
    /// The OAuth error code, or empty.
    pub(crate) error: String,
    pub(crate) body: String,
    pub(crate) proxy: String,
    pub(crate) causes: String,
}

impl Fault {
    pub(crate) fn new(kind: Kind, step: &'static str, causes: impl Into<String>) -> Self {
        Self {
            kind,
            step,
            status: None,
            error: String::new(),
            body: String::new(),
            proxy: String::new(),
            causes: causes.into(),
        }
    }

    /// An answer that gives no token.
    pub(super) fn answer(answer: &Answered, known: &[&Secret]) -> Self {
        let status = answer.status;
        let json: Option<Json> = serde_json::from_slice(&answer.body).ok();
        let error = json.as_ref().map(error_code).unwrap_or_default();
        let causes = match error.is_empty() {
            true => format!("the token endpoint answered with status {status}"),
            false => format!("the token endpoint answered with status {status}: {error}"),
        };
        let is_page = answer.body.trim_ascii_start().starts_with(b"<");
        let has_code = json
            .as_ref()
            .and_then(|json| json.get("error"))
            .is_some_and(Json::is_string);
        Self {
            status: Some(status),
            body: match status {
                200..=299 => shown::outline(&answer.content_type, json.as_ref(), answer.body.len()),
                _ => shown::body(json, &answer.body, known),
            },
            error: error.clone(),
            ..Self::new(classify((status, is_page), &error, has_code), "answer", causes)
        }
    }

    /// Scheme and host of the proxy; its user stays out.
    pub(super) fn through(mut self, proxy: Option<&OutboundProxy>) -> Self {
        self.proxy = proxy.map_or_else(String::new, |proxy| {
            format!("{}://{}:{}", proxy.scheme.as_str(), proxy.host, proxy.port)
        });
        self
    }

    /// It may be no fault of the login's: a control plane was killed while it refreshed.
    pub(super) fn after_a_cut(mut self, began: UnixMs) -> Self {
        self.causes = format!(
            "{}; a refresh that began at {began} was cut off, and the server may have given a new refresh token that \
             was lost with it",
            self.causes
        );
        self
    }

    /// What an operator can do.
    pub(crate) fn advice(&self) -> &'static str {
        match (self.kind, self.step) {
            (Kind::InvalidGrant, _) => {
                "The authorization server does not take the login any more: it ended, was revoked, or its refresh token \
                 was used elsewhere. Log in again: penstock oauth login PROVIDER. A service account: give it a new key \
                 file."
            }
            (Kind::Misconfigured, "address") => {
                "The token URL may not be called. Correct it, or start the control plane with --trusted-host HOST \
                 if it is your own authorization server."
            }
            (Kind::Misconfigured, _) => {
                "The authorization server does not accept the client: check the client's id and secret, its scopes and \
                 the token URL (penstock oauth status PROVIDER), then log in again."
            }
            (Kind::Later, "connect") => {
                "The token endpoint cannot be reached from the control plane: check the network, the name, TLS and the \
                 provider's proxy (penstock oauth test PROVIDER). It is tried again by itself."
            }
            (Kind::Later, _) => {
                "The authorization server has a problem of its own. It is tried again by itself."
            }
            (Kind::Strange, _) => {
                "What answered does not speak as an authorization server: check the token URL, and what is between it and \
                 the control plane (penstock oauth test PROVIDER). It is tried again by itself."
            }
            (Kind::Unknown, _) => {
                "The token endpoint was asked and gave no usable answer, twice: the refresh token may be used up. Log in \
                 again: penstock oauth login PROVIDER."
            }
        }
    }

    /// What an operator can do whose login was not accepted: there is nothing yet that would be tried again.
    pub(crate) fn exchange_advice(&self) -> &'static str {
        if self.step == "address" {
            self.advice()
        } else if self.kind == Kind::InvalidGrant {
            "The authorization server does not take the code: it was used, is too old, is cut short, or belongs to another \
             login or client."
        } else if self.kind == Kind::Misconfigured {
            "The authorization server does not accept the client: check the client's id and secret, its redirect URI, its \
             scopes and the token URL (penstock oauth start PROVIDER takes them)."
        } else if self.step == "connect" {
            "The token endpoint cannot be reached from the control plane: check the network, the name, TLS and the \
             provider's proxy (penstock oauth test PROVIDER)."
        } else {
            "The token endpoint gave no usable answer: check the token URL and what is between it and the control plane \
             (penstock oauth test PROVIDER)."
        }
    }

    /// As it is kept.
    pub(super) fn record(&self, at: UnixMs, times: u32, next_try_at: Option<UnixMs>) -> TokenFailure {
        TokenFailure {
            at,
            times,
            step: self.step.to_owned(),
            status: self.status,
            error: self.error.clone(),
            body: self.body.clone(),
            proxy: self.proxy.clone(),
            causes: self.causes.clone(),
            advice: self.advice().to_owned(),
            next_try_at,
        }
    }
}

/// OAuth's own error code; some servers put an object in its place.
fn error_code(answer: &Json) -> String {
    let error = answer.get("error");
    let code = match error {
        Some(Json::String(code)) => Some(code.as_str()),
        Some(object) => ["type", "code", "status"]
            .iter()
            .find_map(|name| object.get(*name)?.as_str()),
        None => None,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    code.unwrap_or_default()
        .chars()
        .filter(|c| plain(*c))
        .take(64)
        .collect()
}

/// `is_page`: the body is HTML or XML. `has_code`: the error is a text, as OAuth has it.
fn classify((status, is_page): (u16, bool), error: &str, has_code: bool) -> Kind {
    match (error, status) {
        ("invalid_grant", _) => Kind::InvalidGrant,
        (
            "invalid_client"
            | "unauthorized_client"
            | "invalid_scope"
            | "invalid_request"
            | "unsupported_grant_type",
            _,
        ) => Kind::Misconfigured,
        ("slow_down" | "temporarily_unavailable" | "server_error" | "rate_limit_error", _) => Kind::Later,
        (_, 408 | 425 | 429 | 500..) => Kind::Later,
        // A page is no authorization server's: a proxy's, or a login page.
        (_, 200..=299) if !is_page => Kind::Unknown,
        // The servers' own words beside the standard's.
        (code, 400 | 401 | 403) if has_code && !code.is_empty() => Kind::Misconfigured,
        (_, _) => Kind::Strange,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, body: &str, known: &[&Secret]) -> Fault {
        let answer = Answered {
            status,
            content_type: "application/json".to_owned(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        Fault::answer(&answer, known)
    }

    fn kind(status: u16, body: &str) -> Kind {
        fault(status, body, &[]).kind
    }

    #[test]
    fn f03_what_an_answer_means_is_the_servers_code_first_and_then_the_status() {
        assert_eq!(kind(400, r#"{"error":"invalid_grant"}"#), Kind::InvalidGrant);
        for code in ["invalid_client", "unauthorized_client", "invalid_scope"] {
            assert_eq!(
                kind(401, &format!(r#"{{"error":"{code}"}}"#)),
                Kind::Misconfigured
            );
        }
        for status in [429, 500, 502, 503, 504, 529] {
            assert_eq!(kind(status, "<html>"), Kind::Later, "{status}");
        }
        assert_eq!(kind(200, r#"{"ok":true}"#), Kind::Unknown);
        assert_eq!(
            kind(403, r#"{"error":"admin_policy_enforced"}"#),
            Kind::Misconfigured
        );
    }

    #[test]
    fn f03_what_is_no_answer_of_an_authorization_server_may_pass() {
        for (status, body) in [
            (404, "not found"),
            (302, ""),
            (403, "<html>blocked</html>"),
            (401, ""),
            (403, r#"{"error":{"type":"permission_error"}}"#),
            (200, " <!doctype html>"),
        ] {
            assert_eq!(kind(status, body), Kind::Strange, "{status} {body}");
        }
    }

    #[test]
    fn f01_tokens_are_masked_wherever_an_answer_has_them() {
        let refresh = Secret::new("rt-hidden-0123456789");
        let body = r#"{"error":"invalid_grant","error_description":"rt-hidden-0123456789 was used","nested":{"access_token":"at-hidden-1"}}"#;
        let told = fault(400, body, &[&refresh]);
        assert!(!told.body.contains("hidden"), "{}", told.body);
        assert!(told.body.contains("was used"), "{}", told.body);
        let plain = fault(500, "token rt-hidden-0123456789 failed", &[&refresh]);
        assert!(!plain.body.contains("hidden"), "{}", plain.body);
    }

    #[test]
    fn f01_of_an_answer_that_said_yes_only_the_outline_is_kept() {
        for body in [
            r#"{"access_token":["hidden-token"],"refreshToken":"hidden-refresh","expires_in":60}"#,
            r#"{"accessToken":"hidden-token","token_type":"bearer"}"#,
            "access_token=hidden-token&refresh_token=hidden-refresh",
            "hidden-token",
            r#"["hidden-token"]"#,
            r#"{"hidden token as a name":1}"#,
        ] {
            let fault = fault(200, body, &[]);
            let all = format!("{fault:?}");
            assert!(!all.contains("hidden"), "{all}");
        }
        let fault = fault(201, r#"{"access_token":1,"token_type":"x"}"#, &[]);
        assert_eq!(
            fault.body,
            "application/json, 35 bytes, members: access_token, token_type"
        );
    }

    #[test]
    fn f03_a_code_that_is_not_taken_is_no_login_that_ended() {
        let told = |kind, step| Fault::new(kind, step, "").exchange_advice();
        assert!(told(Kind::InvalidGrant, "answer").contains("does not take the code"));
        assert!(told(Kind::Misconfigured, "answer").contains("redirect URI"));
        for (kind, step) in [
            (Kind::InvalidGrant, "answer"),
            (Kind::Later, "connect"),
            (Kind::Later, "answer"),
            (Kind::Unknown, "answer"),
        ] {
            let advice = told(kind, step);
            let of_refresh = ["by itself", "refresh token", "service account"];
            assert!(!of_refresh.iter().any(|words| advice.contains(words)), "{advice}");
        }
    }

    #[test]
    fn an_error_may_be_an_object() {
        let body = r#"{"error":{"type":"invalid_grant","message":"m"}}"#;
        let fault = fault(400, body, &[]);
        assert_eq!(
            (fault.kind, fault.error.as_str()),
            (Kind::InvalidGrant, "invalid_grant")
        );
    }
}
