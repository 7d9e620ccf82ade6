//! What a provider gets, and what of its answers comes back (A1, security 1, 2, 8, 10; wire facts 7 and 8).

use http::StatusCode;
use penstock_core::provider::{Header, ProviderKind};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, FakeProvider, Instead};

use super::client::{chat, messages};
use super::gateway::{CREDENTIAL, Setup, anthropic, openai, provider};

async fn answering(behaviour: Behaviour) -> FakeProvider {
    FakeProvider::builder()
        .default_behaviour(behaviour)
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn providers_get_their_own_credential_and_no_other() {
    let fake = FakeProvider::builder()
        .require_credential(CREDENTIAL)
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake), openai(&fake)]).start().await;
    let client = gateway.client();
    assert_eq!(client.messages(&messages("hi", false)).send().await.status, 200);
    assert_eq!(client.chat(&chat("hi", false)).send().await.status, 200);
    let [claude, gpt] = &fake.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(
        (claude.header("x-api-key"), claude.header("authorization")),
        (Some(CREDENTIAL), None)
    );
    assert_eq!(
        gpt.header("authorization"),
        Some(format!("Bearer {CREDENTIAL}").as_str())
    );
    assert_eq!(
        (claude.path.as_str(), gpt.path.as_str()),
        ("/v1/messages", "/v1/chat/completions")
    );
    gateway.stop().await;
}

#[tokio::test]
async fn s08_hop_by_hop_and_identity_headers_stop_here_and_unknown_ones_pass() {
    let fake = answering(Behaviour::default()).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let asking = gateway
        .client()
        .messages(&messages("hi", false))
        .header("connection", "keep-alive, x-private")
        .header("x-private", "1")
        .header("te", "trailers")
        .header("x-forwarded-for", "1.2.3.4")
        .header("cookie", "a=b")
        .header("traceparent", "00-1-1-00")
        .header("x-penstock-anything", "1")
        .header("accept-encoding", "gzip, br")
        .header("anthropic-beta", "one,two")
        .header("x-business-module", "billing");
    assert_eq!(asking.send().await.status, StatusCode::OK);
    let seen = &fake.requests()[0];
    for name in [
        "x-private",
        "te",
        "x-forwarded-for",
        "cookie",
        "traceparent",
        "x-penstock-anything",
    ] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("host"), Some(fake.address().to_string().as_str()));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("anthropic-beta"), Some("one,two"));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(seen.header("x-business-module"), Some("billing"));
    gateway.stop().await;
}

