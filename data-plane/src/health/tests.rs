use penstock_core::failure::Class;
use penstock_core::health::SetAside;
use penstock_core::model::ModelPattern;
use penstock_core::provider::Provider;

use super::*;

const NOW: UnixMs = UnixMs(1_800_000_000_000);
const MODEL: &str = "claude-opus-4-8";

fn health(node: &str) -> Health {
    Health::new(node.into(), Arc::default(), Arc::new(Metrics::new()))
}

fn provider(models: &[&str]) -> ProviderEntry {
    let patterns: Vec<_> = models
        .iter()
        .map(|model| serde_json::json!({ "exact": model }))
        .collect();
    let provider: Provider = serde_json::from_value(serde_json::json!({
        "name": "main", "kind": "anthropic", "base_urls": ["http://127.0.0.1:1"], "enabled": true, "groups": [],
        "priority": 0, "weight": 1, "cost_multiplier": 1_000_000, "models": patterns, "timeouts": {},
        "extra_headers": [],
    }))
    .unwrap();
    ProviderEntry {
        id: ProviderId::from_parts(1, &[1; 10]),
        version: 1,
        provider,
        credential: None,
        proxy_password: None,
    }
}

fn key(n: u8) -> KeyId {
    KeyId::from_parts(1, &[n; 10])
}

fn trip(health: &Health, provider: &ProviderEntry) {
    for _ in 0..5 {
        health.failed(
            &health.live.load(),
            (provider, MODEL),
            (key(1), NOW),
            &Finding::of_class(Class::Transient),
            NOW,
        );
    }
}

#[test]
fn b08_what_one_node_trips_is_open_on_another_that_was_told() {
    let (here, there, provider) = (health("a"), health("b"), provider(&[]));
    trip(&here, &provider);
    let until = Some(NOW.plus_ms(1_800_000));
    assert_eq!(here.standing(&provider, MODEL, NOW), Standing::Open { until });
    assert_eq!(
        here.outbox().take().into_iter().collect::<Vec<_>>(),
        [provider.id]
    );
    there.merge(provider.id, &here.states()[&provider.id], NOW);
    assert_eq!(there.standing(&provider, MODEL, NOW), Standing::Open { until });
    assert!(
        there.outbox().take().is_empty(),
        "it knows no more than it was told"
    );
    let later = NOW.plus_ms(1_800_000);
    assert_eq!(there.standing(&provider, MODEL, later), Standing::HalfOpen);
    assert_eq!(there.trial_of(&provider, MODEL, later), None);
    let trial = Sent {
        at: later,
        trial: true,
    };
    for _ in 0..2 {
        there.succeeded((&provider, MODEL), key(2), trial, later);
    }
    here.merge(provider.id, &there.states()[&provider.id], later);
    assert_eq!(here.standing(&provider, MODEL, later), Standing::Ready);
}

#[test]
fn b08_a_node_says_again_what_the_fleet_does_not_know() {
    let (health, provider) = (health("a"), provider(&[]));
    trip(&health, &provider);
    health.outbox().take();
    health.merge(provider.id, &State::default(), NOW);
    assert_eq!(health.outbox().take().len(), 1);
    let reset = health.states()[&provider.id].reset();
    health.merge(provider.id, &reset, NOW);
    assert_eq!(health.standing(&provider, MODEL, NOW), Standing::Ready);
    assert!(health.outbox().take().is_empty());
}

#[test]
fn b09_a_model_that_nobody_knows_is_not_set_aside() {
    let health = health("a");
    let missing = Finding::of_class(Class::NoModel);
    health.failed(
        &health.live.load(),
        (&provider(&[]), "invented"),
        (key(1), NOW),
        &missing,
        NOW,
    );
    assert_eq!(health.standing(&provider(&[]), "invented", NOW), Standing::Ready);
    let provider = provider(&[MODEL]);
    health.failed(
        &health.live.load(),
        (&provider, MODEL),
        (key(1), NOW),
        &missing,
        NOW,
    );
    let until = Some(NOW.plus_ms(600_000));
    let why = SetAside::NoModel;
    assert_eq!(
        health.standing(&provider, MODEL, NOW),
        Standing::SetAside { why, until }
    );
}

#[test]
fn b09_nothing_is_kept_for_models_that_callers_invent() {
    let health = health("a");
    let mut provider = provider(&[MODEL]);
    provider
        .provider
        .models
        .push(ModelPattern::Prefix("claude-".into()));
    let snapshot = health.live.load();
    let little = Headroom {
        fraction_left: 10,
        resets_at: Some(NOW.plus_ms(30_000)),
    };
    for n in 0..300 {
        let invented = format!("claude-{n}");
        for class in [Class::RateLimited, Class::Overloaded, Class::NoModel] {
            let finding = Finding::of_class(class);
            health.failed(&snapshot, (&provider, &invented), (key(1), NOW), &finding, NOW);
        }
        health.saw_headroom(&snapshot, (&provider, &invented), little, NOW);
    }
    assert!(health.states().is_empty() && health.outbox().take().is_empty());
    let limited = Finding::of_class(Class::RateLimited);
    health.failed(&snapshot, (&provider, MODEL), (key(1), NOW), &limited, NOW);
    assert!(matches!(
        health.standing(&provider, MODEL, NOW),
        Standing::Cooling { .. }
    ));
}

#[test]
fn headroom_is_told_when_it_is_little() {
    let (health, provider) = (health("a"), provider(&[MODEL]));
    let resets_at = Some(NOW.plus_ms(30_000));
    let saw = |fraction_left| {
        let headroom = Headroom {
            fraction_left,
            resets_at,
        };
        health.saw_headroom(&health.live.load(), (&provider, MODEL), headroom, NOW);
        health.headroom(&provider, MODEL, NOW).map(|it| it.fraction_left)
    };
    assert_eq!(saw(900), None);
    assert!(health.outbox().take().is_empty());
    assert_eq!(saw(150), Some(100));
    assert_eq!(saw(10), Some(0));
    assert_eq!(health.outbox().take().len(), 1);
    assert_eq!(health.headroom(&provider, MODEL, NOW.plus_ms(30_000)), None);
    assert_eq!(saw(500), None);
}

#[test]
fn g07_changes_and_the_breaker_show_in_the_metrics() {
    let (health, entry) = (health("a"), provider(&[]));
    let id = entry.id;
    health.metrics.provider_changed(&entry, "open");
    trip(&health, &entry);
    let state = crate::telemetry::metrics::NodeState {
        breakers: vec![crate::telemetry::metrics::Breaker {
            phase: health.phase(&entry, NOW),
            provider: Arc::new(entry),
        }],
        ..Default::default()
    };
    let text = health.metrics.render(&state).unwrap();
    for line in [
        format!(r#"penstock_breaker_state{{provider="main",provider_id="{id}"}} 2"#),
        format!(r#"penstock_provider_state_changes_total{{provider="main",provider_id="{id}",to="open"}} 1"#),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_sends_reports_is_woken_and_takes_all_at_once() {
    let (health, provider) = (health("a"), provider(&[]));
    let waits = tokio::time::timeout(std::time::Duration::from_secs(1), health.outbox().filled());
    assert!(waits.await.is_err());
    trip(&health, &provider);
    health.outbox().filled().await;
    assert_eq!(health.outbox().take().len(), 1);
    // At once after a silence, and then not for each word.
    let began = tokio::time::Instant::now();
    health.outbox().add([provider.id]);
    health.outbox().filled().await;
    assert_eq!(began.elapsed(), std::time::Duration::from_millis(100));
}
