//! The trial of a half-open breaker: who waits for it, and for how long (B7, B12).

use std::time::Duration;

use penstock_core::dialect::Dialect;
use penstock_core::route::Verdict;
use penstock_data_plane::proxy::{Question, plan};
use penstock_fake_provider::{Behaviour, FakeProvider, Gate};

use super::faults::{ask, touchy};
use super::gateway::{CLAUDE, Gateway, Setup, key_id, user_id};
use super::limits::{provider, told};

/// A gateway whose only provider is half-open, and closes after two trials.
async fn half_open() -> (FakeProvider, Gateway) {
    let fake = provider(Behaviour::status(500)).await;
    let mut provider = touchy(&fake, 1);
    provider.breaker.open_ms = 1;
    let gateway = Setup::of([provider]).start().await;
    assert_eq!(ask(&gateway, false).await.status, 500);
    tokio::time::sleep(Duration::from_millis(20)).await;
    (fake, gateway)
}

async fn verdict(gateway: &Gateway) -> Verdict {
    let question = Question {
        user: user_id(),
        key: Some(key_id(0)),
        dialect: Dialect::Anthropic,
        model: CLAUDE.to_owned(),
        session: None,
    };
    let planned = plan(&gateway.app, &question).await.unwrap();
    planned.models[0].providers[0].verdict
}

#[tokio::test]
async fn b07_a_trial_whose_stream_runs_on_keeps_nobody_out() {
    let (fake, gateway) = half_open().await;
    let gate = Gate::new();
    fake.set_default(Behaviour::held_after(4, &gate));
    let mut slow = ask(&gateway, true).await;
    slow.until("content_block_start").await;
    fake.set_default(told());
    for _ in 0..3 {
        assert_eq!(ask(&gateway, false).await.status, 200);
    }
    gate.open();
    assert!(slow.read().await.clean);
    gateway.stop().await;
}

#[tokio::test]
async fn b07_while_a_trial_waits_others_are_told_that_the_breaker_is_open() {
    let (fake, gateway) = half_open().await;
    let gate = Gate::new();
    fake.set_default(Behaviour::held(&gate));
    let waiting = async {
        while verdict(&gateway).await != Verdict::TrialUnderWay {
            tokio::task::yield_now().await;
        }
        let refused = ask(&gateway, false).await;
        assert_eq!(refused.status, 503);
        let message = refused.message().await;
        assert!(message.contains("Circuit breaker is OPEN"), "{message}");
        gate.open();
    };
    let (trial, ()) = tokio::join!(ask(&gateway, false), waiting);
    assert_eq!(trial.status, 200);
    gateway.stop().await;
}
