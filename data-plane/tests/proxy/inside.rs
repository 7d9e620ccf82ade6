//! Errors inside an answer with status 200: judged and told as if they had come with their own (B5, B6, G13).

use http::StatusCode;
use penstock_core::error_rule::{ErrorField, ErrorPattern, ErrorRule, ErrorText, Replace, ReplaceBody};
use penstock_core::failure::Class;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Ending, FakeProvider, Instead};

use super::client::{Answer, chat, messages};
use super::foreign::raw;
use super::gateway::{CREDENTIAL, GPT, Gateway, Setup, openai};
use super::limits::{provider, told};

const TOO_LONG: &str = "This model's maximum context length is 128000 tokens. Ask team@example.com.";

/// Two providers of the chat API, of which the second one answers.
async fn two(first: Behaviour, rules: Vec<ErrorRule>) -> (FakeProvider, FakeProvider, Gateway) {
    let (first, second) = (provider(first).await, provider(told()).await);
    let tier = |fake: &FakeProvider, priority: u32| Provider {
        name: format!("p{priority}"),
        priority,
        ..openai(fake)
    };
    let setup = Setup {
        error_rules: rules,
        ..Setup::of([tier(&first, 0), tier(&second, 1)])
    };
    let gateway = setup.start().await;
    (first, second, gateway)
}

/// The same error as the only event of a stream and as a whole body.
fn inside(kind: &str, code: &str) -> [(bool, Behaviour); 2] {
    let message = format!("{TOO_LONG} {CREDENTIAL}");
    let body = serde_json::json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
    [
        (
            true,
            Behaviour::ends(0, Ending::Error).error(kind, &message, Some(code)),
        ),
        (false, Behaviour::instead(Instead::Body(body.to_string()))),
    ]
}

async fn ask(gateway: &Gateway, stream: bool) -> Answer {
    gateway.client().chat(&chat("hi", stream)).send().await
}

#[tokio::test]
async fn b06_an_error_inside_a_200_that_is_the_callers_is_told_with_its_wording_and_status() {
    for (stream, behaviour) in inside("invalid_request_error", "context_length_exceeded") {
        let (first, second, gateway) = two(behaviour, Vec::new()).await;
        let answer = ask(&gateway, stream).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("x-penstock-code"), None);
        let told = answer.json().await;
        assert_eq!(told["error"]["code"], "context_length_exceeded");
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("This model's maximum context length is 128000 tokens."));
        assert!(
            !message.contains(CREDENTIAL) && !message.contains("team@"),
            "{message}"
        );
        let record = gateway.records(1).await.records[0].clone();
        assert_eq!((record.outcome, record.status), (Outcome::UpstreamError, 400));
        assert_eq!((first.request_count(), second.request_count()), (1, 0));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b06_a_callers_error_without_a_known_type_invites_no_second_try() {
    for (stream, behaviour) in inside("some_new_error", "context_length_exceeded") {
        let (_first, _second, gateway) = two(behaviour, Vec::new()).await;
        assert_eq!(ask(&gateway, stream).await.status, StatusCode::BAD_REQUEST);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn g13_an_operators_rule_replaces_an_error_inside_a_200() {
    let rule = ErrorRule {
        name: "too-long".into(),
        enabled: true,
        priority: 0,
        kind: None,
        provider: None,
        status: None,
        pattern: Some(ErrorPattern {
            field: ErrorField::Message,
            text: ErrorText::Contains("maximum context length".into()),
        }),
        class: Class::Caller,
        replace: Some(Replace {
            status: Some(413),
            body: Some(ReplaceBody::Message("Start a new conversation.".into())),
        }),
    };
    for (stream, behaviour) in inside("server_error", "odd") {
        let (_first, second, gateway) = two(behaviour, vec![rule.clone()]).await;
        let answer = ask(&gateway, stream).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(answer.message().await, "Start a new conversation.");
        assert_eq!(second.request_count(), 0);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b05_when_all_fail_an_error_inside_a_200_is_told_with_the_status_of_its_type() {
    for (kind, status) in [("api_error", 500), ("overloaded_error", 529), ("new_error", 500)] {
        let fake = provider(Behaviour::ends(1, Ending::Error).error(kind, "Not now.", None)).await;
        let gateway = Setup::of([super::gateway::anthropic(&fake)]).start().await;
        let answer = gateway.client().messages(&messages("hi", true)).send().await;
        assert_eq!(answer.status, status);
        let told = answer.json().await;
        assert_eq!(
            (&told["type"], &told["error"]["type"], &told["error"]["message"]),
            (&"error".into(), &kind.into(), &"Not now.".into())
        );
        assert!(gateway.ledger().open.is_empty());
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b05_an_error_inside_a_200_about_the_providers_own_account_is_not_told() {
    let refused = Behaviour::ends(0, Ending::Error).error("authentication_error", "invalid x-api-key", None);
    let fake = provider(refused).await;
    let gateway = Setup::of([super::gateway::anthropic(&fake)]).start().await;
    let answer = gateway.client().messages(&messages("hi", true)).send().await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(!answer.message().await.contains("x-api-key"));
    gateway.stop().await;
}

/// A provider whose Responses stream fails at once, with this code.
async fn failing_at_once(code: &str) -> Gateway {
    let failed = serde_json::json!({"type": "response.failed", "response": {"id": "resp_1", "status": "failed",
        "error": {"code": code, "message": format!("{TOO_LONG} {CREDENTIAL}")}}});
    let body = format!(
        "event: response.created\ndata: {{\"type\":\"response.created\",\"response\":{{\"id\":\"resp_1\"}}}}\n\n\
         event: response.failed\ndata: {failed}\n\n"
    );
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let provider = super::gateway::provider("p0", ProviderKind::Openai, &raw(answer).await);
    Setup::of([provider]).start().await
}

#[tokio::test]
async fn b06_a_response_that_failed_is_told_as_the_stream_that_it_is() {
    let gateway = failing_at_once("context_length_exceeded").await;
    let body = serde_json::json!({"model": GPT, "input": "hi", "stream": true});
    let answer = gateway.client().post("/v1/responses", &body).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let read = answer.read().await;
    assert!(read.clean, "it ends as it did");
    let told = read.text;
    assert!(told.starts_with("event: response.created"), "{told}");
    assert!(told.contains("\"code\":\"context_length_exceeded\""), "{told}");
    assert!(!told.contains(CREDENTIAL) && !told.contains("team@"), "{told}");
    let record = gateway.records(1).await.records[0].clone();
    assert_eq!((record.outcome, record.status), (Outcome::UpstreamError, 200));
    gateway.stop().await;
}

#[tokio::test]
async fn b06_a_response_that_failed_for_the_moment_has_the_status_and_the_shape_of_an_error() {
    let gateway = failing_at_once("rate_limit_exceeded").await;
    let body = serde_json::json!({"model": GPT, "input": "hi", "stream": true});
    let answer = gateway.client().post("/v1/responses", &body).send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let told = answer.json().await;
    assert_eq!(told["error"]["code"], "rate_limit_exceeded");
    assert!(
        told["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("This model's")
    );
    assert_eq!(told.get("response"), None);
    gateway.stop().await;
}
