//! Rates and concurrency of callers (D1–D3, D8).

use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;
use penstock_core::limits::Limits;
use penstock_core::money::NanoUsd;
use penstock_core::setting::{LimitsPolicy, Setting};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, FakeProvider, Gate, UsageOverride};
use serde_json::{Value, json};

use super::client::{Answer, chat, messages};
use super::gateway::{Gateway, Setup, anthropic, openai};

/// A call of Claude's costs 0.0175 USD: 1000 tokens in and 500 out.
pub(crate) fn told() -> Behaviour {
    Behaviour::usage(UsageOverride {
        input: Some(1000),
        output: Some(500),
        cache_read: Some(0),
        cache_write_5m: Some(0),
        cache_write_1h: Some(0),
        reasoning: Some(0),
    })
}

pub(crate) async fn provider(behaviour: Behaviour) -> FakeProvider {
    FakeProvider::builder()
        .default_behaviour(behaviour)
        .shutdown_grace(Duration::ZERO)
        .start()
        .await
        .unwrap()
}

/// In front of a provider that behaves so; what was spent is known.
pub(crate) async fn limited(behaviour: Behaviour, user_limits: Limits) -> (FakeProvider, Gateway) {
    let fake = provider(behaviour).await;
    let setup = Setup {
        user_limits,
        ..Setup::of([anthropic(&fake), openai(&fake)])
    };
    let gateway = setup.start().await;
    readings(&gateway).await;
    (fake, gateway)
}

async fn readings(gateway: &Gateway) -> Value {
    let answer = gateway.client().get("/penstock/v1/limits").send().await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json().await["items"].take()
}

/// What is used and reserved of a limit, as its caller reads it.
pub(crate) async fn reading(gateway: &Gateway, level: &str, dimension: &str) -> (Value, Value) {
    let items = readings(gateway).await;
    let of = |item: &&Value| item["level"] == level && item["dimension"] == dimension;
    let item = items.as_array().unwrap().iter().find(of).unwrap();
    (item["used"].clone(), item["reserved"].clone())
}

pub(crate) async fn comes_to(gateway: &Gateway, dimension: &str, used: Value) {
    while reading(gateway, "user", dimension).await.0 != used {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn ask(gateway: &Gateway, stream: bool) -> Answer {
    gateway.client().messages(&messages("hi", stream)).send().await
}

#[tokio::test]
async fn d03_of_fifty_calls_at_once_exactly_ten_fit_into_ten_a_minute() {
    let rpm = Limits {
        rpm: 10,
        ..Limits::default()
    };
    let (fake, gateway) = limited(told(), rpm).await;
    let answers = join_all((0..50).map(|n| ask(&gateway, n % 2 == 0))).await;
    let (passed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((passed.len(), fake.request_count()), (10, 10));
    for answer in &refused {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.header("x-penstock-code"), Some("RATE_LIMIT_EXCEEDED"));
        assert_eq!(answer.header("x-ratelimit-limit"), Some("10"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=61).contains(&wait), "{wait}");
    }
    drop(passed);
    gateway.stop().await;
}

#[tokio::test]
async fn d02_a_refused_call_leaves_a_record_with_its_code_and_costs_nothing() {
    let limits = Limits {
        rpm: 1,
        ..Limits::default()
    };
    let (_fake, gateway) = limited(told(), limits).await;
    assert!(ask(&gateway, false).await.read().await.clean);
    let body = ask(&gateway, false).await.json().await;
    assert_eq!(body["error"]["type"], "rate_limit_error");
    let penstock = &body["error"]["penstock"];
    assert_eq!(penstock["code"], "RATE_LIMIT_EXCEEDED");
    assert_eq!(
        (&penstock["dimension"], &penstock["level"]),
        (&json!("rpm"), &json!("user"))
    );
    assert_eq!((&penstock["used"], &penstock["limit"]), (&json!(1), &json!(1)));
    assert_eq!(penstock["reset_at"], Value::Null);
    let body = gateway.client().chat(&chat("hi", true)).send().await.json().await;
    assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    assert_eq!(body["error"]["penstock"], *penstock);
    let ledger = gateway.records(3).await;
    for record in &ledger.records[1..] {
        assert_eq!((record.status, record.outcome), (429, Outcome::Rejected));
        assert_eq!(record.code.as_deref(), Some("RATE_LIMIT_EXCEEDED"));
        assert_eq!((record.cost, record.provider_id), (NanoUsd(0), None));
        assert!(record.tokens.is_empty());
    }
    gateway.stop().await;
}

#[tokio::test]
async fn d01_tokens_are_reserved_by_estimate_and_corrected_by_what_was_used() {
    let gate = Gate::new();
    let mut told = told();
    told.usage.cache_read = Some(90_000);
    told.hold_after = Some((5, gate.clone()));
    let tpm = Limits {
        tpm: 2_000,
        ..Limits::default()
    };
    let (_fake, gateway) = limited(told, tpm).await;
    let mut first = ask(&gateway, true).await;
    first.until("content_block_delta").await;
    let held = reading(&gateway, "user", "tpm").await.0.as_u64().unwrap();
    assert!(held > 0 && held <= 2_000, "{held}");
    gate.open();
    assert!(first.read().await.clean);
    assert_eq!(
        reading(&gateway, "user", "tpm").await.0,
        1_500,
        "cache reads left out"
    );
    let refused = ask(&gateway, false).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.json().await["error"]["penstock"]["dimension"], "tpm");
    gateway.stop().await;
}

#[tokio::test]
async fn d01_counting_tokens_takes_nothing_and_has_a_limit_of_its_own() {
    let limits = Limits {
        rpm: 1,
        tpm: 1_000,
        concurrent_requests: 1,
        ..Limits::default()
    };
    let (_fake, gateway) = limited(told(), limits).await;
    let client = gateway.client();
    let body = messages("hi", false);
    let count = async || {
        let asking = client.post("/v1/messages/count_tokens", &body);
        asking.header("anthropic-version", "2023-06-01").send().await
    };
    let mut passed = 0;
    for _ in 0..21 {
        let answers = join_all((0..30).map(|_| count())).await;
        passed += answers.iter().filter(|answer| answer.status == 200).count();
    }
    // The limits were read once before.
    assert_eq!(passed, 599);
    let refused = count().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("x-penstock-code"), Some("RATE_LIMIT_EXCEEDED"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(ask(&gateway, false).await.status, StatusCode::OK);
    assert_eq!(gateway.ledger().records.len(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn d08_while_limits_are_off_nothing_is_refused_and_everything_is_counted() {
    let limits = Limits {
        rpm: 1,
        usd_total: NanoUsd(1),
        ..Limits::default()
    };
    let (_fake, mut gateway) = limited(told(), limits).await;
    let off = LimitsPolicy {
        enabled: false,
        ..LimitsPolicy::default()
    };
    gateway.change(|setup| setup.settings = vec![Setting::Limits(off)]);
    for _ in 0..4 {
        assert!(ask(&gateway, false).await.read().await.clean);
    }
    assert_eq!(reading(&gateway, "user", "usd_total").await.0, "0.07");
    assert_eq!(reading(&gateway, "user", "rpm").await.0, 4);
    gateway.change(|setup| setup.settings.clear());
    assert_eq!(ask(&gateway, false).await.status, StatusCode::TOO_MANY_REQUESTS);
    gateway.stop().await;
}
