//! What a scrape shows.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::dialect::Dialect;
use penstock_core::error::Code;
use penstock_core::health::Phase;
use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::limits::{Dimension, Exceeded, Level};
use penstock_core::money::NanoUsd;
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::secret::Secret;
use penstock_core::snapshot::ProviderEntry;
use penstock_core::usage::decision::AttemptEnd;
use penstock_core::usage::{Outcome, TokenUsage};
use penstock_metrics::CacheFigures;

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

/// A scrape in which every family has been touched.
fn whole_scrape() -> String {
    let metrics = Metrics::new();
    let (entry, used) = (
        provider(),
        TokenUsage {
            input: 1,
            output: 1,
            ..TokenUsage::default()
        },
    );
    metrics.request(Some(Dialect::Anthropic), Outcome::Succeeded, 200);
    metrics.error(Code::AuthenticationFailed);
    metrics.duration(Dialect::Anthropic, Duration::ZERO);
    metrics.first_byte(Dialect::Anthropic, Duration::ZERO);
    metrics.attempt(&entry, AttemptEnd::Answered(200));
    metrics.tokens(&entry, &used);
    metrics.cost(&entry, NanoUsd(1));
    metrics.answered(&entry, Duration::ZERO, Duration::ZERO);
    metrics.provider_changed(&entry, "open");
    metrics.affinity("hit", NanoUsd(0));
    let of = (KeyId::from_parts(1, &[1; 10]), UserId::from_parts(1, &[1; 10]));
    metrics.key_used(1, of, Outcome::Succeeded, &used, NanoUsd(1));
    metrics.otlp_spans(ExportResult::Exported, 1);
    metrics.otlp_export(ExportResult::Dropped);
    metrics.limit_refused(&Exceeded {
        level: Level::Key,
        dimension: Dimension::Rpm,
        used: 1,
        limit: 1,
        reset_at: None,
        retry_after: 1,
    });
    let figures = CacheFigures {
        capacity: Some(1),
        ..CacheFigures::default()
    };
    let state = NodeState {
        breakers: vec![Breaker {
            provider: Arc::new(entry),
            phase: Phase::Closed,
        }],
        caches: vec![("sessions", figures)],
        ..NodeState::default()
    };
    metrics.render(&state).unwrap()
}

#[test]
fn g07_the_page_of_metrics_says_what_this_plane_shows() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let ours =
        |name: &str| !name.starts_with("penstock_control_") || name.starts_with("penstock_control_plane_");
    let wrong = penstock_metrics::specification::differences(&page, &whole_scrape(), ours);
    assert!(
        wrong.is_empty(),
        "docs/metrics.md is not true:\n{}",
        wrong.join("\n")
    );
}
