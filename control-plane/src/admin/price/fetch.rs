//! A file of prices from a URL that an operator named.
//!
//! Bounded in everything: the scheme (https, unless plain http was asked for), the size, the time, the redirects. A
//! redirect never leads from https to http unless plain http was asked for. Only public addresses are dialled (the address
//! that was checked), unless the control plane was started with the host as a trusted one (`--trusted-host`); a
//! redirect is judged as its own URL is, and from the public web it never leads inside, to a trusted host neither.
//! Link-local and metadata addresses are never dialled. Nothing of ours is sent along: no token, no cookie.

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
pub(super) async fn fetch(url: &str, allow_http: bool, trusted: &[String]) -> Result<Bytes, FetchError> {
    let fetching = follow(url, allow_http, trusted);
    tokio::time::timeout(PATIENCE, fetching)
        .await
        .map_err(|_| FetchError::Slow)?
}

async fn follow(url: &str, allow_http: bool, trusted: &[String]) -> Result<Bytes, FetchError> {
    // Its connections end with it.
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    let mut uri = checked(url, allow_http)?;
    let mut reach = Reach::Local;
    for _ in 0..=MAX_REDIRECTS {
        reach = narrowed(reach, &uri, trusted);
        let client = client(&stop, reach)?;
        let request = Request::get(uri.clone())
            .header(
                header::USER_AGENT,
                concat!("penstock/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::<Bytes>::new())
            .map_err(|_| FetchError::Url(uri.to_string()))?;
        let answer = client.request(request).await;
        let answer = answer.map_err(|error| FetchError::network(&uri, &error))?;
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
    drop(guard);
    Err(FetchError::Redirects)
}

/// Once outside, never inside again.
fn narrowed(reach: Reach, uri: &Uri, trusted: &[String]) -> Reach {
    let is_trusted = |authority: &http::uri::Authority| {
        let (host, with_port) = (authority.host(), authority.as_str());
        trusted
            .iter()
            .any(|known| known.eq_ignore_ascii_case(host) || known.eq_ignore_ascii_case(with_port))
    };
    match uri.authority().is_some_and(is_trusted) {
        true => reach,
        false => Reach::Public,
    }
}

impl FetchError {
    /// With what to do about an address inside.
    fn network(uri: &Uri, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = chain(error);
        if text.contains("only public ones are dialled") {
            let host = uri.host().unwrap_or_default();
            text.push_str(&format!(
                "; if it is your own, start the control plane with --trusted-host {host}, or give the file itself"
            ));
        }
        Self::Network(text)
    }
}

fn client(stop: &CancellationToken, reach: Reach) -> Result<Client<Empty<Bytes>>, FetchError> {
    let clients = Clients::new(Tracked::new(TaskTracker::new(), stop.clone()))?;
    let connections = Connections::direct(CONNECT, reach);
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
            let refused = fetch(url, true, &["169.254.169.254".to_owned()])
                .await
                .unwrap_err();
            assert!(refused.to_string().contains("metadata"), "{url}: {refused}");
        }
    }

    #[tokio::test]
    async fn s02_addresses_inside_are_dialled_only_where_the_host_is_trusted() {
        for url in [
            "http://127.0.0.1:9/p.json",
            "http://localhost:9/p.json",
            "https://10.0.0.1/p.json",
            "http://[::1]:9/",
        ] {
            let refused = fetch(url, true, &["127.0.0.1:10".to_owned()]).await.unwrap_err();
            assert!(refused.to_string().contains("--trusted-host"), "{url}: {refused}");
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let trusted = [address.to_string()];
        let refused = fetch(&format!("http://{address}/p"), true, &trusted)
            .await
            .unwrap_err();
        assert!(!refused.to_string().contains("public"), "dialled: {refused}");
    }

    #[test]
    fn s02_a_redirect_from_outside_never_leads_inside() {
        let trusted = ["prices.internal".to_owned()];
        let (inside, outside): (Uri, Uri) = (
            "https://prices.internal:8443/p".parse().unwrap(),
            "https://example.org/p".parse().unwrap(),
        );
        let once = narrowed(Reach::Local, &inside, &trusted);
        assert_eq!(once, Reach::Local);
        let out = narrowed(once, &outside, &trusted);
        assert_eq!(out, Reach::Public);
        assert_eq!(narrowed(out, &inside, &trusted), Reach::Public);
    }
}
