//! What a scrape shows.

use std::time::Duration;

use penstock_core::dialect::Dialect;
use penstock_core::error::Code;
use penstock_core::id::ProviderId;
use penstock_core::money::NanoUsd;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::secret::Secret;
use penstock_core::snapshot::ProviderEntry;
use penstock_core::usage::decision::AttemptEnd;
use penstock_core::usage::{Outcome, TokenUsage};

use super::*;

fn provider() -> ProviderEntry {
    ProviderEntry {
        id: ProviderId::from_parts(1, &[1; 10]),
        version: 1,
        provider: Provider::new("main", ProviderKind::Anthropic, "https://api.example"),
        credential: Some(penstock_core::credential::Credential::ApiKey(Secret::new(
            "sk-hidden-from-metrics",
        ))),
        proxy_password: None,
    }
}

fn scrape(metrics: &Metrics) -> String {
    metrics.render(&NodeState::default()).unwrap()
}

#[test]
fn g07_a_call_shows_in_every_figure() {
    let metrics = Metrics::new();
    let used = TokenUsage {
        input: 5,
        output: 7,
        ..TokenUsage::default()
    };
    metrics.request(Some(Dialect::Anthropic), Outcome::Succeeded, 200);
    metrics.duration(Dialect::Anthropic, Duration::from_millis(300));
    metrics.first_byte(Dialect::Anthropic, Duration::from_millis(200));
    metrics.overhead_seconds(Duration::from_micros(90));
    metrics.attempt(&provider(), AttemptEnd::Answered(200));
    metrics.tokens(&provider(), &used);
    metrics.cost(&provider(), NanoUsd(12));
    let text = scrape(&metrics);
    let id = provider().id;
    for line in [
        r#"penstock_requests_total{dialect="anthropic",outcome="succeeded",status="200"} 1"#.to_owned(),
        r#"penstock_request_duration_seconds_bucket{le="0.5",dialect="anthropic"} 1"#.to_owned(),
        r#"penstock_first_byte_seconds_count{dialect="anthropic"} 1"#.to_owned(),
        r#"penstock_overhead_seconds_bucket{le="0.0001"} 1"#.to_owned(),
        format!(r#"penstock_upstream_attempts_total{{provider="main",provider_id="{id}",end="200"}} 1"#),
        format!(r#"penstock_tokens_total{{provider="main",provider_id="{id}",class="output"}} 7"#),
        format!(r#"penstock_cost_nanousd_total{{provider="main",provider_id="{id}"}} 12"#),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(!text.contains("sk-hidden"));
}

#[test]
fn a_request_counts_as_under_way_until_it_is_dropped() {
    let metrics = Metrics::new();
    let first = metrics.in_flight();
    let second = metrics.in_flight();
    drop(first);
    assert_eq!(metrics.requests_in_flight(), 1);
    drop(second);
    assert!(scrape(&metrics).contains("penstock_requests_in_flight 0"));
}

#[test]
fn errors_of_our_own_are_counted_by_code() {
    let metrics = Metrics::new();
    metrics.error(Code::AuthenticationFailed);
    metrics.request(None, Outcome::Rejected, 401);
    let text = scrape(&metrics);
    assert!(
        text.contains(r#"penstock_errors_total{code="AUTHENTICATION_FAILED"} 1"#),
        "{text}"
    );
    assert_eq!(metrics.requests_ended(), 1);
}

#[test]
fn g07_the_nodes_state_is_that_of_the_moment_it_is_asked_for() {
    let metrics = Metrics::new();
    let state = NodeState {
        revision: 9,
        spool_records: 3,
        control_plane_connected: true,
        ..NodeState::default()
    };
    let text = metrics.render(&state).unwrap();
    for line in [
        "penstock_snapshot_revision 9",
        "penstock_spool_records 3",
        "penstock_control_plane_connected 1",
        "penstock_last_known_good_age_seconds -1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
