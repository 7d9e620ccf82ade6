//! A file of prices from a URL that an operator named.
//!
//! Bounded in everything: the scheme (https, unless plain http was asked for), the size, the time, the redirects. A
//! redirect never leads from https to http unless plain http was asked for. Link-local and metadata addresses are never
//! dialled, wherever a name or a redirect leads. Nothing of ours is sent along: no token, no cookie.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use penstock_core::price::import::MAX_BYTES;
use penstock_outbound::{BadConnections, Client, Clients, Connections, Reach, TlsError, Tracked, chain};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const PATIENCE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
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
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Connections(#[from] BadConnections),
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
    // Its connections end with it.
    let stop = CancellationToken::new();
    let client = client(&stop)?;
    let _stop = stop.drop_guard();
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

fn client(stop: &CancellationToken) -> Result<Client<Empty<Bytes>>, FetchError> {
    let clients = Clients::new(Tracked::new(TaskTracker::new(), stop.clone()))?;
    let connections = Connections::direct(CONNECT, Reach::Local);
    Ok(clients.make(&connections)?.open())
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

    #[tokio::test]
    async fn e04_metadata_addresses_are_never_dialled() {
        for url in ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/"] {
            let refused = fetch(url, true).await.unwrap_err();
            assert!(refused.to_string().contains("metadata"), "{url}: {refused}");
        }
    }
}
