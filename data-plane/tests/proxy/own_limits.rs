//! `GET /penstock/v1/limits`: callers see their limits (D1).

use http::{Method, StatusCode};
use penstock_core::limits::Limits;
use penstock_core::money::NanoUsd;
use penstock_fake_provider::FakeProvider;
use serde_json::json;

use super::gateway::{Setup, anthropic};

const PATH: &str = "/penstock/v1/limits";

#[tokio::test]
async fn d01_a_key_sees_its_limits_and_its_users() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let setup = Setup {
        key_limits: Limits {
            rpm: 10,
            usd_total: NanoUsd(1_500_000_000),
            ..Limits::default()
        },
        user_limits: Limits {
            rpm: 20,
            concurrent_requests: 4,
            ..Limits::default()
        },
        ..Setup::of([anthropic(&fake)])
    };
    let gateway = setup.start().await;
    let answer = gateway.client().get(PATH).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("x-penstock-request-id").is_some());
    let count = |level, dimension, limit| json!({"level": level, "dimension": dimension, "used": 0, "reserved": 0, "limit": limit, "reset_at": null});
    let items = json!([
        {"level": "key", "dimension": "usd_total", "used": "0", "reserved": "0", "limit": "1.5", "reset_at": null},
        count("user", "concurrent_requests", 4),
        count("key", "rpm", 10),
        count("user", "rpm", 20),
    ]);
    assert_eq!(answer.json().await, json!({"items": items}));
    assert_eq!(fake.request_count(), 0);
    assert!(gateway.ledger().records.is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn d01_a_key_without_limits_sees_none() {
    let gateway = Setup::default().start().await;
    let answer = gateway.client().get(PATH).send().await;
    assert_eq!(answer.json().await, json!({"items": []}));
    gateway.stop().await;
}

#[tokio::test]
async fn a02_limits_are_for_known_keys_only() {
    let gateway = Setup::default().start().await;
    let answer = gateway.client().request(Method::GET, PATH).send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json().await["error"]["code"], "invalid_api_key");
    let wrong = gateway.client().post(PATH, &json!({})).send().await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    gateway.stop().await;
}

#[tokio::test]
async fn d01_calls_that_take_nothing_have_a_limit_of_their_own() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    for path in [PATH, "/v1/models"].iter().cycle().take(600) {
        assert_eq!(gateway.client().get(path).send().await.status, StatusCode::OK);
    }
    let refused = gateway.client().get(PATH).send().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("x-penstock-code"), Some("RATE_LIMIT_EXCEEDED"));
    gateway.stop().await;
}
