//! Request bodies: sizes, encodings, and what is wrong with them (C5, security 8).

use std::io::Write;

use http::StatusCode;
use penstock_core::usage::Outcome;
use penstock_fake_provider::FakeProvider;
use serde_json::json;

use super::client::messages;
use super::gateway::{CLAUDE, Setup, anthropic};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn c05_a_body_over_the_limit_is_413_and_the_limit_itself_is_fine() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut setup = Setup::of([anthropic(&fake)]);
    setup.traffic.max_body_bytes = 2000;
    let gateway = setup.start().await;
    let client = gateway.client();
    let body = messages("hi", false).to_string();
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    let answer = client.messages(&json!({})).body(padded(2000)).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = client.messages(&json!({})).body(padded(2001)).send().await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.header("x-penstock-code"), Some("REQUEST_TOO_LARGE"));
    let body = answer.json().await;
    assert_eq!(body["error"]["type"], "request_too_large");
    assert!(body["error"]["message"].as_str().unwrap().contains("2000"));
    assert_eq!(gateway.records(2).await.records[1].status, 413);
    gateway.stop().await;
}

#[tokio::test]
async fn c05_broken_json_is_400_that_says_where() {
    let gateway = Setup::of([]).start().await;
    let client = gateway.client();
    let answer = client
        .messages(&json!({}))
        .body("{\"model\": \"x\",\n  oops}")
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.header("x-penstock-code"), Some("INVALID_REQUEST"));
    let message = answer.message().await;
    assert!(message.contains("line 2 column 3"), "{message}");
    let answer = client.messages(&json!({"messages": []})).send().await;
    assert!(answer.message().await.contains("model"));
    let ledger = gateway.ledger();
    assert!(
        ledger
            .records
            .iter()
            .all(|record| record.outcome == Outcome::Rejected)
    );
    gateway.stop().await;
}

#[tokio::test]
async fn s08_doubled_keys_are_400_also_when_one_is_escaped() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    for body in [
        r#"{"model":"cheap","model":"dear","messages":[]}"#,
        r#"{"model":"cheap","mod\u0065l":"dear","messages":[]}"#,
    ] {
        let answer = client.messages(&json!({})).body(body).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.message().await.contains("twice"));
    }
    assert_eq!(fake.request_count(), 0);
    gateway.stop().await;
}

#[tokio::test]
async fn c05_an_encoded_body_is_decoded_and_goes_on_plain() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let text = messages("hi", false).to_string();
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    for (coding, body) in [("gzip", gzip(&text)), ("zstd", zstd)] {
        let asking = gateway.client().messages(&json!({})).body(body);
        let answer = asking.header("content-encoding", coding).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{coding}");
        let seen = fake.requests().pop().unwrap();
        assert_eq!(seen.body, text);
        assert_eq!(seen.header("content-encoding"), None);
        assert_eq!(
            seen.header("content-length"),
            Some(text.len().to_string().as_str())
        );
    }
    gateway.stop().await;
}

#[tokio::test]
async fn c05_the_limit_holds_after_decoding_too() {
    let mut setup = Setup::of([]);
    setup.traffic.max_body_bytes = 50_000;
    let gateway = setup.start().await;
    let bomb = gzip(&messages(&" ".repeat(60_000), false).to_string());
    let asking = gateway.client().messages(&json!({})).body(bomb);
    let answer = asking.header("content-encoding", "gzip").send().await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    gateway.stop().await;
}

#[tokio::test]
async fn c05_an_unknown_encoding_is_415() {
    let gateway = Setup::of([]).start().await;
    let asking = gateway.client().messages(&messages("hi", false));
    let answer = asking.header("content-encoding", "compress").send().await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(answer.header("x-penstock-code"), Some("UNSUPPORTED_ENCODING"));
    gateway.stop().await;
}

#[tokio::test]
async fn c05_without_memory_for_bodies_it_is_503_with_retry_after() {
    let mut setup = Setup::of([]);
    (setup.traffic.max_body_bytes, setup.traffic.max_bodies_bytes) = (100_000, 20_000);
    let gateway = setup.start().await;
    let client = gateway.client();
    let answer = client
        .messages(&messages(&"x".repeat(50_000), false))
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("x-penstock-code"), Some("OVERLOADED"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    // What was refused gave its memory back.
    let answer = client.messages(&json!({"model": CLAUDE})).send().await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    gateway.stop().await;
}

#[tokio::test]
async fn the_body_goes_on_as_the_bytes_it_came_in() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let body = format!(
        "  {{ \"model\" : \"{CLAUDE}\" ,\n\t\"max_tokens\":10, \"unknown\": [1.50, 1e5, \"\\u00e9\"], \
         \"messages\":[{{\"role\":\"user\",\"content\":\"h\\u0069\"}}] }} "
    );
    let big = body.replace("h\\u0069", &"long ".repeat(60_000));
    for body in [body, big] {
        let answer = gateway
            .client()
            .messages(&json!({}))
            .body(body.clone())
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(fake.requests().pop().unwrap().body, body);
    }
    gateway.stop().await;
}
