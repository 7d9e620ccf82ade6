//! Sessions stay with their provider (B4).

use penstock_core::provider::Provider;
use penstock_core::setting::{RoutingPolicy, Setting};
use penstock_fake_provider::FakeProvider;

use super::client::messages;
use super::failover::unknown;
use super::gateway::{Gateway, Setup, anthropic};
use super::limits::{provider, told};

async fn turn(gateway: &Gateway, session: &str) {
    let asking = gateway.client().messages(&messages("hi", true));
    let answer = asking.header("x-claude-code-session-id", session).send().await;
    assert_eq!(answer.status, 200);
    assert!(answer.read().await.clean);
}

fn counts(fakes: &[FakeProvider]) -> Vec<u64> {
    fakes.iter().map(FakeProvider::request_count).collect()
}

async fn equals(count: usize) -> (Vec<FakeProvider>, Vec<Provider>) {
    let mut fakes = Vec::new();
    for _ in 0..count {
        fakes.push(provider(told()).await);
    }
    let providers = fakes.iter().enumerate().map(|(n, fake)| Provider {
        name: format!("p{n}"),
        ..anthropic(fake)
    });
    let providers = providers.collect();
    (fakes, providers)
}

#[tokio::test]
async fn b04_a_session_stays_with_the_provider_that_answered_it_first() {
    let (fakes, providers) = equals(4).await;
    let gateway = Setup::of(providers).start().await;
    for _ in 0..12 {
        turn(&gateway, "one").await;
    }
    let mut counts = counts(&fakes);
    counts.sort_unstable();
    assert_eq!(counts, [0, 0, 0, 12]);
    let metrics = gateway.metrics();
    assert!(
        metrics.contains(r#"penstock_session_affinity_total{affinity="hit"} 11"#),
        "{metrics}"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn b04_a_session_moves_when_its_provider_fails_and_stays_where_it_moved() {
    let (fakes, providers) = equals(2).await;
    let gateway = Setup::of(providers).start().await;
    turn(&gateway, "one").await;
    let first = fakes.iter().position(|fake| fake.request_count() == 1).unwrap();
    fakes[first].set_default(unknown());
    turn(&gateway, "one").await;
    fakes[first].set_default(told());
    for _ in 0..5 {
        turn(&gateway, "one").await;
    }
    assert_eq!(
        (fakes[first].request_count(), fakes[1 - first].request_count()),
        (2, 6)
    );
    let metrics = gateway.metrics();
    assert!(metrics.contains(r#"affinity="moved"} 1"#), "{metrics}");
    assert!(
        !metrics.contains("penstock_session_moves_cost_nanousd_total 0"),
        "{metrics}"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn b04_a_session_returns_to_a_better_tier_only_when_the_operator_asks() {
    for returns in [false, true] {
        let (fakes, mut providers) = equals(2).await;
        providers[1].priority = 9;
        let routing = RoutingPolicy {
            return_to_better_tier: returns,
            ..RoutingPolicy::default()
        };
        let gateway = Setup {
            settings: vec![Setting::Routing(routing)],
            ..Setup::of(providers)
        };
        let gateway = gateway.start().await;
        fakes[0].set_default(unknown());
        turn(&gateway, "one").await;
        fakes[0].set_default(told());
        turn(&gateway, "one").await;
        let expected = if returns { [2, 1] } else { [1, 2] };
        assert_eq!(counts(&fakes), expected, "{returns}");
        gateway.stop().await;
    }
}
