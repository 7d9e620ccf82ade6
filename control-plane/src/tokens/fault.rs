//! A request for a token that failed: what happened, what it means, what to do. No text in it holds a secret.

use penstock_core::provider::OutboundProxy;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_dialect::mask::mask;
use penstock_store::TokenFailure;
use serde_json::Value as Json;

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

/// Of a body that is kept.
const MAX_BODY: usize = 1_024;
/// Members of an answer that may hold a secret.
const SECRET_MEMBERS: [&str; 8] = [
    "access_token",
    "refresh_token",
    "id_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
];

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
    pub(super) fn answer(status: u16, body: &[u8], known: &[&Secret]) -> Self {
        let json: Option<Json> = serde_json::from_slice(body).ok();
        let error = json.as_ref().map(error_code).unwrap_or_default();
        let causes = match error.is_empty() {
            true => format!("the token endpoint answered with status {status}"),
            false => format!("the token endpoint answered with status {status}: {error}"),
        };
        Self {
            status: Some(status),
            body: masked(json, body, known),
            ..Self::new(classify(status, &error), "answer", causes)
        }
        .with_error(error)
    }

    fn with_error(mut self, error: String) -> Self {
        self.error = error;
        self
    }

    /// Scheme and host of the proxy; its user stays out.
    pub(super) fn through(mut self, proxy: Option<&OutboundProxy>) -> Self {
        self.proxy = proxy.map_or_else(String::new, |proxy| {
            format!("{}://{}:{}", proxy.scheme.as_str(), proxy.host, proxy.port)
        });
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
                "The token URL may not be called. Correct it, or start the control plane with --trusted-token-host HOST \
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

fn classify(status: u16, error: &str) -> Kind {
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
        // It said yes, and nobody can read to what.
        (_, 200..=299) => Kind::Unknown,
        (_, _) => Kind::Misconfigured,
    }
}

fn masked(json: Option<Json>, body: &[u8], known: &[&Secret]) -> String {
    let text = match json {
        Some(mut json) => {
            hide(&mut json, 0);
            json.to_string().into_bytes()
        }
        None => body.to_vec(),
    };
    // To be taken out wherever they stand.
    let known: Vec<&str> = known.iter().map(|secret| secret.expose()).collect();
    let masked = mask(&text, &known).into_owned();
    let text = String::from_utf8_lossy(&masked);
    text.chars().filter(|c| !c.is_control()).take(MAX_BODY).collect()
}

fn hide(json: &mut Json, depth: usize) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                match SECRET_MEMBERS.contains(&name.as_str()) {
                    true => *value = Json::from("[masked]"),
                    false if depth < 8 => hide(value, depth + 1),
                    false => *value = Json::Null,
                }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|value| hide(value, depth + 1)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> Kind {
        Fault::answer(status, body.as_bytes(), &[]).kind
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
        assert_eq!(kind(404, "not found"), Kind::Misconfigured);
        assert_eq!(kind(302, ""), Kind::Misconfigured);
    }

    #[test]
    fn f01_tokens_are_masked_wherever_an_answer_has_them() {
        let refresh = Secret::new("rt-hidden-0123456789");
        let body = r#"{"error":"invalid_grant","error_description":"rt-hidden-0123456789 was used","nested":{"access_token":"at-hidden-1"}}"#;
        let fault = Fault::answer(400, body.as_bytes(), &[&refresh]);
        assert!(!fault.body.contains("hidden"), "{}", fault.body);
        assert!(fault.body.contains("was used"), "{}", fault.body);
        let plain = Fault::answer(500, b"token rt-hidden-0123456789 failed", &[&refresh]);
        assert!(!plain.body.contains("hidden"), "{}", plain.body);
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
        let fault = Fault::answer(400, body.as_bytes(), &[]);
        assert_eq!(
            (fault.kind, fault.error.as_str()),
            (Kind::InvalidGrant, "invalid_grant")
        );
    }
}
