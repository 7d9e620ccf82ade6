//! A caller goes away, and the operator wants to know exactly what its stream used (C4).

use penstock_core::setting::{RoutingPolicy, Setting};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Gate};

use super::client::messages;
use super::failover::tier;
use super::gateway::{Gateway, Setup};
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

#[tokio::test]
async fn c04_a_stream_that_is_read_on_is_recorded_with_its_exact_usage() {
    let gate = Gate::new();
    let (fake, gateway) = reads_on(Behaviour::held_after(6, &gate)).await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    answer.until("text_delta").await;
    drop(answer);
    while !gateway.metrics().contains("penstock_connections 0") {
        tokio::task::yield_now().await;
    }
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
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    answer.until("text_delta").await;
    drop(answer);
    while !gateway.metrics().contains("penstock_connections 0") {
        tokio::task::yield_now().await;
    }
    gateway.stop().await;
}
