//! Answers with an error's status that are no errors of an API, and errors about what only one caller asked for (B5, B7).

use http::StatusCode;
use penstock_core::dialect::Dialect;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_fake_provider::Behaviour;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::failover::tier;
use super::faults::{ask, is_well};
use super::gateway::{self, Setup};
use super::limits::{provider, told};

/// Serves these bytes to each connection, whatever it asks. Its base URL.
pub(crate) async fn raw(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = TaskTracker::new();
    tasks.clone().spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tasks.spawn(async move {
                let mut head = vec![0; 64 * 1024];
                let _read = socket.read(&mut head).await;
                let _written = socket.write_all(answer.as_bytes()).await;
                let _closed = socket.shutdown().await;
            });
        }
    });
    format!("http://{address}")
}

fn http(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn b05_a_provider_that_does_not_speak_the_api_is_left_for_another_one() {
    for (status, kind, body) in [
        ("404 Not Found", "text/plain", "default backend - 404"),
        ("404 Not Found", "text/plain", ""),
        ("404 Not Found", "application/json", r#"{"detail":"Not Found"}"#),
        ("405 Method Not Allowed", "text/plain", "Method Not Allowed"),
        (
            "400 Bad Request",
            "text/plain",
            "Client sent an HTTP request to an HTTPS server.",
        ),
    ] {
        let foreign = || async {
            let mut provider = gateway::provider(
                "p0",
                ProviderKind::Anthropic,
                &raw(http(status, kind, body)).await,
            );
            provider.breaker.failures = 1;
            provider
        };
        let fake = provider(told()).await;
        let gateway = Setup::of([foreign().await, tier(&fake, 1)]).start().await;
        for stream in [false, true] {
            let answer = ask(&gateway, stream).await;
            assert_eq!(answer.status, StatusCode::OK, "{status} {body}");
        }
        gateway.stop().await;

        let gateway = Setup::of([foreign().await]).start().await;
        assert_eq!(ask(&gateway, false).await.status, StatusCode::BAD_GATEWAY);
        let answer = ask(&gateway, false).await;
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "its breaker is open"
        );
        gateway.stop().await;
    }
}

/// An endless stream of these bytes.
async fn endless(prelude: &'static str, again: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = TaskTracker::new();
    tasks.clone().spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tasks.spawn(async move {
                let mut head = vec![0; 64 * 1024];
                let _read = socket.read(&mut head).await;
                let begin = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{prelude}");
                let _written = socket.write_all(begin.as_bytes()).await;
                let again = again.repeat(1 + 4_000 / again.len());
                while socket.write_all(again.as_bytes()).await.is_ok() {}
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn b06_a_stream_that_says_much_and_no_content_is_a_failed_attempt() {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n";
    for (prelude, again) in [("data: ", "xxxxxxxx"), ("", start)] {
        let never = gateway::provider("p0", ProviderKind::Anthropic, &endless(prelude, again).await);
        let fake = provider(told()).await;
        let gateway = Setup::of([never, tier(&fake, 1)]).start().await;
        let answer = ask(&gateway, true).await;
        assert_eq!(answer.status, StatusCode::OK);
        let read = answer.read().await;
        assert!(read.clean && !read.text.contains("xxxx"));
        assert_eq!(fake.request_count(), 1);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b06_keep_alives_without_an_end_reach_nobody_and_end_with_the_providers_time() {
    let ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    let mut never = gateway::provider("p0", ProviderKind::Anthropic, &endless("", ping).await);
    never.timeouts.stream_total_ms = Some(1_000);
    let fake = provider(told()).await;
    let gateway = Setup::of([never, tier(&fake, 1)]).start().await;
    let read = ask(&gateway, true).await.read().await;
    assert!(
        read.clean && read.text.matches("ping").count() < 10,
        "{}",
        read.text
    );
    assert_eq!(fake.request_count(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn b07_a_403_about_what_one_caller_asked_for_takes_the_model_from_nobody() {
    let beta = "Your organization does not have permission to use the skills beta";
    let refused = || Behaviour::status(403).error("permission_error", beta, None);
    let (first, second) = (provider(refused()).await, provider(refused()).await);
    let gateway = Setup::of([tier(&first, 0), tier(&second, 1)]).start().await;
    let answer = ask(&gateway, false).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.message().await, beta);
    assert_eq!((first.request_count(), second.request_count()), (1, 1));
    for fake in [&first, &second] {
        assert!(is_well(fake, &gateway).await);
    }
    assert_eq!(first.request_count(), 3, "asked again");
    gateway.stop().await;
}

#[tokio::test]
async fn b07_a_403_that_names_the_model_sets_it_aside_there() {
    let message = format!(
        "Your organization does not have permission to use `{}`.",
        gateway::CLAUDE
    );
    let refused = Behaviour::status(403).error("permission_error", &message, None);
    let (first, second) = (provider(refused).await, provider(told()).await);
    let providers: [Provider; 2] = [tier(&first, 0), tier(&second, 1)];
    let gateway = Setup::of(providers).start().await;
    for _ in 0..2 {
        assert_eq!(ask(&gateway, false).await.status, StatusCode::OK);
    }
    assert_eq!((first.request_count(), second.request_count()), (1, 2));
    gateway.stop().await;
}

#[tokio::test]
async fn b01_counting_tokens_over_a_translated_provider_is_refused_by_its_name() {
    let fake = provider(told()).await;
    let openai = Provider {
        translate: vec![Dialect::Anthropic],
        ..gateway::openai(&fake)
    };
    let gateway = Setup::of([openai]).start().await;
    let count = async |model: &str| {
        let body = serde_json::json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
        let asking = gateway.client().post("/v1/messages/count_tokens", &body);
        let answer = asking.header("anthropic-version", "2023-06-01").send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        answer.message().await
    };
    assert!(
        count(gateway::GPT)
            .await
            .starts_with("Counting tokens is not available for model")
    );
    gateway.stop().await;
}
