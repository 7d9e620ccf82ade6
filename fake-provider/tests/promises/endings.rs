//! Streams that do not end as they should, and how they are counted.

use std::time::Duration;

use penstock_fake_provider::{Behaviour, Ending, FakeProvider, Gate, Instead};

use crate::client::{chat, events, messages, names, says, streams, until_broken};

async fn fake(behaviour: Behaviour) -> FakeProvider {
    FakeProvider::builder()
        .default_behaviour(behaviour)
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_cut_leaves_exactly_so_many_events_and_no_proper_end() {
    for after in [0, 1, 4] {
        let fake = fake(Behaviour::ends(after, Ending::Cut)).await;
        let (events, ended) = until_broken(messages(&fake, &streams("hello"))).await;
        assert_eq!((events.len(), ended), (after, false));
        assert_eq!(fake.until(|now| now.in_flight == 0).await.failed, 1);
    }
}

#[tokio::test]
async fn a_cut_is_a_reset_of_the_stream_over_http2() {
    let fake = fake(Behaviour::ends(2, Ending::Cut)).await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let request = client
        .post(format!("{}/v1/messages", fake.base_url()))
        .json(&streams("hello"));
    let request = request.header("anthropic-version", "2023-06-01");
    let (events, ended) = until_broken(request).await;
    assert_eq!((events.len(), ended), (2, false));
    assert_eq!(fake.requests()[0].version, http::Version::HTTP_2);
}

#[tokio::test]
async fn a_clean_end_looks_like_success_without_the_last_events() {
    let fake = fake(Behaviour::ends(4, Ending::Clean)).await;
    let (events, ended) = until_broken(messages(&fake, &streams("hello"))).await;
    assert_eq!((events.len(), ended), (4, true));
    assert!(!names(&events).contains(&"message_stop"));
}

#[tokio::test]
async fn an_error_event_has_the_vendors_shape() {
    let overloaded = Behaviour {
        status: http::StatusCode::from_u16(529).ok(),
        ..Behaviour::ends(3, Ending::Error)
    };
    let fake = fake(overloaded).await;
    let claude = events(messages(&fake, &streams("hello"))).await;
    assert_eq!(claude.len(), 4);
    assert_eq!(claude[3].name, "error");
    assert_eq!(claude[3].data["error"]["type"], "overloaded_error");
    fake.set_default(Behaviour::ends(1, Ending::Error).error("server_error", "broken", Some("boom")));
    let gpt = events(chat(&fake, &streams("hello"))).await;
    assert_eq!(gpt.len(), 2);
    assert_eq!(gpt[1].data["error"]["message"], "broken");
    assert_eq!(gpt[1].data["error"]["code"], "boom");
}

#[tokio::test]
async fn usage_of_a_broken_stream_is_counted_apart_as_far_as_it_was_reported() {
    let fake = fake(Behaviour::ends(3, Ending::Clean)).await;
    until_broken(messages(&fake, &streams("hello"))).await;
    until_broken(chat(&fake, &streams("hello"))).await;
    let totals = fake.usage_totals();
    assert_eq!((totals.answers, totals.partial_answers), (0, 1));
    assert_eq!(totals.partial.output, 1);
    assert!(totals.partial.input > 0);
}

#[tokio::test]
async fn a_stalled_stream_is_abandoned_when_the_caller_leaves() {
    let fake = fake(Behaviour::ends(2, Ending::Stall)).await;
    let mut response = messages(&fake, &streams("hello")).send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    assert_eq!(fake.counts().in_flight, 1);
    drop(response);
    let counts = fake.until(|now| now.in_flight == 0).await;
    assert_eq!((counts.abandoned, counts.usage.partial_answers), (1, 1));
}

#[tokio::test]
async fn a_gate_holds_a_stream_in_its_middle() {
    let gate = Gate::new();
    let fake = fake(Behaviour::held_after(1, &gate)).await;
    let mut response = messages(&fake, &streams("hello")).send().await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: message_start"));
    assert_eq!(fake.counts().in_flight, 1);
    gate.open();
    let rest = response.text().await.unwrap();
    assert!(rest.contains("message_stop"));
}

#[tokio::test]
async fn a_silent_stream_sends_only_pings() {
    let silence = Behaviour::instead(Instead::Silence).pace(Duration::from_millis(1));
    let fake = fake(silence).await;
    let mut response = messages(&fake, &streams("hello")).send().await.unwrap();
    for _ in 0..3 {
        let chunk = response.chunk().await.unwrap().unwrap();
        assert!(chunk.starts_with(b"event: ping\n"));
    }
}

#[tokio::test]
async fn pings_come_before_the_first_event() {
    let fake = fake(Behaviour {
        pings: 2,
        ..Behaviour::default()
    })
    .await;
    let claude = events(messages(&fake, &streams("hello"))).await;
    assert_eq!(names(&claude)[..3], ["ping", "ping", "message_start"]);
    let gpt = events(chat(&fake, &streams("hello"))).await;
    assert_eq!(gpt[0].raw, ": keep-alive");
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_is_cut_in_its_body() {
    let fake = fake(Behaviour::ends(1, Ending::Cut)).await;
    let response = messages(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    fake.set_default(Behaviour::ends(1, Ending::Clean));
    let half = messages(&fake, &says("hello"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&half).is_err());
    assert_eq!(fake.counts().failed, 2);
}