#[tokio::test]
async fn extra_headers_of_the_operator_replace_the_callers() {
    let fake = answering(Behaviour::default()).await;
    let mut provider = anthropic(&fake);
    provider.extra_headers.push(Header {
        name: "x-team".to_owned(),
        value: "platform".to_owned(),
    });
    let gateway = Setup::of([provider]).start().await;
    let asking = gateway.client().messages(&messages("hi", false));
    assert_eq!(
        asking.header("x-team", "mine").send().await.status,
        StatusCode::OK
    );
    assert_eq!(fake.requests()[0].header("x-team"), Some("platform"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_provider_that_changes_is_called_as_it_is_now() {
    let [one, other] = [
        answering(Behaviour::default()).await,
        answering(Behaviour::default()).await,
    ];
    let mut gateway = Setup::of([anthropic(&one)]).start().await;
    let client = gateway.client();
    assert_eq!(client.messages(&messages("hi", false)).send().await.status, 200);
    gateway.change(|setup| setup.credential = "sk-rotated-credential-0002");
    assert_eq!(client.messages(&messages("hi", false)).send().await.status, 200);
    assert_eq!(
        one.requests()[1].header("x-api-key"),
        Some("sk-rotated-credential-0002")
    );
    gateway.change(|setup| setup.providers[0].base_urls = vec![other.base_url()]);
    assert_eq!(client.messages(&messages("hi", false)).send().await.status, 200);
    assert_eq!((one.request_count(), other.request_count()), (2, 1));
    gateway.stop().await;
}

#[tokio::test]
async fn an_error_of_the_provider_keeps_status_body_and_retry_after() {
    let overloaded = Behaviour::status(529)
        .error("overloaded_error", "Overloaded", None)
        .retry_after(7);
    let fake = answering(overloaded).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let answer = gateway.client().messages(&messages("hi", true)).send().await;
    assert_eq!(answer.status.as_u16(), 529);
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert_eq!(answer.header("x-penstock-code"), None);
    assert!(answer.header("x-penstock-request-id").is_some() && answer.header("request-id").is_some());
    let body = answer.json().await;
    assert_eq!(
        (body["error"]["type"].as_str(), body["error"]["message"].as_str()),
        (Some("overloaded_error"), Some("Overloaded"))
    );
    let ledger = gateway.ledger();
    assert_eq!(
        (ledger.only().outcome, ledger.only().status),
        (Outcome::UpstreamError, 529)
    );
    assert_eq!(ledger.only().cost.0, 0);
    gateway.stop().await;
}

#[tokio::test]
async fn s10_errors_of_the_provider_are_masked_and_otherwise_unchanged() {
    let message = format!("prompt is too long; account {CREDENTIAL}, mail ops@example.com");
    let fake = answering(Behaviour::status(400).error("invalid_request_error", &message, None)).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let message = answer.message().await;
    assert!(message.starts_with("prompt is too long; account "), "{message}");
    assert!(
        !message.contains(CREDENTIAL) && !message.contains("ops@example.com"),
        "{message}"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_refused_credential_of_ours_is_not_the_callers_401() {
    let fake = FakeProvider::builder()
        .require_credential("sk-another-one")
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    let text = answer.read().await.text;
    assert!(
        !text.contains("key") && !text.contains("authentication"),
        "{text}"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn s01_redirects_are_not_followed() {
    let elsewhere = answering(Behaviour::default()).await;
    let place = format!("{}/v1/messages", elsewhere.base_url()).parse().unwrap();
    let fake = answering(Behaviour::instead(Instead::Redirect(place))).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.header("location"), None);
    assert_eq!(elsewhere.request_count(), 0);
    gateway.stop().await;
}

#[tokio::test]
async fn s02_a_metadata_address_is_never_dialled() {
    for base_url in [
        "http://169.254.169.254",
        "http://[::ffff:169.254.169.254]:80/latest",
    ] {
        let gateway = Setup::of([provider("evil", ProviderKind::Anthropic, base_url)])
            .start()
            .await;
        let answer = gateway.client().messages(&messages("hi", false)).send().await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        let message = answer.message().await;
        assert!(!message.contains("169.254"), "{message}");
        assert!(gateway.metrics().contains("end=\"connect\"} 1"));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_502() {
    let fake = answering(Behaviour::default()).await;
    let provider = anthropic(&fake);
    fake.kill().await;
    let gateway = Setup::of([provider]).start().await;
    let answer = gateway.client().messages(&messages("hi", true)).send().await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(gateway.ledger().only().outcome, Outcome::Failed);
    gateway.stop().await;
}

#[tokio::test]
async fn headers_that_describe_the_providers_account_do_not_come_back() {
    let mut behaviour = Behaviour::default();
    for (name, value) in [
        ("anthropic-ratelimit-requests-remaining", "3"),
        ("anthropic-organization-id", "org-1"),
        ("set-cookie", "a=b"),
        ("cf-ray", "1"),
        ("x-unknown", "kept"),
    ] {
        behaviour.headers.insert(name, value.parse().unwrap());
    }
    let fake = answering(behaviour).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    for stream in [false, true] {
        let answer = gateway.client().messages(&messages("hi", stream)).send().await;
        for name in [
            "anthropic-ratelimit-requests-remaining",
            "anthropic-organization-id",
            "set-cookie",
            "cf-ray",
        ] {
            assert_eq!(answer.header(name), None, "{name}");
        }
        assert_eq!(answer.header("x-unknown"), Some("kept"));
        assert!(answer.header("request-id").is_some());
        answer.read().await;
    }
    gateway.stop().await;
}

#[tokio::test]
async fn s10_an_error_that_cannot_be_read_is_not_passed_on_but_its_status_is() {
    let mut encoded = Behaviour::status(400).error("invalid_request_error", "sk-ant-api03-hidden", None);
    encoded
        .headers
        .insert("content-encoding", "gzip".parse().unwrap());
    let fake = answering(encoded).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    for stream in [false, true] {
        let answer = gateway.client().messages(&messages("hi", stream)).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let message = answer.message().await;
        assert_eq!(message, "The provider answered 400 without a readable reason.");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_status_beyond_http_is_no_answer() {
    let fake = answering(Behaviour::status(999)).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(gateway.ledger().only().outcome, Outcome::Failed);
    gateway.stop().await;
}
