//! Empty lines while a stream's answer is late, with failover behind them (C7).

use penstock_core::setting::{RoutingPolicy, Setting};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Gate, Instead};

use super::client::messages;
use super::failover::{tier, unknown};
use super::gateway::{Gateway, Setup};
use super::limits::{provider, told};

async fn late(first: Behaviour, second: Behaviour) -> Gateway {
    let (first, second) = (provider(first).await, provider(second).await);
    let routing = RoutingPolicy {
        keepalive_after_ms: 1_000,
        keepalive_every_ms: 1_000,
        ..RoutingPolicy::default()
    };
    let setup = Setup {
        settings: vec![Setting::Routing(routing)],
        ..Setup::of([tier(&first, 0), tier(&second, 1)])
    };
    let gateway = setup.start().await;
    // They live as long as the test's runtime.
    std::mem::forget((first, second));
    gateway
}

#[tokio::test]
async fn c07_failover_goes_on_behind_empty_lines() {
    let gate = Gate::new();
    let held = Behaviour {
        hold: Some(gate.clone()),
        ..unknown()
    };
    let gateway = late(held, told()).await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    // Its head came without a provider.
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    answer.until("\n").await;
    gate.open();
    let read = answer.read().await;
    assert!(read.clean && read.text.contains("message_stop"), "{}", read.text);
    assert!(
        read.text.trim_start().starts_with("event: message_start"),
        "{}",
        read.text
    );
    gateway.stop().await;
}

#[tokio::test]
async fn c07_an_answer_that_is_no_stream_is_not_charged_behind_empty_lines() {
    let gate = Gate::new();
    let answer = r#"{"type":"message","content":[],"usage":{"input_tokens":1000,"output_tokens":500}}"#;
    let held = Behaviour {
        hold: Some(gate.clone()),
        ..Behaviour::instead(Instead::Body(answer.to_owned()))
    };
    let gateway = late(held.clone(), held).await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    answer.until("\n").await;
    gate.open();
    let read = answer.read().await;
    assert!(
        !read.clean && read.text.contains("The provider gave no usable answer."),
        "{}",
        read.text
    );
    let record = gateway.records(1).await.records[0].clone();
    assert_eq!((record.outcome, record.status), (Outcome::Failed, 200));
    assert_eq!((record.tokens.input, record.cost.0), (0, 0));
    gateway.stop().await;
}

#[tokio::test]
async fn c07_a_final_failure_becomes_an_error_event() {
    let gate = Gate::new();
    let held = Behaviour {
        hold: Some(gate.clone()),
        ..unknown()
    };
    let gateway = late(held.clone(), held).await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    answer.until("\n").await;
    gate.open();
    let read = answer.read().await;
    assert!(!read.clean, "most clients take a clean end for success");
    assert!(read.text.contains("event: error\ndata: {"), "{}", read.text);
    let record = gateway.records(1).await.records[0].clone();
    assert_eq!(
        (record.status, record.code.as_deref()),
        (200, Some("UPSTREAM_ERROR"))
    );
    gateway.stop().await;
}
