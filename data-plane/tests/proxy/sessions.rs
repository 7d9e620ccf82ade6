//! Sessions of clients that name none (B4, D1).

use http::StatusCode;
use penstock_core::limits::Limits;
use penstock_fake_provider::{Behaviour, Gate};
use serde_json::{Value, json};

use super::client::{chat, messages};
use super::gateway::{Gateway, Setup, anthropic, openai};
use super::limits::{provider, told};

fn one_session() -> Limits {
    Limits {
        concurrent_sessions: 1,
        session_idle_s: Some(0),
        ..Limits::default()
    }
}

/// The next turn of the conversation.
fn continued(mut body: Value) -> Value {
    let turns = [
        json!({"role": "assistant", "content": "yes?"}),
        json!({"role": "user", "content": "go on"}),
    ];
    body["messages"].as_array_mut().unwrap().extend(turns);
    body["stream"] = json!(false);
    body
}

async fn post(gateway: &Gateway, path: &str, body: &Value) -> StatusCode {
    let asking = gateway.client().post(path, body);
    let answer = asking.header("anthropic-version", "2023-06-01").send().await;
    let status = answer.status;
    let body = answer.json().await;
    if status == StatusCode::TOO_MANY_REQUESTS {
        assert_eq!(body["error"]["penstock"]["dimension"], "concurrent_sessions");
    }
    status
}

#[tokio::test]
async fn b04_conversations_without_a_session_id_are_told_apart_by_their_start() {
    let dialects = [
        (
            "/v1/messages",
            "content_block_delta",
            messages as fn(&str, bool) -> Value,
        ),
        ("/v1/chat/completions", "content", chat),
    ];
    for (path, begun, body) in dialects {
        let gate = Gate::new();
        let fake = provider(Behaviour::held_after(5, &gate)).await;
        let setup = Setup {
            key_limits: one_session(),
            ..Setup::of([anthropic(&fake), openai(&fake)])
        };
        let gateway = setup.start().await;
        let asking = gateway.client().post(path, &body("one", true));
        let mut first = asking.header("anthropic-version", "2023-06-01").send().await;
        first.until(begun).await;
        fake.set_default(told());
        let two = body("two", false);
        assert_eq!(
            post(&gateway, path, &two).await,
            StatusCode::TOO_MANY_REQUESTS,
            "{path}"
        );
        let turn = continued(body("one", false));
        assert_eq!(post(&gateway, path, &turn).await, StatusCode::OK, "{path}");
        gate.open();
        assert!(first.read().await.clean);
        assert_eq!(
            post(&gateway, path, &two).await,
            StatusCode::OK,
            "{path}: the first has ended"
        );
        let records = gateway.records(4).await.records;
        let sessions = Vec::from_iter(records.iter().map(|record| record.session.as_deref().unwrap()));
        let of = |session: &str| sessions.iter().filter(|one| **one == session).count();
        assert!(
            sessions.iter().all(|session| of(session) == 2),
            "{path}: {sessions:?}"
        );
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b04_a_call_that_names_no_session_has_none_when_nobody_needs_it() {
    let fake = provider(told()).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let body = messages("hi", false);
    assert_eq!(post(&gateway, "/v1/messages", &body).await, StatusCode::OK);
    assert_eq!(gateway.records(1).await.records[0].session, None);
    gateway.stop().await;
}

#[tokio::test]
async fn b04_a_session_that_is_named_comes_before_the_conversations_start() {
    let fake = provider(told()).await;
    let setup = Setup {
        user_limits: Limits {
            session_idle_s: None,
            ..one_session()
        },
        ..Setup::of([anthropic(&fake)])
    };
    let gateway = setup.start().await;
    for text in ["one", "two"] {
        let asking = gateway.client().messages(&messages(text, false));
        let answer = asking.header("x-claude-code-session-id", "mine").send().await;
        assert_eq!(answer.status, StatusCode::OK, "{text}");
    }
    let unnamed = messages("one", false);
    let status = post(&gateway, "/v1/messages", &unnamed).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "it is another session");
    gateway.stop().await;
}
