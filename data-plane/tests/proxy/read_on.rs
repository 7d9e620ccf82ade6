//! A caller goes away, and the operator wants to know exactly what its stream used (C4).

use penstock_core::setting::{RoutingPolicy, Setting};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Gate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::messages;
use super::failover::tier;
use super::gateway::{Gateway, KEY, Setup};
use super::limits::provider;

async fn reads_on(behaviour: Behaviour) -> (penstock_fake_provider::FakeProvider, Gateway) {
    let fake = provider(behaviour).await;
    let routing = RoutingPolicy {
        read_on_ms: 60_000,
        ..RoutingPolicy::default()
    };
    let setup = Setup {
        settings: vec![Setting::Routing(routing)],
        ..Setup::of([tier(&fake, 0)])
    };
    (fake, setup.start().await)
}

/// Asks for a stream, reads its beginning and goes away. Ends when the gateway has seen that.
async fn leave(gateway: &Gateway) {
    let body = messages("hi", true).to_string();
    let mut socket = TcpStream::connect(gateway.address).await.unwrap();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("text_delta") {
        assert_ne!(socket.read_buf(&mut read).await.unwrap(), 0);
    }
    socket.shutdown().await.unwrap();
    // The gateway hangs up; what that looks like here does not matter.
    drop(socket.read_to_end(&mut read).await);
}

#[tokio::test]
async fn c04_a_stream_that_is_read_on_is_recorded_with_its_exact_usage() {
    let gate = Gate::new();
    let (fake, gateway) = reads_on(Behaviour::held_after(6, &gate)).await;
    leave(&gateway).await;
    gate.open();
    let ledger = gateway.records(1).await;
    let record = ledger.only();
    assert_eq!((record.outcome, record.status), (Outcome::ClientAbort, 499));
    let reported = fake.usage_totals().complete;
    assert!(!record.estimated);
    assert_eq!(
        (record.tokens.input, record.tokens.output),
        (reported.input, reported.output)
    );
    gateway.stop().await;
}

#[tokio::test]
async fn c04_reading_on_ends_with_the_node() {
    let gate = Gate::new();
    let (_fake, gateway) = reads_on(Behaviour::held_after(6, &gate)).await;
    leave(&gateway).await;
    gateway.stop().await;
}
