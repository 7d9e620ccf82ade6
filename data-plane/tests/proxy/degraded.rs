//! Callers while Redis is away: what the operator chose (D5).

use futures::future::join_all;
use http::StatusCode;
use penstock_core::limits::{Budget, Limits};
use penstock_core::money::NanoUsd;
use penstock_core::setting::{Degraded, LimitsPolicy, Setting};
use penstock_fake_provider::FakeProvider;

use super::client::{chat, messages};
use super::gateway::{Gateway, Setup, anthropic, openai};
use super::limits::{ask, provider, told};

async fn without_redis(degraded: Degraded, user_limits: Limits) -> (FakeProvider, Gateway) {
    let fake = provider(told()).await;
    let policy = LimitsPolicy {
        degraded,
        ..LimitsPolicy::default()
    };
    let setup = Setup {
        user_limits,
        settings: vec![Setting::Limits(policy)],
        redis_url: Some("redis://127.0.0.1:1".to_owned()),
        ..Setup::of([anthropic(&fake), openai(&fake)])
    };
    (fake, setup.start().await)
}

fn rpm(rpm: u64) -> Limits {
    Limits {
        rpm,
        ..Limits::default()
    }
}

#[tokio::test]
async fn d05_closed_refuses_with_503_and_only_callers_who_have_limits() {
    let (fake, mut gateway) = without_redis(Degraded::Closed, rpm(10)).await;
    for stream in [false, true] {
        let client = gateway.client();
        let anthropic = client.messages(&messages("hi", stream)).send().await;
        let openai = client.chat(&chat("hi", stream)).send().await;
        for refused in [anthropic, openai] {
            assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(refused.header("x-penstock-code"), Some("LIMITS_UNAVAILABLE"));
            assert_eq!(refused.header("retry-after"), Some("1"));
            assert_eq!(refused.header("x-should-retry"), None);
            assert_eq!(
                refused.message().await,
                "Limits cannot be checked now. Try again in a moment."
            );
        }
    }
    assert_eq!(fake.request_count(), 0);
    let read = gateway.client().get("/penstock/v1/limits").send().await;
    assert_eq!(
        read.status,
        StatusCode::OK,
        "rates are known here, as far as they go"
    );
    gateway.change(|setup| setup.user_limits = Limits::default());
    assert_eq!(ask(&gateway, false).await.status, StatusCode::OK);
    gateway.stop().await;
}

#[tokio::test]
async fn d05_open_lets_everything_pass() {
    let limits = Limits {
        usd_total: NanoUsd(1),
        budget: Budget::Strict,
        ..rpm(1)
    };
    let (_fake, gateway) = without_redis(Degraded::Open, limits).await;
    for _ in 0..5 {
        assert!(ask(&gateway, false).await.read().await.clean);
    }
    assert!(
        gateway
            .metrics()
            .contains("penstock_budget_worst_case_overspend_nanousd")
    );
    gateway.stop().await;
}

#[tokio::test]
async fn d05_local_holds_this_data_planes_share() {
    let (_fake, gateway) = without_redis(Degraded::Local, rpm(10)).await;
    let answers = join_all((0..30).map(|_| ask(&gateway, false))).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(passed, 10, "nobody else lives");
    gateway.stop().await;
}

#[tokio::test]
async fn d08_limits_that_are_switched_off_refuse_nothing_without_redis_either() {
    let (_fake, mut gateway) = without_redis(Degraded::Closed, rpm(1)).await;
    let off = LimitsPolicy {
        enabled: false,
        degraded: Degraded::Closed,
        ..LimitsPolicy::default()
    };
    gateway.change(|setup| setup.settings = vec![Setting::Limits(off)]);
    for _ in 0..3 {
        assert!(ask(&gateway, false).await.read().await.clean);
    }
    gateway.stop().await;
}
