//! What providers are sent, and what of their answers comes through translation (B1, C5, G12).

use http::StatusCode;
use penstock_core::dialect::Dialect;
use penstock_core::price::TokenClass;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::request_filter::{Action, Find, Part, RequestFilter};

use super::client::{chat, messages};
use super::foreign::raw;
use super::gateway::{self, CLAUDE, Setup, openai, price};
use super::limits::{provider, told};

fn filter(part: Part, action: Action) -> RequestFilter {
    RequestFilter {
        name: "f".into(),
        enabled: true,
        priority: 0,
        provider: None,
        part,
        action,
    }
}

#[tokio::test]
async fn g12_a_header_that_a_filter_removes_is_not_in_bedrocks_body_either() {
    let fake = provider(told()).await;
    let bedrock = gateway::provider("b", ProviderKind::Bedrock, &fake.base_url());
    let mut setup = Setup::of([bedrock]);
    let rates = [(TokenClass::Input, 1), (TokenClass::Output, 1)];
    setup.prices.push((CLAUDE, price("bedrock", &rates)));
    let mut gateway = setup.start().await;
    let asked = gateway.client().messages(&messages("hi", false));
    let answer = asked.header("anthropic-beta", "effort-2025-11-24").send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let part = Part::Header("anthropic-beta".into());
    gateway.change(|setup| setup.request_filters = vec![filter(part, Action::Remove)]);
    let asked = gateway.client().messages(&messages("hi", false));
    let answer = asked.header("anthropic-beta", "effort-2025-11-24").send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let betas = fake
        .requests()
        .iter()
        .map(|request| {
            let body = request.json().unwrap();
            body.get("anthropic_beta").is_some()
        })
        .collect::<Vec<_>>();
    assert_eq!(betas, [true, false]);
    gateway.stop().await;
}

#[tokio::test]
async fn g12_a_large_body_is_filtered_and_translated_too() {
    let fake = provider(told()).await;
    let relay = Provider {
        translate: vec![Dialect::Anthropic],
        ..openai(&fake)
    };
    let replace = Action::Replace {
        find: Find::Text("ACME".into()),
        with: "we".into(),
    };
    let setup = Setup {
        request_filters: vec![filter(Part::Body("**".parse().unwrap()), replace)],
        ..Setup::of([relay])
    };
    let gateway = setup.start().await;
    let text = "ACME ".repeat(60_000);
    let answer = gateway.client().messages(&messages(&text, false)).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let sent = fake.requests()[0].json().unwrap().to_string();
    assert!(!sent.contains("ACME") && sent.matches("we ").count() >= 60_000);
    gateway.stop().await;
}

#[tokio::test]
async fn c05_a_translation_that_takes_more_memory_than_there_is_is_refused() {
    let fake = provider(told()).await;
    let relay = Provider {
        translate: vec![Dialect::Anthropic],
        ..openai(&fake)
    };
    let mut setup = Setup::of([relay]);
    setup.traffic.max_bodies_bytes = 2 << 20;
    let gateway = setup.start().await;
    let mut body = messages("hi", false);
    let turns = (0..10_000).map(|_| serde_json::json!({"role": "user", "content": "a"}));
    body["messages"] = turns.collect();
    let answer = gateway.client().messages(&body).send().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fake.request_count(), 0);
    assert_eq!(
        gateway
            .client()
            .messages(&messages("hi", false))
            .send()
            .await
            .status,
        StatusCode::OK
    );
    gateway.stop().await;
}

#[tokio::test]
async fn c07_events_that_say_nothing_in_the_callers_dialect_keep_the_stream_alive() {
    let events = [
        r#"{"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#,
        r#"{"type":"message_stop"}"#,
    ]
    .map(|data| format!("data: {data}\n\n"))
    .concat();
    let length = events.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\n\r\n{events}"
    );
    let claude = Provider {
        translate: vec![Dialect::OpenaiChat],
        ..gateway::provider("c", ProviderKind::Anthropic, &raw(answer).await)
    };
    let gateway = Setup::of([claude]).start().await;
    let out = gateway.client().chat(&chat("hi", true)).send().await.read().await;
    assert!(
        out.clean && out.text.ends_with("data: [DONE]\n\n"),
        "{}",
        out.text
    );
    assert!(
        out.text.contains("\n\n\ndata: "),
        "an empty line for the ping: {}",
        out.text
    );
    gateway.stop().await;
}
