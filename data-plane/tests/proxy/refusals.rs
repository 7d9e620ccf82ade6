//! Calls that no provider gets (B2, B3) and paths that are none.

use http::{Method, StatusCode};
use penstock_core::access::Access;
use penstock_core::model::ModelPattern;
use penstock_core::setting::Setting;
use penstock_core::usage::Outcome;
use penstock_data_plane::config::WhenSpoolFull;
use penstock_fake_provider::FakeProvider;

use super::client::{chat, messages};
use super::gateway::{CLAUDE, KEY, Setup, anthropic, openai};

fn in_group(name: &str) -> Access {
    Access {
        groups: vec![name.to_owned()],
        ..Access::default()
    }
}

#[tokio::test]
async fn b02_the_best_priority_that_may_serve_is_asked() {
    let [first, second] = [
        FakeProvider::builder().start().await.unwrap(),
        FakeProvider::builder().start().await.unwrap(),
    ];
    let [mut preferred, mut other] = [anthropic(&first), anthropic(&second)];
    (preferred.name, other.name) = ("preferred".to_owned(), "other".to_owned());
    other.priority = 1;
    let mut gateway = Setup::of([other, preferred]).start().await;
    let client = gateway.client();
    assert_eq!(client.messages(&messages("hi", false)).send().await.status, 200);
    assert_eq!((first.request_count(), second.request_count()), (1, 0));
    gateway.change(|setup| setup.providers[1].enabled = false);
    assert_eq!(client.messages(&messages("hi", false)).send().await.status, 200);
    assert_eq!((first.request_count(), second.request_count()), (1, 1));
    gateway.stop().await;
}

#[tokio::test]
async fn b03_no_candidate_now_is_503_and_says_why_only_when_allowed() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut provider = anthropic(&fake);
    provider.groups = vec!["vip".to_owned()];
    let mut setup = Setup::of([provider]);
    setup.keys = vec![(KEY, in_group("others"))];
    let mut gateway = setup.start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("x-penstock-code"), Some("NO_AVAILABLE_ACCOUNT"));
    assert!(answer.header("retry-after").is_some());
    let body = answer.json().await;
    assert_eq!(body["error"]["type"], "overloaded_error");
    assert_eq!(body["error"]["message"], "No available provider found");
    gateway.change(|setup| setup.settings.push(Setting::ExplainRefusals(true)));
    let message = gateway
        .client()
        .messages(&messages("hi", false))
        .send()
        .await
        .message()
        .await;
    assert!(
        message.contains("claude is in none of the caller's groups"),
        "{message}"
    );
    assert_eq!(gateway.ledger().records[0].outcome, Outcome::Rejected);
    gateway.stop().await;
}

#[tokio::test]
async fn b03_a_model_that_nobody_serves_is_404() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut provider = anthropic(&fake);
    provider.models = vec![ModelPattern::Prefix("claude-haiku".into())];
    let gateway = Setup::of([provider]).start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.header("x-penstock-code"), Some("INVALID_MODEL"));
    assert_eq!(
        answer.message().await,
        format!("Model {CLAUDE} is not available here.")
    );
    let answer = gateway.client().chat(&chat("hi", false)).send().await;
    assert_eq!(answer.json().await["error"]["code"], "model_not_found");
    gateway.stop().await;
}

#[tokio::test]
async fn a_full_spool_that_sheds_load_refuses_calls() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut setup = Setup::of([anthropic(&fake)]);
    (setup.traffic.spool_full, setup.traffic.spool_max_bytes) = (WhenSpoolFull::Shed, 1);
    let gateway = setup.start().await;
    let client = gateway.client();
    let mut status = StatusCode::OK;
    while status == StatusCode::OK {
        status = client.messages(&messages("hi", false)).send().await.status;
    }
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    gateway.stop().await;
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405() {
    let gateway = Setup::of([]).start().await;
    let client = gateway.client();
    let answer = client
        .request(Method::POST, "/v1/nothing")
        .body("{}")
        .send()
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.header("x-penstock-code"), Some("NOT_FOUND"));
    let answer = client.get("/v1/messages").send().await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), Some("POST"));
    gateway.stop().await;
}

#[tokio::test]
async fn agents_that_look_whether_anybody_is_there_find_somebody() {
    let gateway = Setup::of([]).start().await;
    let client = gateway.client();
    assert_eq!(
        client.request(Method::HEAD, "/").send().await.status,
        StatusCode::OK
    );
    assert_eq!(
        client.request(Method::GET, "/").send().await.status,
        StatusCode::OK
    );
    gateway.stop().await;
}

#[tokio::test]
async fn models_are_those_that_the_key_may_use_in_its_dialect() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut relay = anthropic(&fake);
    relay.name = "relay".to_owned();
    relay.models = vec![
        ModelPattern::Exact("claude-special".into()),
        ModelPattern::Prefix("gpt".into()),
    ];
    let mut setup = Setup::of([anthropic(&fake), openai(&fake), relay]);
    setup.keys[0].1.blocked_models = vec![ModelPattern::Exact("gpt-5.5".into())];
    let gateway = setup.start().await;
    let client = gateway.client();
    let ids = |body: serde_json::Value| -> Vec<String> {
        let models = body["data"].as_array().unwrap();
        models
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let claude = client
        .get("/v1/models")
        .header("anthropic-version", "2023-06-01")
        .send()
        .await;
    assert_eq!(ids(claude.json().await), [CLAUDE, "claude-special"]);
    let gpt = client.get("/v1/models").send().await;
    assert!(ids(gpt.json().await).is_empty());
    let one = |id: &str| client.get(&format!("/anthropic/v1/models/{id}")).send();
    assert_eq!(one("claude-special").await.json().await["id"], "claude-special");
    assert_eq!(one("claude-unknown").await.status, StatusCode::NOT_FOUND);
    gateway.stop().await;
}
