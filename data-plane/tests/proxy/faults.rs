//! What is held against a provider and charged, and what is not its fault (B7, C4).

use std::time::Duration;

use http::StatusCode;
use penstock_core::provider::Provider;
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Ending, FakeProvider, UsageOverride};

use super::client::{Answer, messages};
use super::gateway::{Gateway, Setup, anthropic};
use super::limits::{provider, told};

/// A provider whose breaker opens after so many failures.
pub(crate) fn touchy(fake: &FakeProvider, failures: u32) -> Provider {
    let mut provider = anthropic(fake);
    provider.breaker.failures = failures;
    provider
}

pub(crate) async fn ask(gateway: &Gateway, stream: bool) -> Answer {
    gateway.client().messages(&messages("hi", stream)).send().await
}

/// Whether the provider is asked again, and answers well.
pub(crate) async fn is_well(fake: &FakeProvider, gateway: &Gateway) -> bool {
    fake.set_default(told());
    let answer = ask(gateway, false).await;
    assert!(answer.status == StatusCode::OK || answer.status == StatusCode::SERVICE_UNAVAILABLE);
    answer.status == StatusCode::OK
}

#[tokio::test]
async fn b07_an_error_event_after_content_that_is_the_callers_is_not_held_against_the_provider() {
    for (kind, message, held) in [
        (
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            false,
        ),
        (
            "invalid_request_error",
            "Output blocked by content filtering policy",
            false,
        ),
        ("api_error", "Internal server error", true),
        ("overloaded_error", "Overloaded", true),
    ] {
        let fake = provider(Behaviour::ends(4, Ending::Error).error(kind, message, None)).await;
        let gateway = Setup::of([touchy(&fake, 1)]).start().await;
        let read = ask(&gateway, true).await.read().await;
        assert!(!read.clean && read.text.contains(message), "{}", read.text);
        assert_eq!(is_well(&fake, &gateway).await, !held, "{message}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b07_a_caller_who_reads_slowly_until_the_end_of_time_is_not_held_against_the_provider() {
    let endless = Behaviour {
        chunk_bytes: Some(64 * 1024),
        ..Behaviour::default().chunks(500)
    };
    let fake = provider(endless).await;
    let gateway = Setup::of([touchy(&fake, 1)]).start().await;
    let mut slow = messages("hi", true);
    slow["max_tokens"] = 20_000_000.into();
    let mut answer = gateway.client().messages(&slow).send().await;
    answer.until("content_block_delta").await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3_600)).await;
    tokio::time::resume();
    assert!(!answer.read().await.clean);
    assert_eq!(gateway.records(1).await.only().outcome, Outcome::Interrupted);
    assert!(is_well(&fake, &gateway).await);
    gateway.stop().await;
}

#[tokio::test]
async fn c04_a_failed_attempt_is_not_charged_when_the_caller_leaves_before_the_next() {
    let failing = Behaviour {
        usage: UsageOverride {
            input: Some(100_000),
            ..UsageOverride::default()
        },
        ..Behaviour::ends(1, Ending::Error).error("overloaded_error", "Overloaded", None)
    };
    let fake = provider(failing).await;
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    tokio::select! {
        _ = ask(&gateway, true) => panic!("it waits for the second try"),
        () = async { while !gateway.metrics().contains("end=\"broken\"} 1") { tokio::task::yield_now().await } } => {}
    }
    let ledger = gateway.records(1).await;
    let record = ledger.only();
    assert_eq!(record.outcome, Outcome::ClientAbort);
    assert_eq!(
        (record.tokens.input, record.tokens.output, record.cost.0),
        (0, 0, 0)
    );
    assert!(gateway.ledger().open.is_empty());
    gateway.stop().await;
}
