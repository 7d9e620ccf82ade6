//! Proxies that are dead, deaf or unwilling, and what becomes of the connection.

use std::net::SocketAddr;
use std::time::Duration;

use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::cause::{Cause, cause};
use crate::client::Connections;
use crate::connect::BoxError;

use super::*;
use crate::address::Reach;

/// Dials a local target through this proxy.
async fn dial(proxy: &str, password: Option<&str>, fallback_to_direct: bool) -> Result<Vec<u8>, BoxError> {
    let target = answering("hello").await;
    let mut dial = connector(proxy, password, fallback_to_direct);
    let uri = format!("http://{target}/").parse().unwrap();
    let stream = dial.call(uri).await?;
    let mut got = Vec::new();
    hyper_util::rt::TokioIo::new(stream).read_to_end(&mut got).await?;
    Ok(got)
}

fn connector(proxy: &str, password: Option<&str>, fallback_to_direct: bool) -> Dial {
    let mut provider = Provider::new("p", ProviderKind::Anthropic, "http://127.0.0.1");
    provider.outbound.proxy = Some(proxy.parse().unwrap());
    provider.outbound.fallback_to_direct = fallback_to_direct;
    provider.timeouts.connect_ms = Some(2_000);
    let password = password.map(Secret::new);
    Connections::of(&provider, password.as_ref(), Reach::Local).dial_for_tests()
}

/// Sends this to whoever connects, and closes.
async fn answering(text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    TaskTracker::new().spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    });
    address
}

/// Reads one request for a connection, hands out what it was, and answers this.
async fn proxy(answer: &'static str) -> (SocketAddr, tokio::sync::oneshot::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, asked) = tokio::sync::oneshot::channel();
    TaskTracker::new().spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        told.send(String::from_utf8_lossy(&request[..read]).into_owned())
            .unwrap();
    });
    (address, asked)
}

async fn dead() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn b10_a_dead_proxy_is_a_network_error_of_the_proxy() {
    for scheme in ["http", "https", "socks5", "socks5h"] {
        let error = dial(&format!("{scheme}://{}", dead().await), None, false)
            .await
            .unwrap_err();
        assert_eq!(cause(&*error), Cause::Proxy, "{error}");
    }
}

#[tokio::test]
async fn b10_a_dead_proxy_is_bypassed_where_the_operator_allows_it() {
    for scheme in ["http", "https", "socks5", "socks5h"] {
        let got = dial(&format!("{scheme}://{}", dead().await), None, true).await;
        assert_eq!(got.unwrap(), b"hello", "{scheme}");
    }
}

#[tokio::test]
async fn b10_a_proxy_that_answers_and_refuses_is_not_bypassed() {
    let (address, _) = proxy("HTTP/1.1 403 Forbidden\r\n\r\n").await;
    let error = dial(&format!("http://{address}"), None, true).await.unwrap_err();
    assert_eq!(cause(&*error), Cause::Proxy);
    let (address, _) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let error = dial(&format!("http://{address}"), None, true).await.unwrap_err();
    assert!(
        crate::cause::chain(&*error).contains("proxy authorization required"),
        "{error}"
    );
}

#[tokio::test]
async fn b10_user_and_password_go_to_the_proxy_and_the_target_by_connect() {
    let (address, asked) = proxy("HTTP/1.1 200 OK\r\n\r\n").await;
    dial(&format!("http://me@{address}"), Some("hunter2"), false)
        .await
        .unwrap();
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("CONNECT 127.0.0.1:"), "{asked}");
    // me:hunter2
    assert!(
        asked.contains("Proxy-Authorization: Basic bWU6aHVudGVyMg=="),
        "{asked}"
    );
}

#[tokio::test]
async fn f01_no_error_names_the_proxys_user_or_password() {
    let dead = dead().await;
    let error = dial(&format!("http://somebody@{dead}"), Some("hunter2"), false)
        .await
        .unwrap_err();
    let text = format!("{} {error:?}", crate::cause::chain(&*error));
    assert!(!text.contains("somebody") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn s02_a_proxy_at_a_metadata_address_is_never_dialled() {
    for proxy in ["http://169.254.169.254:80", "socks5://[fe80::1]:1080"] {
        let error = dial(proxy, None, false).await.unwrap_err();
        let text = crate::cause::chain(&*error);
        assert!(text.contains("never dialled"), "{text}");
    }
}

#[tokio::test]
async fn c01_a_proxy_that_says_nothing_leaves_time_for_the_other_way() {
    // TLS begins with our bytes, and nobody answers them.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("https://{}", listener.local_addr().unwrap());
    let dialling = dial(&proxy, None, true);
    let got = tokio::time::timeout(Duration::from_secs(2), dialling).await;
    assert_eq!(got.unwrap().unwrap(), b"hello");
}

#[tokio::test]
async fn b10_a_bypassed_proxy_is_tried_again_after_half_a_minute() {
    let place = dead().await;
    let target: Uri = format!("http://{}/", answering("hello").await).parse().unwrap();
    let mut dial = connector(&format!("http://{place}"), None, true);
    dial.call(target.clone()).await.unwrap();
    // It is back, and says no: whoever gets a connection has not asked it.
    let listener = TcpListener::bind(place).await.unwrap();
    dial.call(target.clone()).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    TaskTracker::new().spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        drop(stream.read(&mut request).await);
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
    });
    let error = dial.call(target).await.unwrap_err();
    assert_eq!(cause(&*error), Cause::Proxy);
}
