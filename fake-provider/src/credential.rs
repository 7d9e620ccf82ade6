//! The credential that a caller must show, when the fake wants one.

use http::{HeaderMap, HeaderValue, header, request};

use crate::authorization::Validity;
use crate::dialect::{Cloud, Dialect, Spoken};

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

    /// Each cloud looks in its own places.
    ///
    /// Anthropic takes `x-api-key` or a bearer, Google `x-goog-api-key` or `?key=`, Azure `api-key` or a bearer, Bedrock a
    /// bearer or a signature, all others a bearer. A signature is looked at, not checked: it counts when it has the form
    /// of one and was made at a time that it states.
    pub(crate) fn check(&self, spoken: Spoken, head: &request::Parts) -> Result<(), Refusal> {
        if self.accepted.is_empty() && self.tokens.is_none() {
            return Ok(());
        }
        let headers = &head.headers;
        let api_key = match (spoken.cloud, spoken.dialect) {
            (Cloud::Own, Dialect::Anthropic) => headers.get("x-api-key"),
            (Cloud::Own, Dialect::Gemini) => headers.get("x-goog-api-key"),
            (Cloud::Azure, _) => headers.get("api-key"),
            (Cloud::Own | Cloud::Bedrock | Cloud::Vertex | Cloud::Droid, _) => None,
        };
        let google = spoken == Spoken::own(Dialect::Gemini);
        let in_query = head.uri.query().filter(|_| google).and_then(|query| {
            let mut pairs = query.split('&');
            pairs.find_map(|pair| pair.strip_prefix("key="))
        });
        let key = api_key.map(HeaderValue::as_bytes);
        if let Some(key) = key.or_else(|| in_query.map(str::as_bytes)) {
            return if self.knows(key) {
                Ok(())
            } else {
                Err(Refusal::ApiKey)
            };
        }
        let authorization = headers
            .get(header::AUTHORIZATION)
            .filter(|_| !google)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        if spoken.cloud == Cloud::Bedrock && signs(authorization, headers) {
            return Ok(());
        }
        match authorization.strip_prefix(b"Bearer ") {
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

/// Has the form of AWS's signature, version 4.
fn signs(authorization: &[u8], headers: &HeaderMap) -> bool {
    let text = std::str::from_utf8(authorization).unwrap_or_default();
    let parts = ["Credential=", "SignedHeaders=", "Signature="];
    text.starts_with("AWS4-HMAC-SHA256 ")
        && parts.iter().all(|part| text.contains(part))
        && headers.contains_key("x-amz-date")
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("accepted", &self.accepted.len())
            .finish()
    }
}
