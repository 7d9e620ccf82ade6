//! Providers that are full are passed over, and callers never learn of their limits (D2).

use http::StatusCode;
use penstock_core::limits::{Budget, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::provider::Provider;
use penstock_core::setting::Setting;
use penstock_fake_provider::{Behaviour, FakeProvider, Gate};

use super::client::messages;
use super::gateway::{Gateway, Setup, anthropic};
use super::limits::{ask, provider, told};

fn held_to(fake: &FakeProvider, name: &str, priority: u32, limits: Limits) -> Provider {
    Provider {
        name: name.to_owned(),
        priority,
        limits: limits.shared(),
        ..anthropic(fake)
    }
}

fn rpm(rpm: u64) -> Limits {
    Limits {
        rpm,
        ..Limits::default()
    }
}

async fn spends(gateway: &Gateway) -> StatusCode {
    let answer = ask(gateway, false).await;
    let status = answer.status;
    answer.read().await;
    status
}

#[tokio::test]
async fn d02_a_full_provider_is_passed_over_for_another_one() {
    let [first, second] = [provider(told()).await, provider(told()).await];
    let gateway = Setup::of([
        held_to(&first, "first", 0, rpm(2)),
        held_to(&second, "second", 1, rpm(3)),
    ])
    .start()
    .await;
    for _ in 0..5 {
        assert_eq!(spends(&gateway).await, StatusCode::OK);
    }
    assert_eq!((first.request_count(), second.request_count()), (2, 3));
    gateway.stop().await;
}

#[tokio::test]
async fn d02_when_all_are_full_nobody_is_available_and_it_is_said_when_one_will_be() {
    let [first, second] = [provider(told()).await, provider(told()).await];
    let total = Limits {
        usd_total: NanoUsd(1),
        ..Limits::default()
    };
    let mut gateway = Setup::of([
        held_to(&first, "first", 0, rpm(1)),
        held_to(&second, "second", 1, total),
    ])
    .start()
    .await;
    for _ in 0..2 {
        assert_eq!(spends(&gateway).await, StatusCode::OK);
    }
    for stream in [false, true] {
        let refused = ask(&gateway, stream).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.header("x-penstock-code"), Some("NO_AVAILABLE_ACCOUNT"));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=61).contains(&wait), "the first one's: {wait}");
        assert_eq!(refused.header("x-ratelimit-limit"), None);
        let body = refused.json().await;
        assert!(body["error"].get("penstock").is_none(), "{body}");
        assert_eq!(body["error"]["message"], "No available provider found");
    }
    let record = gateway.records(3).await.records[2].clone();
    assert_eq!((record.cost, record.provider_id), (NanoUsd(0), None));
    gateway.change(|setup| setup.settings.push(Setting::ExplainRefusals(true)));
    let message = ask(&gateway, false).await.message().await;
    assert!(
        message.contains("first is full (rpm), second is full (usd_total)"),
        "{message}"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn d02_of_many_full_providers_each_is_asked_about_once_in_a_while_and_not_all_by_one_call() {
    let fake = provider(told()).await;
    let many = (0..40).map(|n| held_to(&fake, &format!("p{n}"), n, rpm(1)));
    let gateway = Setup::of(many).start().await;
    let refusals = || {
        let metrics = gateway.metrics();
        let of = |line: &&str| line.starts_with("penstock_limit_refusals_total{") && line.contains("rpm");
        let line = metrics.lines().find(of).map(str::to_owned).unwrap_or_default();
        line.rsplit(' ').next().unwrap_or_default().parse().unwrap_or(0)
    };
    for _ in 0..40 {
        // The memory is shorter than this test.
        while ask(&gateway, false).await.status != StatusCode::OK {}
    }
    assert_eq!(fake.request_count(), 40);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let before: u32 = refusals();
    let answer = ask(&gateway, false).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(refusals() - before, 32);
    gateway.stop().await;
}

#[tokio::test]
async fn d01_a_providers_slot_is_free_when_its_call_ends_or_fails() {
    let gate = Gate::new();
    let fake = provider(Behaviour::held_after(5, &gate)).await;
    let one = Limits {
        concurrent_requests: 1,
        ..Limits::default()
    };
    let gateway = Setup::of([held_to(&fake, "only", 0, one)]).start().await;
    let mut first = ask(&gateway, true).await;
    first.until("content_block_delta").await;
    assert_eq!(ask(&gateway, true).await.status, StatusCode::SERVICE_UNAVAILABLE);
    gate.open();
    assert!(first.read().await.clean);
    fake.set_default(Behaviour::status(500));
    for _ in 0..3 {
        assert!(ask(&gateway, false).await.status.is_server_error());
    }
    fake.set_default(told());
    assert_eq!(spends(&gateway).await, StatusCode::OK);
    // A failed call is tried twice, under what it holds.
    assert_eq!(fake.request_count(), 1 + 3 * 2 + 1);
    gateway.stop().await;
}

#[tokio::test]
async fn d04_a_strict_budget_of_a_provider_refuses_what_could_pass_it() {
    let [first, second] = [provider(told()).await, provider(told()).await];
    let strict = Limits {
        usd_total: NanoUsd(60_000_000),
        budget: Budget::Strict,
        ..Limits::default()
    };
    let gateway = Setup::of([
        held_to(&first, "first", 0, strict),
        held_to(&second, "second", 1, Limits::default()),
    ])
    .start()
    .await;
    // Its bound is 0.047 USD and its cost 0.0175.
    for _ in 0..3 {
        assert_eq!(spends(&gateway).await, StatusCode::OK);
    }
    assert_eq!((first.request_count(), second.request_count()), (1, 2));
    let mut unbounded = messages("hi", false);
    unbounded["mcp_servers"] =
        serde_json::json!([{"type": "url", "url": "https://example.com", "name": "x"}]);
    let answer = gateway.client().messages(&unbounded).send().await;
    assert_eq!((answer.status, second.request_count()), (StatusCode::OK, 3));
    gateway.stop().await;
}
