//! A file of prices from a URL that an operator named.
//!
//! Bounded in everything: the scheme (https, unless plain http was asked for), the size, the time, the redirects. A
//! redirect never leads from https to http unless plain http was asked for. Nothing of ours is sent along: no token, no
//! cookie.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use penstock_core::price::import::MAX_BYTES;

const PATIENCE: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 3;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0:?} is no URL with a host")]
    Url(String),
    #[error("{0:?} is not https; plain http must be asked for (--allow-http)")]
    Plain(String),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Slow,
    #[error("more than {MAX_REDIRECTS} redirects")]
    Redirects,
    #[error("status {0}")]
    Status(u16),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the server cannot be reached: {0}")]
    Network(String),
    #[error("the answer broke off or is larger than {max} MB: {0}", max = MAX_BYTES >> 20)]
    Body(String),
}

/// The bytes behind the URL.
pub(super) async fn fetch(url: &str, allow_http: bool) -> Result<Bytes, FetchError> {
    let fetching = follow(url, allow_http);
    tokio::time::timeout(PATIENCE, fetching)
        .await
        .map_err(|_| FetchError::Slow)?
}

async fn follow(url: &str, allow_http: bool) -> Result<Bytes, FetchError> {
    let client = client()?;
    let mut uri = checked(url, allow_http)?;
    for _ in 0..=MAX_REDIRECTS {
        let request = Request::get(uri.clone())
            .header(
                header::USER_AGENT,
                concat!("penstock/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::<Bytes>::new())
            .map_err(|_| FetchError::Url(uri.to_string()))?;
        let answer = client.request(request).await;
        let answer = answer.map_err(|error| FetchError::Network(chain(&error)))?;
        let status = answer.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let location = answer.headers().get(header::LOCATION);
            let location = location.and_then(|value| value.to_str().ok()).unwrap_or_default();
            uri = checked(&joined(&uri, location), allow_http)?;
            continue;
        }
        if !status.is_success() {
            return Err(FetchError::Status(status.as_u16()));
        }
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
        return Ok(body
            .map_err(|error| FetchError::Body(error.to_string()))?
            .to_bytes());
    }
    Err(FetchError::Redirects)
}

fn client() -> Result<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>, FetchError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let https = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(provider)?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).build(https))
}

fn checked(url: &str, allow_http: bool) -> Result<Uri, FetchError> {
    let uri: Uri = url.parse().map_err(|_| FetchError::Url(url.to_owned()))?;
    match uri.scheme_str() {
        _ if uri.host().is_none_or(str::is_empty) => Err(FetchError::Url(url.to_owned())),
        Some("https") => Ok(uri),
        Some("http") if allow_http => Ok(uri),
        Some("http") => Err(FetchError::Plain(url.to_owned())),
        Some(_) | None => Err(FetchError::Url(url.to_owned())),
    }
}

/// A location that begins with a slash is on the same server.
fn joined(from: &Uri, location: &str) -> String {
    match location.starts_with('/') {
        true => format!(
            "{}://{}{location}",
            from.scheme_str().unwrap_or_default(),
            from.authority().map(ToString::to_string).unwrap_or_default()
        ),
        false => location.to_owned(),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e04_only_https_unless_plain_http_was_asked_for() {
        assert!(checked("https://example.org/p.json", false).is_ok());
        assert!(checked("http://example.org/p.json", true).is_ok());
        let words = checked("http://example.org/p.json", false)
            .unwrap_err()
            .to_string();
        assert!(words.contains("--allow-http"), "{words}");
        for bad in [
            "ftp://example.org",
            "/etc/passwd",
            "file:///etc/passwd",
            "https://",
            "",
        ] {
            assert!(checked(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn e04_a_redirect_is_checked_as_the_url_was() {
        let from: Uri = "https://example.org/a".parse().unwrap();
        assert_eq!(joined(&from, "/b"), "https://example.org/b");
        assert!(checked(&joined(&from, "http://example.org/b"), false).is_err());
    }
}
