//! Slots of calls and of sessions, and when they are free again (D1).

use http::StatusCode;
use penstock_core::limits::Limits;
use penstock_fake_provider::{Behaviour, Gate};
use serde_json::json;

use super::client::messages;
use super::limits::{ask, comes_to, limited, reading, told};

fn one_at_a_time() -> Limits {
    Limits {
        concurrent_requests: 1,
        ..Limits::default()
    }
}

#[tokio::test]
async fn d01_a_slot_is_free_when_its_stream_ends() {
    let gate = Gate::new();
    let (_fake, gateway) = limited(Behaviour::held_after(5, &gate), one_at_a_time()).await;
    let mut first = ask(&gateway, true).await;
    first.until("content_block_delta").await;
    let refused = ask(&gateway, true).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("x-should-retry"), None);
    gate.open();
    assert!(first.read().await.clean);
    assert_eq!(ask(&gateway, true).await.status, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn d01_a_slot_is_free_when_its_caller_goes_away() {
    let gate = Gate::new();
    let (fake, gateway) = limited(Behaviour::held_after(5, &gate), one_at_a_time()).await;
    let mut first = ask(&gateway, true).await;
    first.until("content_block_delta").await;
    assert_eq!(ask(&gateway, true).await.status, StatusCode::TOO_MANY_REQUESTS);
    drop(first);
    comes_to(&gateway, "concurrent_requests", json!(0)).await;
    fake.set_default(told());
    assert_eq!(ask(&gateway, true).await.status, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn d01_a_slot_is_free_when_the_provider_fails() {
    let (fake, gateway) = limited(Behaviour::status(500), one_at_a_time()).await;
    for _ in 0..3 {
        assert!(ask(&gateway, false).await.status.is_server_error());
        assert!(ask(&gateway, true).await.status.is_server_error());
    }
    // Each is tried twice, until the fifth failure opens the provider's breaker.
    assert_eq!(fake.request_count(), 5 * 2);
    assert_eq!(reading(&gateway, "user", "concurrent_requests").await.0, 0);
    gateway.stop().await;
}

#[tokio::test]
async fn d01_sessions_are_those_that_coding_agents_name() {
    let limits = Limits {
        concurrent_sessions: 2,
        ..Limits::default()
    };
    let (_fake, gateway) = limited(told(), limits).await;
    let with = async |session: &str| {
        let asking = gateway.client().messages(&messages("hi", false));
        asking.header("x-claude-code-session-id", session).send().await
    };
    for session in ["one", "two", "one", "two"] {
        assert_eq!(with(session).await.status, StatusCode::OK);
    }
    let refused = with("three").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("x-should-retry"), Some("false"));
    let body = refused.json().await;
    assert_eq!(body["error"]["penstock"]["dimension"], "concurrent_sessions");
    gateway.stop().await;
}
