//! Soft budgets of callers (D1, D2, D4).

use http::StatusCode;
use penstock_core::limits::Limits;
use penstock_core::money::NanoUsd;
use penstock_core::setting::{LimitsPolicy, Setting};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Gate};
use serde_json::{Value, json};

use super::client::chat;
use super::gateway::{CLAUDE, Gateway};
use super::limits::{ask, comes_to, limited, reading, told};

/// Two calls of Claude's cross it.
fn total() -> Limits {
    Limits {
        usd_total: NanoUsd(20_000_000),
        ..Limits::default()
    }
}

async fn spend(gateway: &Gateway, calls: usize) {
    for _ in 0..calls {
        let answer = ask(gateway, false).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.read().await.clean);
    }
}

#[tokio::test]
async fn d02_a_budget_that_is_crossed_refuses_in_the_callers_dialect() {
    let (fake, gateway) = limited(told(), total()).await;
    spend(&gateway, 2).await;
    let refused = ask(&gateway, true).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let header = |name| refused.header(name);
    assert_eq!(header("x-penstock-code"), Some("QUOTA_EXCEEDED"));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("retry-after"), Some("86400"));
    assert_eq!(header("x-should-retry"), Some("false"));
    assert_eq!(header("x-ratelimit-limit"), Some("0.02"));
    assert_eq!(header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(header("x-ratelimit-reset"), None, "a total has no end");
    let body = refused.json().await;
    assert_eq!(body["type"], "error");
    let penstock = json!({
        "code": "QUOTA_EXCEEDED", "dimension": "usd_total", "level": "user", "used": "0.035", "limit": "0.02",
        "reset_at": null,
    });
    assert_eq!(body["error"]["penstock"], penstock);
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("usd_total of this user (0.035 of 0.02 USD used)"),
        "{message}"
    );

    let refused = gateway.client().chat(&chat("hi", false)).send().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let body = refused.json().await;
    assert_eq!(body["error"]["code"], "insufficient_quota");
    assert_eq!(body["error"]["penstock"], penstock);
    assert_eq!(fake.request_count(), 2);
    let ledger = gateway.records(4).await;
    for record in &ledger.records[2..] {
        assert_eq!((record.outcome, record.status), (Outcome::Rejected, 429));
        assert_eq!(record.code.as_deref(), Some("QUOTA_EXCEEDED"));
        assert_eq!((record.cost, record.model.is_empty()), (NanoUsd(0), false));
    }
    assert_eq!(ledger.records[2].model, CLAUDE);
    gateway.stop().await;
}

#[tokio::test]
async fn d02_a_day_says_when_it_ends() {
    let daily = Limits {
        usd_daily: NanoUsd(1),
        ..Limits::default()
    };
    let (_fake, gateway) = limited(told(), daily).await;
    spend(&gateway, 1).await;
    let refused = ask(&gateway, false).await;
    let reset: i64 = refused.header("x-ratelimit-reset").unwrap().parse().unwrap();
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(reset % 86_400, 0, "midnight in UTC");
    assert!(wait > 0 && wait <= 86_400, "{wait}");
    let body = refused.json().await;
    assert!(
        body["error"]["penstock"]["reset_at"]
            .as_str()
            .unwrap()
            .ends_with("T00:00:00Z")
    );
    gateway.stop().await;
}

#[tokio::test]
async fn d02_operators_may_want_402_for_money() {
    let limits = Limits { rpm: 3, ..total() };
    let (_fake, mut gateway) = limited(told(), limits).await;
    let policy = LimitsPolicy {
        quota_status: 402,
        ..LimitsPolicy::default()
    };
    gateway.change(|setup| setup.settings = vec![Setting::Limits(policy)]);
    spend(&gateway, 2).await;
    let refused = ask(&gateway, false).await;
    assert_eq!(refused.status, StatusCode::PAYMENT_REQUIRED);
    assert_eq!(refused.header("x-penstock-code"), Some("QUOTA_EXCEEDED"));
    assert_eq!(gateway.records(3).await.records[2].status, 402);
    gateway.change(|setup| setup.user_limits.usd_total = NanoUsd(0));
    spend(&gateway, 1).await;
    assert_eq!(
        ask(&gateway, false).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "rates stay 429"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn d04_a_call_holds_an_estimate_until_it_is_settled_at_its_cost() {
    let gate = Gate::new();
    let mut told = told();
    told.hold_after = Some((5, gate.clone()));
    let (_fake, gateway) = limited(told, total()).await;
    let mut first = ask(&gateway, true).await;
    first.until("content_block_delta").await;
    let (used, held) = reading(&gateway, "user", "usd_total").await;
    assert_eq!(used, "0");
    assert_ne!(held, "0");
    gate.open();
    assert!(first.read().await.clean);
    assert_eq!(
        reading(&gateway, "user", "usd_total").await,
        (json!("0.0175"), json!("0"))
    );
    let record = gateway.ledger().only().clone();
    assert!(record.admitted_at.is_some());
    gateway.stop().await;
}

#[tokio::test]
async fn d04_a_call_whose_provider_fails_costs_nothing() {
    let (_fake, gateway) = limited(Behaviour::status(500), total()).await;
    for _ in 0..5 {
        assert!(ask(&gateway, false).await.status.is_server_error());
    }
    assert_eq!(
        reading(&gateway, "user", "usd_total").await,
        (json!("0"), json!("0"))
    );
    gateway.stop().await;
}

#[tokio::test]
async fn d04_limits_that_are_set_while_a_call_is_under_way_count_it() {
    let gate = Gate::new();
    let mut told = told();
    told.hold_after = Some((5, gate.clone()));
    let (_fake, mut gateway) = limited(told, Limits::default()).await;
    let mut first = ask(&gateway, true).await;
    first.until("content_block_delta").await;
    gateway.change(|setup| {
        setup.user_limits = total();
        setup.key_limits = total();
    });
    gate.open();
    assert!(first.read().await.clean);
    comes_to(&gateway, "usd_total", json!("0.0175")).await;
    assert_eq!(reading(&gateway, "key", "usd_total").await.0, json!("0.0175"));
    gateway.stop().await;
}

#[tokio::test]
async fn d06_a_reset_gives_the_whole_budget_again() {
    let (_fake, mut gateway) = limited(told(), total()).await;
    spend(&gateway, 2).await;
    assert_eq!(ask(&gateway, false).await.status, StatusCode::TOO_MANY_REQUESTS);
    let last = gateway.ledger().records[1].admitted_at.unwrap();
    gateway.change(|setup| {
        let reset = penstock_core::time::UnixMs(last.0 + 1);
        let dimension = penstock_core::limits::Dimension::UsdTotal;
        setup.user_limits.resets.insert(dimension, reset);
    });
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    spend(&gateway, 1).await;
    assert_eq!(
        reading(&gateway, "user", "usd_total").await.0,
        Value::from("0.0175")
    );
    gateway.stop().await;
}
