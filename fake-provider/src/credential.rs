//! The credential that a caller must show, when the fake wants one.

use http::{HeaderMap, HeaderValue, header};

use crate::authorization::Validity;
use crate::dialect::Dialect;

/// Accepted secrets; none means that every caller is welcome.
#[derive(Default)]
pub(crate) struct Credentials {
    accepted: Vec<String>,
    tokens: Option<Validity>,
}

/// How the vendor words a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Missing,
    ApiKey,
    Bearer,
}

impl Credentials {
    pub(crate) fn accept(&mut self, secret: String) {
        self.accepted.push(secret);
    }

    pub(crate) fn accept_tokens(&mut self, tokens: Validity) {
        self.tokens = Some(tokens);
    }

    /// Anthropic takes `x-api-key` or a bearer, OpenAI only a bearer.
    pub(crate) fn check(&self, dialect: Dialect, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.accepted.is_empty() && self.tokens.is_none() {
            return Ok(());
        }
        let api_key = headers.get("x-api-key").filter(|_| dialect == Dialect::Anthropic);
        if let Some(key) = api_key {
            return if self.knows(key.as_bytes()) {
                Ok(())
            } else {
                Err(Refusal::ApiKey)
            };
        }
        let bearer = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        match bearer.and_then(|value| value.strip_prefix(b"Bearer ")) {
            Some(token) if self.knows(token) => Ok(()),
            Some(_) => Err(Refusal::Bearer),
            None => Err(Refusal::Missing),
        }
    }

    fn knows(&self, secret: &[u8]) -> bool {
        self.accepted.iter().any(|accepted| accepted.as_bytes() == secret)
            || self.tokens.as_ref().is_some_and(|tokens| tokens.of(secret))
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("accepted", &self.accepted.len())
            .finish()
    }
}
