//! Access tokens that the control plane obtains.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{Row, View, fields, or_dash, yes_no};

/// `penstock oauth start`.
#[derive(Debug, Serialize)]
pub(crate) struct OauthLogin {
    pub provider_id: String,
    pub provider: String,
    /// For a browser.
    pub authorize_url: String,
    pub expires_at: String,
}

/// `penstock oauth status`, `refresh`, `finish`.
#[derive(Debug, Serialize)]
pub(crate) struct OauthStatus {
    pub provider_id: String,
    pub provider: String,
    /// `oauth`, `service-account`.
    pub kind: String,
    /// `ready`, `waiting`, `failing`, `needs_login`, `misconfigured`.
    pub state: String,
    /// 0: there was no token yet.
    pub token_version: u64,
    pub obtained_at: Option<String>,
    pub expires_at: Option<String>,
    pub refresh_at: Option<String>,
    pub has_refresh_token: bool,
    pub failure: Option<OauthFailure>,
}

/// What went wrong last.
#[derive(Debug, Serialize)]
pub(crate) struct OauthFailure {
    pub at: String,
    /// In a row.
    pub times: u32,
    pub step: String,
    /// Of the token endpoint's answer.
    pub status: Option<u32>,
    /// The OAuth error code.
    pub error: Option<String>,
    /// With tokens masked.
    pub body: Option<String>,
    pub proxy: Option<String>,
    pub causes: String,
    pub advice: String,
    pub next_try_at: Option<String>,
}

/// One step of `penstock oauth test`.
#[derive(Debug, Serialize)]
pub(crate) struct OauthStep {
    pub step: String,
    pub passed: bool,
    pub detail: String,
    pub advice: Option<String>,
}

impl OauthLogin {
    pub(crate) fn read(login: wire::StartOauthLoginResponse) -> Self {
        Self {
            provider_id: login.provider_id,
            provider: login.provider,
            authorize_url: login.authorize_url,
            expires_at: UnixMs(login.expires_at_ms).to_string(),
        }
    }
}

impl OauthStatus {
    pub(crate) fn read(status: wire::OauthStatus) -> Self {
        Self {
            provider_id: status.provider_id,
            provider: status.provider,
            kind: status.kind,
            state: status.state,
            token_version: status.token_version,
            obtained_at: at(status.obtained_at_ms),
            expires_at: at(status.expires_at_ms),
            refresh_at: at(status.refresh_at_ms),
            has_refresh_token: status.has_refresh_token,
            failure: status.failure.map(OauthFailure::read),
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.state != "ready"
    }
}

impl OauthFailure {
    fn read(failure: wire::OauthFailure) -> Self {
        Self {
            at: UnixMs(failure.at_ms).to_string(),
            times: failure.times,
            step: failure.step,
            status: failure.status,
            error: some(failure.error),
            body: some(failure.body),
            proxy: some(failure.proxy),
            causes: failure.causes,
            advice: failure.advice,
            next_try_at: at(failure.next_try_at_ms),
        }
    }

    /// In one cell.
    fn lines(&self) -> String {
        let mut lines = vec![format!(
            "{} ({} x, {}): {}",
            self.step, self.times, self.at, self.causes
        )];
        lines.extend(self.body.iter().map(|body| format!("body: {body}")));
        lines.extend(self.proxy.iter().map(|proxy| format!("proxy: {proxy}")));
        lines.push(self.advice.clone());
        lines.join("\n")
    }
}

impl OauthStep {
    pub(crate) fn read(step: wire::OauthStep) -> Self {
        Self {
            step: step.name,
            passed: step.passed,
            detail: step.detail,
            advice: some(step.advice),
        }
    }
}

impl View for OauthLogin {
    fn table(&self) -> String {
        fields(&[
            ("provider", self.provider.clone()),
            ("authorize URL", self.authorize_url.clone()),
            ("good until", self.expires_at.clone()),
        ])
    }
}

impl Row for OauthStatus {
    const COLUMNS: &'static [&'static str] = &[
        "PROVIDER", "KIND", "STATE", "VERSION", "EXPIRES", "REFRESH", "LOGIN", "FAILURE",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.provider.clone(),
            self.kind.clone(),
            self.state.clone(),
            self.token_version.to_string(),
            or_dash(self.expires_at.as_deref()),
            or_dash(self.refresh_at.as_deref()),
            yes_no(self.has_refresh_token),
            or_dash(self.failure.as_ref().map(OauthFailure::lines).as_deref()),
        ]
    }
}

impl Row for OauthStep {
    const COLUMNS: &'static [&'static str] = &["STEP", "OUTCOME", "DETAIL"];

    fn cells(&self) -> Vec<String> {
        let detail = match &self.advice {
            Some(advice) => format!("{}\n{advice}", self.detail),
            None => self.detail.clone(),
        };
        let outcome = if self.passed { "passed" } else { "failed" };
        vec![self.step.clone(), outcome.to_owned(), detail]
    }
}

fn at(ms: Option<i64>) -> Option<String> {
    ms.map(|ms| UnixMs(ms).to_string())
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f03_a_failed_refresh_says_all_that_an_operator_needs() {
        let status = OauthStatus::read(wire::OauthStatus {
            provider: "main".to_owned(),
            kind: "oauth".to_owned(),
            state: "needs_login".to_owned(),
            token_version: 7,
            failure: Some(wire::OauthFailure {
                at_ms: 1_700_000_000_000,
                times: 1,
                step: "answer".to_owned(),
                status: Some(400),
                error: "invalid_grant".to_owned(),
                body: "{\"error\":\"invalid_grant\"}".to_owned(),
                proxy: "socks5://proxy:1080".to_owned(),
                causes: "the token endpoint answered with status 400: invalid_grant".to_owned(),
                advice: "Log in again.".to_owned(),
                next_try_at_ms: None,
            }),
            ..wire::OauthStatus::default()
        });
        assert!(status.has_failed());
        let shown = status.cells().join(" | ");
        for part in [
            "needs_login",
            "status 400",
            "body: ",
            "socks5://proxy:1080",
            "Log in again.",
        ] {
            assert!(shown.contains(part), "{shown}");
        }
        let json = serde_json::to_value(&status).unwrap();
        assert_eq!(json["failure"]["error"], "invalid_grant");
        assert_eq!(json["failure"]["next_try_at"], serde_json::Value::Null);
    }
}
