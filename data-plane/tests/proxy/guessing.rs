//! Who guesses keys is not listened to for a while (A7), and nobody chooses the address he is counted by (security 8).

use http::{Method, StatusCode};
use penstock_core::access::Access;
use penstock_fake_provider::FakeProvider;

use super::client::{Answer, Client, messages};
use super::gateway::{KEY, Setup, anthropic};

const DISABLED: &str = "psk_a_key_that_was_switched_off_3";

async fn with_key(client: &Client, key: &str, forwarded_for: &str) -> Answer {
    let asking = client.request(Method::GET, "/v1/models");
    let asking = asking.header("x-forwarded-for", forwarded_for);
    asking.header("x-api-key", key).send().await
}

async fn statuses(client: &Client, key: &str, forwarded_for: &str, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(with_key(client, key, forwarded_for).await.status.as_u16());
    }
    statuses
}

#[tokio::test]
async fn a07_twenty_unknown_keys_are_429_and_a_known_key_goes_on() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    assert_eq!(statuses(&client, "psk_guess", "", 19).await, [401; 19]);
    let refused = with_key(&client, "psk_guess", "").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("x-penstock-code"), Some("RATE_LIMIT_EXCEEDED"));
    assert_eq!(refused.header("x-should-retry"), Some("false"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((590..=600).contains(&wait), "{wait}");
    assert_eq!(
        client.messages(&messages("hi", false)).send().await.status,
        StatusCode::OK
    );
    let nothing = client.request(Method::GET, "/v1/models").send().await;
    assert_eq!(
        nothing.status,
        StatusCode::UNAUTHORIZED,
        "no credential is no guess"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a07_neither_disabled_keys_nor_missing_ones_count() {
    let mut setup = Setup::default();
    let disabled = Access {
        enabled: false,
        ..Access::default()
    };
    setup.keys.push((DISABLED, disabled));
    let gateway = setup.start().await;
    let client = gateway.client();
    assert_eq!(statuses(&client, DISABLED, "", 25).await, [401; 25]);
    assert_eq!(statuses(&client, "", "", 25).await, [401; 25]);
    for _ in 0..25 {
        let two = client.get("/v1/models").header("x-api-key", DISABLED);
        assert_eq!(two.send().await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        with_key(&client, "psk_guess", "").await.status,
        StatusCode::UNAUTHORIZED
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a07_behind_a_trusted_proxy_each_caller_is_counted_alone() {
    let mut setup = Setup::default();
    setup.traffic.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let gateway = setup.start().await;
    let client = gateway.client();
    assert_eq!(statuses(&client, "psk_guess", "192.0.2.1", 19).await, [401; 19]);
    let lie = "198.51.100.7, 192.0.2.1";
    assert_eq!(
        with_key(&client, "psk_guess", lie).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        with_key(&client, "psk_guess", "192.0.2.2").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(with_key(&client, KEY, "192.0.2.1").await.status, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn s08_without_a_trusted_proxy_nobody_chooses_his_address() {
    let gateway = Setup::default().start().await;
    let client = gateway.client();
    for i in 0..19 {
        let address = format!("192.0.2.{i}");
        assert_eq!(
            with_key(&client, "psk_guess", &address).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        with_key(&client, "psk_guess", "192.0.2.99").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    gateway.stop().await;
}
