//! One request is at most one failure of a provider, and only a call of a model is (B7, C1).

use std::time::Duration;

use http::StatusCode;
use penstock_core::limits::Limits;
use penstock_core::model::ModelPattern;
use penstock_core::provider::{Provider, Timeouts};
use penstock_core::setting::{ModelFallback, Setting};
use penstock_fake_provider::{Behaviour, FakeProvider, Instead};

use super::client::messages;
use super::failover::tier;
use super::faults::{ask, is_well, touchy};
use super::gateway::{CLAUDE, Gateway, Setup};
use super::limits::{provider, told};

async fn count_tokens(gateway: &Gateway) -> StatusCode {
    let body = messages("hi", false);
    let asking = gateway.client().post("/v1/messages/count_tokens", &body);
    asking
        .header("anthropic-version", "2023-06-01")
        .send()
        .await
        .status
}

#[tokio::test]
async fn b07_an_attempt_that_the_calls_own_deadline_cut_short_is_not_held_against_the_provider() {
    for stream in [false, true] {
        let hanging = || provider(Behaviour::instead(Instead::Hang));
        let (first, second) = (hanging().await, hanging().await);
        let times = |fake: &FakeProvider, priority, own: u64| Provider {
            timeouts: Timeouts {
                total_ms: Some(own),
                stream_total_ms: Some(own),
                first_byte_ms: Some(own),
                ..Timeouts::default()
            },
            breaker: touchy(fake, 1).breaker,
            ..tier(fake, priority)
        };
        // The first one takes all but a moment of what the second one may.
        let gateway = Setup::of([times(&first, 0, 400), times(&second, 1, 600)])
            .start()
            .await;
        assert_eq!(ask(&gateway, stream).await.status, StatusCode::GATEWAY_TIMEOUT);
        assert_eq!((first.request_count(), second.request_count()), (1, 1));
        assert!(is_well(&second, &gateway).await);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b07_a_provider_that_hangs_opens_its_breaker_for_calls_that_do_not_stream() {
    let (hanging, second) = (
        provider(Behaviour::instead(Instead::Hang)).await,
        provider(told()).await,
    );
    let impatient = |fake: &FakeProvider, priority| Provider {
        timeouts: Timeouts {
            total_ms: Some(1_000),
            ..Timeouts::default()
        },
        breaker: touchy(fake, 2).breaker,
        ..tier(fake, priority)
    };
    let gateway = Setup::of([impatient(&hanging, 0), impatient(&second, 1)])
        .start()
        .await;
    for _ in 0..2 {
        assert_eq!(ask(&gateway, false).await.status, StatusCode::GATEWAY_TIMEOUT);
    }
    assert_eq!(ask(&gateway, false).await.status, 200);
    assert_eq!((hanging.request_count(), second.request_count()), (2, 1));
    gateway.stop().await;
}

#[tokio::test]
async fn b05_a_provider_that_is_passed_over_lends_its_patience_to_nobody() {
    let (full, silent) = (
        provider(told()).await,
        provider(Behaviour::instead(Instead::Hang)).await,
    );
    let last = provider(told()).await;
    let patient = |fake: &FakeProvider, priority, total| Provider {
        timeouts: Timeouts {
            total_ms: Some(total),
            ..Timeouts::default()
        },
        ..tier(fake, priority)
    };
    let mut first = patient(&full, 0, 60_000);
    first.limits = Limits {
        rpm: 1,
        ..Limits::default()
    }
    .shared();
    let gateway = Setup::of([first, patient(&silent, 1, 300), patient(&last, 2, 300)])
        .start()
        .await;
    assert_eq!(ask(&gateway, false).await.status, 200);
    assert_eq!(ask(&gateway, false).await.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!((silent.request_count(), last.request_count()), (1, 0));
    gateway.stop().await;
}

#[tokio::test]
async fn b07_one_request_is_one_failure_of_a_provider_however_many_substitutes_it_tries() {
    let fake = provider(Behaviour::status(500)).await;
    let fallback = ModelFallback {
        model: ModelPattern::Exact(CLAUDE.into()),
        substitutes: ["claude-a", "claude-b", "claude-c"].map(Into::into).to_vec(),
    };
    let setup = Setup {
        settings: vec![Setting::ModelFallbacks(vec![fallback])],
        ..Setup::of([touchy(&fake, 2)])
    };
    let gateway = setup.start().await;
    assert_eq!(ask(&gateway, false).await.status, 500);
    assert_eq!(fake.request_count(), 8);
    assert!(is_well(&fake, &gateway).await);
    gateway.stop().await;
}

#[tokio::test]
async fn b07_counting_tokens_neither_opens_nor_closes_a_breaker() {
    let fake = provider(Behaviour::status(500)).await;
    let gateway = Setup::of([touchy(&fake, 2)]).start().await;
    assert_eq!(ask(&gateway, false).await.status, 500);
    for _ in 0..3 {
        assert_eq!(count_tokens(&gateway).await, 200);
    }
    assert_eq!(ask(&gateway, false).await.status, 500);
    assert!(!is_well(&fake, &gateway).await, "two model calls in a row failed");
    gateway.stop().await;

    let dead = provider(told()).await;
    let gateway = Setup::of([touchy(&dead, 1)]).start().await;
    dead.shutdown().await;
    for _ in 0..3 {
        assert_eq!(
            count_tokens(&gateway).await,
            StatusCode::BAD_GATEWAY,
            "still asked"
        );
    }
    gateway.stop().await;
}

#[tokio::test]
async fn b07_counting_tokens_is_not_the_trial_of_a_half_open_breaker() {
    let fake = provider(Behaviour::status(500)).await;
    let mut provider = touchy(&fake, 1);
    (provider.breaker.open_ms, provider.breaker.successes) = (1, 1);
    let gateway = Setup::of([provider]).start().await;
    assert_eq!(ask(&gateway, false).await.status, 500);
    fake.set_default(told());
    tokio::time::sleep(Duration::from_millis(20)).await;
    let asked = fake.request_count();
    assert_eq!(count_tokens(&gateway).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(fake.request_count(), asked);
    assert_eq!(ask(&gateway, false).await.status, 200);
    assert_eq!(count_tokens(&gateway).await, StatusCode::OK);
    gateway.stop().await;
}
