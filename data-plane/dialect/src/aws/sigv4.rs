//! Signatures of requests to AWS, version 4 (`SigV4`).
//!
//! A signature covers the method, the path, the query, some headers and the body, so a request is signed last, when
//! nothing of it changes any more. Which headers: `host`, `content-type` and every `x-amz-*`, as AWS demands; others
//! may still be changed by a proxy on the way.
//!
//! Rules: the path is encoded once more than it is on the wire (every service but S3 wants that: `:` is `%3A` on the
//! wire and `%253A` in the signature). Dot segments are not resolved, since our paths come from a table and have none.
//! The clock is an argument; AWS refuses signatures that are more than five minutes off.

mod canonical;

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use sha2::{Digest, Sha256};

use canonical::{Canonical, canonical_headers};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Who signs, and for which service where.
#[expect(missing_debug_implementations, reason = "a credential must not be printable")]
#[derive(Clone)]
pub struct Signer {
    /// Which key; no secret.
    pub access_key_id: String,
    /// The key itself.
    pub secret_access_key: Secret,
    /// Of a temporary credential.
    pub session_token: Option<Secret>,
    /// As in `us-east-1`.
    pub region: String,
    /// As in `bedrock`.
    pub service: String,
}

/// A request that cannot be signed. The text is for operators and names no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// The URI has no host.
    #[error("the request names no host to sign for")]
    NoHost,
    /// The clock shows a year that AWS's form of a date cannot say.
    #[error("the clock shows no date that can be signed")]
    NoDate,
    /// Line breaks or the like in a credential.
    #[error("the AWS credential has characters that a header cannot carry; set it again")]
    BadCredential,
}

impl Signer {
    /// Sets `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token` and `authorization`, in place of any that
    /// are there. `uri` is absolute: its authority is the `host` that the connection will send. `body_sha256` is that of
    /// the body as it is sent.
    pub fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
        body_sha256: [u8; 32],
        at: UnixMs,
    ) -> Result<(), Unsignable> {
        let host = host(uri).ok_or(Unsignable::NoHost)?;
        let date = amz_date(at).ok_or(Unsignable::NoDate)?;
        let body = hex::encode(body_sha256);
        headers.remove(X_AMZ_SECURITY_TOKEN);
        headers.insert(X_AMZ_DATE, value(&date)?);
        headers.insert(X_AMZ_CONTENT_SHA256, value(&body)?);
        if let Some(token) = &self.session_token {
            // Exposed to be sent: this is what it is for.
            headers.insert(X_AMZ_SECURITY_TOKEN, sensitive(token.expose())?);
        }
        let request = Canonical {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: canonical_headers(headers, &host, is_signed),
            body_sha256: &body,
        };
        let authorization = self.authorization(&request, &date);
        headers.insert(header::AUTHORIZATION, sensitive(&authorization)?);
        Ok(())
    }

    /// The value of the header `authorization`.
    fn authorization(&self, request: &Canonical<'_>, date: &str) -> String {
        let day = date.get(..8).unwrap_or_default();
        let scope = [day, &self.region, &self.service, "aws4_request"].join("/");
        let hash = hex::encode(Sha256::digest(request.text()));
        let to_sign = [ALGORITHM, date, &scope, &hash].join("\n");
        let signature = hex::encode(mac(&self.key(day), to_sign.as_bytes()));
        let (key_id, signed) = (&self.access_key_id, request.signed_names());
        format!("{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}")
    }

    /// The key of a day, region and service.
    fn key(&self, day: &str) -> [u8; 32] {
        // Exposed to sign with: this is what it is for.
        let secret = zeroize::Zeroizing::new(["AWS4", self.secret_access_key.expose()].concat());
        let scope = [day, &self.region, &self.service, "aws4_request"];
        let first = mac(secret.as_bytes(), scope[0].as_bytes());
        scope[1..]
            .iter()
            .fold(first, |key, part| mac(&key, part.as_bytes()))
    }
}

fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    // A key of HMAC may have any length, so there is no other case.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// What has to be signed, and what nobody on the way changes.
fn is_signed(name: &str) -> bool {
    name == "content-type" || name.starts_with("x-amz-")
}

/// As HTTP clients send it: without the port that the scheme has anyway.
fn host(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    let usual = match uri.scheme_str() {
        Some("http") => 80,
        _ => 443,
    };
    Some(match uri.port_u16().filter(|port| *port != usual) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// `20150830T123600Z`.
fn amz_date(at: UnixMs) -> Option<String> {
    let seconds = UnixMs(at.0.div_euclid(1000).checked_mul(1000)?).to_string();
    let date: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    (date.len() == 16 && date.ends_with('Z')).then_some(date)
}

fn value(text: &str) -> Result<HeaderValue, Unsignable> {
    HeaderValue::from_str(text).map_err(|_| Unsignable::BadCredential)
}

fn sensitive(text: &str) -> Result<HeaderValue, Unsignable> {
    let mut value = value(text)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
