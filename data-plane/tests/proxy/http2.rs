//! Providers that speak HTTP/2: many streams on few connections, and none in the way of another (C6, B7).

use std::time::Duration;

use http::StatusCode;
use penstock_core::provider::Timeouts;
use penstock_fake_provider::{Behaviour, FakeProvider, Gate};

use super::client::{Answer, messages};
use super::gateway::{Gateway, Setup, anthropic};
use crate::support::tls::TlsEdge;

/// A provider behind an edge that takes so many streams on a connection.
async fn gateway(behaviour: Behaviour, max_streams: u32) -> (FakeProvider, TlsEdge, Gateway) {
    let fake = FakeProvider::builder()
        .default_behaviour(behaviour)
        .max_streams(max_streams)
        .shutdown_grace(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let edge = TlsEdge::before(fake.address()).await;
    let mut provider = edge.provider(anthropic(&fake));
    provider.timeouts = Timeouts {
        first_byte_ms: Some(4_000),
        idle_ms: Some(4_000),
        ..Timeouts::default()
    };
    (fake, edge, Setup::of([provider]).start().await)
}

/// So many streams at once, each until its first text.
async fn streams(gateway: &Gateway, count: usize) -> Vec<Answer> {
    let asking = (0..count).map(|_| async {
        let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.until("text_delta").await;
        answer
    });
    futures::future::join_all(asking).await
}

#[tokio::test]
async fn c06_streams_are_not_kept_waiting_by_what_one_connection_takes() {
    for (max_streams, count, connections) in [(100, 170, 3), (2, 13, 7)] {
        let gate = Gate::new();
        let (fake, edge, gateway) = gateway(Behaviour::held_after(6, &gate), max_streams).await;
        // The edge says what it takes.
        let first = streams(&gateway, 1).await;
        let others = streams(&gateway, count - 1).await;
        assert_eq!(fake.counts().in_flight, count as u64);
        assert!(
            edge.connections() >= connections,
            "{} connections",
            edge.connections()
        );
        gate.open();
        for answer in first.into_iter().chain(others) {
            assert!(answer.read().await.clean);
        }
        assert_eq!(fake.requests().len(), count, "nothing was sent twice");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b07_callers_who_read_slowly_stop_no_other_call_to_their_provider() {
    let endless = Behaviour {
        chunk_bytes: Some(64 * 1024),
        ..Behaviour::default().chunks(500)
    };
    let (fake, edge, gateway) = gateway(endless, 100).await;
    let mut slow = messages("hi", true);
    slow["max_tokens"] = 20_000_000.into();
    let mut readers = Vec::new();
    for _ in 0..12 {
        let mut answer = gateway.client().messages(&slow).send().await;
        answer.until("content_block_delta").await;
        readers.push(answer);
    }
    fake.set_default(Behaviour::default());
    // All buffers on the way to the slow ones fill up meanwhile.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(edge.connections(), 1);
    let out = streams(&gateway, 1).await.remove(0).read().await;
    assert!(out.clean, "{}", out.text);
    drop(readers);
    gateway.stop().await;
}
