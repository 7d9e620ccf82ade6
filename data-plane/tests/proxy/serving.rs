//! Connections: both versions of HTTP, many at once, and leaving (C6, G16).

use futures::future::join_all;
use http::{Method, StatusCode};
use penstock_core::usage::Outcome;
use penstock_data_plane::drain::Drained;
use penstock_fake_provider::{Behaviour, FakeProvider, Gate};
use serde_json::json;

use super::client::{Client, messages};
use super::gateway::{Setup, anthropic};

#[tokio::test]
async fn http2_clients_are_served_on_the_same_port() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = Client::http2(gateway.address);
    for stream in [false, true] {
        let out = client.messages(&messages("hi", stream)).send().await.read().await;
        assert!(out.clean);
    }
    let refused = client
        .request(Method::POST, "/v1/messages")
        .body("{}")
        .send()
        .await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    gateway.stop().await;
}

#[tokio::test]
async fn c03_an_http2_stream_that_breaks_is_reset_after_its_error_event() {
    use penstock_fake_provider::Ending;
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::ends(5, Ending::Cut))
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = Client::http2(gateway.address);
    let out = client.messages(&messages("hi", true)).send().await.read().await;
    assert!(!out.clean && out.text.contains("event: error"), "{out:?}");
    gateway.stop().await;
}

#[tokio::test]
async fn c06_a_hundred_streams_at_once_are_all_served() {
    let gate = Gate::new();
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::held_after(4, &gate))
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    let body = messages("hi", true);
    let streams = (0..100).map(|_| async {
        let answer = client.messages(&body).send().await;
        answer.read().await
    });
    let opening = async {
        fake.until(|counts| counts.in_flight == 100).await;
        gate.open();
    };
    let (outs, ()) = futures::join!(join_all(streams), opening);
    assert!(
        outs.iter()
            .all(|out| out.clean && out.text.contains("message_stop"))
    );
    let records = gateway.ledger().records;
    assert_eq!(records.len(), 100);
    assert!(records.iter().all(|record| record.outcome == Outcome::Succeeded));
    gateway.stop().await;
}

#[tokio::test]
async fn a_refused_request_with_a_large_body_still_reads_its_answer() {
    let gateway = Setup::of([]).start().await;
    let client = gateway.client();
    for _ in 0..3 {
        let asking = client.request(Method::POST, "/v1/messages");
        let answer = asking.body("x".repeat(900_000)).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header("connection"), None);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn connections_to_providers_are_used_again() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    for _ in 0..5 {
        assert!(
            client
                .messages(&messages("hi", false))
                .send()
                .await
                .read()
                .await
                .clean
        );
    }
    assert_eq!(gateway.ledger().records.len(), 5);
    gateway.stop().await;
}

#[tokio::test]
async fn g16_a_stream_under_way_runs_to_its_end_while_draining() {
    let gate = Gate::new();
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::held_after(4, &gate))
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let client = gateway.client();
    let mut answer = client.messages(&messages("hi", true)).send().await;
    answer.until("content_block_start").await;
    let reading = async {
        gate.open();
        answer.read().await
    };
    let (drained, out) = futures::join!(gateway.stop(), reading);
    assert_eq!(drained, Drained::Whole);
    assert!(out.clean && out.text.contains("message_stop"));
}

#[tokio::test]
async fn g16_what_the_drain_cuts_is_recorded() {
    let gate = Gate::new();
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::held_after(4, &gate))
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    answer.until("content_block_start").await;
    let drained = gateway
        .app
        .drain
        .run(std::time::Duration::ZERO, std::time::Duration::from_millis(50))
        .await;
    assert_eq!(drained, Drained::Cut(1));
    let ledger = gateway.ledger();
    assert_eq!(ledger.only().outcome, Outcome::Interrupted);
    gateway.stop().await;
}

#[tokio::test]
async fn an_answer_in_json_is_one_body_of_known_length() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    let length: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.read().await;
    assert_eq!(body.text.len(), length);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&body.text).unwrap()["type"],
        json!("message")
    );
    gateway.stop().await;
}
