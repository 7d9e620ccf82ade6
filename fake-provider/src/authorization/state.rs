//! What an authorization server remembers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::answer::Answer;
use super::{CLIENT_ID, CLIENT_SECRET};

/// See the module above.
#[derive(Debug, Default)]
pub(super) struct State(Mutex<Inner>);

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCounts {
    /// Codes that were exchanged.
    pub logins: u64,
    /// Refresh tokens that were exchanged.
    pub refreshes: u64,
    /// Assertions that were exchanged.
    pub assertions: u64,
    /// Refreshes of one login that came while another was under way. Must stay 0.
    pub overlaps: u64,
    /// Refresh tokens that were used a second time. Must stay 0.
    pub reuses: u64,
    /// Requests that were refused or failed on command.
    pub refused: u64,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) lifetime: Duration,
    pub(super) delay: Duration,
    pub(super) failures: VecDeque<u16>,
    pub(super) swallow: bool,
    pub(super) counts: TokenCounts,
    pub(super) given: Vec<String>,
    /// Challenge and redirect URI of each code.
    codes: HashMap<String, (String, String)>,
    /// Login of each refresh token, and whether it was used.
    refresh: HashMap<String, (u64, bool)>,
    /// Until when.
    access: HashMap<String, Instant>,
    under_way: HashMap<u64, u32>,
    number: u64,
}

/// A request to the token endpoint, done but not answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) answer: Answer,
    login: Option<u64>,
}

type Fields = HashMap<String, String>;

impl State {
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(3_600),
            delay: Duration::ZERO,
            failures: VecDeque::new(),
            swallow: false,
            counts: TokenCounts::default(),
            given: Vec::new(),
            codes: HashMap::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
            under_way: HashMap::new(),
            number: 0,
        }
    }
}

impl Inner {
    pub(super) fn is_valid(&self, access_token: &[u8]) -> bool {
        let until = std::str::from_utf8(access_token)
            .ok()
            .and_then(|token| self.access.get(token));
        until.is_some_and(|until| Instant::now() < *until)
    }

    pub(super) fn expire(&mut self) {
        self.access.clear();
    }

    pub(super) fn revoke(&mut self) {
        self.access.clear();
        self.refresh.clear();
    }

    /// Logs somebody in and sends the browser back.
    pub(super) fn authorize(&mut self, query: &str) -> Answer {
        let asked: Fields = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let get = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let fine = get("response_type") == "code"
            && get("client_id") == CLIENT_ID
            && get("code_challenge_method") == "S256"
            && get("state").len() >= 32;
        if !fine {
            return Answer::error(StatusCode::BAD_REQUEST, "invalid_request");
        }
        let code = self.new_secret("code");
        let redirect = get("redirect_uri");
        self.codes
            .insert(code.clone(), (get("code_challenge"), redirect.clone()));
        let mut back = form_urlencoded::Serializer::new(String::new());
        back.append_pair("code", &code)
            .append_pair("state", &get("state"));
        Answer::redirect(format!("{redirect}?{}", back.finish()))
    }

    pub(super) fn token(&mut self, fields: &Fields) -> Asked {
        if let Some(status) = self.failures.pop_front() {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return self.refuse(status, "server_error");
        }
        let get = |name: &str| fields.get(name).map_or("", String::as_str);
        let grant = get("grant_type");
        if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer" {
            return self.assertion(get("assertion"));
        }
        if get("client_id") != CLIENT_ID || get("client_secret") != CLIENT_SECRET {
            return self.refuse(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        match grant {
            "authorization_code" => self.code(get("code"), get("code_verifier"), get("redirect_uri")),
            "refresh_token" => self.rotate(get("refresh_token")),
            _ => self.refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
        }
    }

    /// The answer to it was sent.
    pub(super) fn ended(&mut self, asked: &Asked) {
        if let Some(under_way) = asked.login.and_then(|login| self.under_way.get_mut(&login)) {
            *under_way = under_way.saturating_sub(1);
        }
    }

    fn code(&mut self, code: &str, verifier: &str, redirect: &str) -> Asked {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        match self.codes.remove(code) {
            Some((asked, to)) if asked == challenge && to == redirect && verifier.len() >= 43 => {
                self.counts.logins += 1;
                self.number += 1;
                let login = self.number;
                self.give(Some(login))
            }
            _ => self.refuse(StatusCode::BAD_REQUEST, "invalid_grant"),
        }
    }

    fn rotate(&mut self, token: &str) -> Asked {
        let Some((login, used)) = self.refresh.get(token).copied() else {
            return self.refuse(StatusCode::BAD_REQUEST, "invalid_grant");
        };
        let under_way = self.under_way.entry(login).or_default();
        *under_way += 1;
        self.counts.overlaps += u64::from(*under_way > 1);
        if used {
            self.counts.reuses += 1;
            self.refresh.retain(|_, (of, _)| *of != login);
            self.access.clear();
            let mut refused = self.refuse(StatusCode::BAD_REQUEST, "invalid_grant");
            refused.login = Some(login);
            return refused;
        }
        self.refresh.insert(token.to_owned(), (login, true));
        self.counts.refreshes += 1;
        self.give(Some(login))
    }

    /// Whoever signs is welcome; what is signed is the control plane's own test.
    fn assertion(&mut self, assertion: &str) -> Asked {
        let claims = assertion.split('.').nth(1);
        let claims = claims.and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
        let claims: serde_json::Value = claims
            .and_then(|claims| serde_json::from_slice(&claims).ok())
            .unwrap_or_default();
        if claims["iss"]
            .as_str()
            .is_none_or(|iss| !iss.contains("gserviceaccount"))
        {
            return self.refuse(StatusCode::BAD_REQUEST, "invalid_grant");
        }
        self.counts.assertions += 1;
        self.give(None)
    }

    fn give(&mut self, login: Option<u64>) -> Asked {
        let access = self.new_secret("access");
        self.access.insert(access.clone(), Instant::now() + self.lifetime);
        let mut body = json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.lifetime.as_secs(),
        });
        if let Some(login) = login {
            let refresh = self.new_secret("refresh");
            self.refresh.insert(refresh.clone(), (login, false));
            body["refresh_token"] = refresh.into();
        }
        Asked {
            answer: Answer::json(StatusCode::OK, &body),
            login,
        }
    }

    fn refuse(&mut self, status: StatusCode, error: &str) -> Asked {
        self.counts.refused += 1;
        Asked {
            answer: Answer::error(status, error),
            login: None,
        }
    }

    /// Guessable, which is fine here, and easy to find in a log.
    fn new_secret(&mut self, kind: &str) -> String {
        self.number += 1;
        let hash = hex(&Sha256::digest(format!("{kind} {}", self.number)));
        let secret = format!("fake-{kind}-{}-{hash}", self.number);
        self.given.push(secret.clone());
        secret
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
