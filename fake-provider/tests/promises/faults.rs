//! What comes instead of an answer.

use std::io::ErrorKind;

use penstock_fake_provider::{Behaviour, FakeProvider, Instead};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{chat, header, messages, says, streams};

async fn fake(behaviour: Behaviour) -> FakeProvider {
    FakeProvider::builder()
        .default_behaviour(behaviour)
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn every_status_has_anthropics_type() {
    let fake = fake(Behaviour::default()).await;
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ] {
        fake.set_default(Behaviour::status(status));
        let response = messages(&fake, &streams("hello")).send().await.unwrap();
        assert_eq!(response.status(), status);
        let id = header(&response, "request-id").to_owned();
        let error: Value = response.json().await.unwrap();
        assert_eq!(
            (error["type"].as_str(), error["error"]["type"].as_str()),
            (Some("error"), Some(kind))
        );
        assert_eq!(error["request_id"], id.as_str());
    }
}

#[tokio::test]
async fn errors_can_be_worded_and_carry_headers() {
    let behaviour = Behaviour::status(429)
        .retry_after(7)
        .error("tokens", "Too much.", Some("too_much"));
    let fake = fake(behaviour).await;
    let response = chat(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(header(&response, "retry-after"), "7");
    let error: Value = response.json().await.unwrap();
    assert_eq!(
        error,
        serde_json::json!({"error":
        {"message": "Too much.", "type": "tokens", "param": null, "code": "too_much"}})
    );
    let response = messages(&fake, &says("hello")).send().await.unwrap();
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"]["details"]["error_code"], "too_much");
}

#[tokio::test]
async fn pages_empty_bodies_and_broken_json_come_with_200() {
    let fake = fake(Behaviour::instead(Instead::Html)).await;
    let page = messages(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), header(&page, "content-type")),
        (200, "text/html; charset=utf-8")
    );
    fake.set_default(Behaviour::instead(Instead::EmptyBody));
    let empty = messages(&fake, &streams("hello")).send().await.unwrap();
    assert_eq!(header(&empty, "content-type"), "text/event-stream");
    assert_eq!(empty.bytes().await.unwrap().len(), 0);
    fake.set_default(Behaviour::instead(Instead::MalformedJson));
    let broken = chat(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(header(&broken, "content-type"), "application/json");
    assert!(broken.json::<Value>().await.is_err());
    let broken = messages(&fake, &streams("hello"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(broken.starts_with("event: message_start\ndata: {"));
}

#[tokio::test]
async fn a_page_can_have_another_status() {
    let fake = fake(Behaviour::parse("html status=502").unwrap()).await;
    let page = messages(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(page.status(), 502);
    assert!(page.text().await.unwrap().starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn a_redirect_names_its_place() {
    let fake = fake(Behaviour::parse("redirect=http://127.0.0.1:1/elsewhere").unwrap()).await;
    let response = messages(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(header(&response, "location"), "http://127.0.0.1:1/elsewhere");
}

#[tokio::test]
async fn a_hanging_call_is_abandoned_when_the_caller_leaves() {
    let fake = fake(Behaviour::instead(Instead::Hang)).await;
    let call = messages(&fake, &says("hello")).send();
    tokio::select! {
        answer = call => panic!("a hanging call was answered: {answer:?}"),
        _ = fake.until(|now| now.arrived == 1) => {}
    }
    assert_eq!(fake.until(|now| now.in_flight == 0).await.abandoned, 1);
}

#[tokio::test]
async fn a_reset_reaches_the_callers_socket() {
    let fake = fake(Behaviour::instead(Instead::Reset)).await;
    let mut socket = TcpStream::connect(fake.address()).await.unwrap();
    let body = says("hello").to_string();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: fake\r\ncontent-length: ";
    socket
        .write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes())
        .await
        .unwrap();
    let error = socket.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(fake.counts().failed, 1);
}

#[tokio::test]
async fn a_huge_answer_is_as_large_as_asked() {
    let fake = fake(Behaviour::default().text_bytes(5_000_000)).await;
    let mut body = says("hello");
    body["max_tokens"] = 10_000_000.into();
    let answer = messages(&fake, &body)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert!(answer.len() > 5_000_000);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_413() {
    let fake = FakeProvider::builder()
        .max_body_bytes(1000)
        .start()
        .await
        .unwrap();
    let response = messages(&fake, &says(&"x".repeat(2000))).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(
        response.json::<Value>().await.unwrap()["error"]["type"],
        "request_too_large"
    );
}

#[tokio::test]
async fn another_vendors_error_is_sent_as_it_is() {
    let body = r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]"#;
    let words = format!("status=429 body='{body}' header='content-type: application/json; charset=utf-8'");
    let fake = fake(Behaviour::parse(&words).unwrap()).await;
    let response = messages(&fake, &streams("hello")).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(
        header(&response, "content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(response.text().await.unwrap(), body);
}
