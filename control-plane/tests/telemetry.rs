//! Usage from a data plane to the ledger.

use penstock_control_plane::store::UsageFilter;
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_proto::config::v1::LimitLevel;
use penstock_proto::telemetry::v1::report_request::Message;
use penstock_proto::telemetry::v1::telemetry_service_client::TelemetryServiceClient;
use penstock_proto::telemetry::v1::{BaselineQuestion, BaselineRequest, NodeHealth, SpendSpan};
use tonic::Code;

use crate::node_client::with_token;
use crate::plane::{NODE, Plane, dir, eventually, store};
use crate::reporter::{Reporter, STARTED, batch, malformed, record_id};

#[tokio::test]
async fn e05_usage_that_is_sent_twice_is_in_the_ledger_once() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let (mut reporter, _) = Reporter::open(plane.channel().await, Some(NODE), "a")
        .await
        .unwrap();
    assert_eq!(reporter.acked(batch(1, 100)).await.unwrap(), 100);
    drop(reporter);
    let (mut reporter, _) = Reporter::open(plane.channel().await, Some(NODE), "a")
        .await
        .unwrap();
    assert_eq!(reporter.acked(batch(1, 100)).await.unwrap(), 100);
    assert_eq!(reporter.acked(batch(101, 150)).await.unwrap(), 150);
    let span = UsageFilter::span(UnixMs(STARTED - 1), UnixMs(STARTED + 1));
    let summary = store(&dir).await.summarize_usage(&span, None).await.unwrap();
    assert_eq!(
        (summary.totals.requests, summary.totals.cost),
        (150, NanoUsd(150_000))
    );
    plane.stop().await;
}

#[tokio::test]
async fn e05_a_malformed_record_is_acknowledged_and_the_others_are_kept() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let (mut reporter, _) = Reporter::open(plane.channel().await, Some(NODE), "a")
        .await
        .unwrap();
    let mut sent = batch(1, 2);
    sent.records.insert(1, malformed());
    assert_eq!(reporter.acked(sent).await.unwrap(), 3);
    let span = UsageFilter::span(UnixMs(STARTED - 1), UnixMs(STARTED + 1));
    let kept = store(&dir).await.usage_records(&span, 10, None).await.unwrap();
    assert_eq!(
        kept.iter().map(|record| record.id).collect::<Vec<_>>(),
        [record_id(2), record_id(1)]
    );
    plane.stop().await;
}

#[tokio::test]
async fn d06_a_node_asks_the_ledger_what_was_spent() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let (mut reporter, _) = Reporter::open(plane.channel().await, Some(NODE), "a")
        .await
        .unwrap();
    let sent = batch(1, 100);
    let user = sent.records[0].user_id.clone();
    let spool = sent.spool_id.clone();
    assert_eq!(reporter.acked(sent).await.unwrap(), 100);
    let span = |from_ms| SpendSpan {
        from_ms,
        by_minute: false,
    };
    let question = BaselineQuestion {
        level: LimitLevel::User.into(),
        id: user,
        spans: vec![span(0), span(STARTED), span(STARTED + 1)],
    };
    let request = BaselineRequest {
        questions: vec![question],
    };
    let mut client = TelemetryServiceClient::new(plane.channel().await);
    let refused = client
        .baseline(with_token(request.clone(), Some("wrong")))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let answer = client.baseline(with_token(request, Some(NODE))).await.unwrap();
    let answer = answer.into_inner();
    let spent: Vec<i64> = answer.answers[0].spends.iter().map(|s| s.nanousd).collect();
    assert_eq!(spent, [100_000, 100_000, 0]);
    assert_eq!(
        (
            answer.marks[0].spool_id.as_str(),
            answer.marks[0].through_sequence
        ),
        (spool.as_str(), 100)
    );
    plane.stop().await;
}

#[tokio::test]
async fn telemetry_needs_a_node_token() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let refused = Reporter::open(plane.channel().await, Some("wrong"), "a")
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code(), Code::Unauthenticated);
    plane.stop().await;
}

#[tokio::test]
async fn a_nodes_report_on_itself_is_kept_with_the_node() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let mut node = plane.node("a").await;
    node.apply().await;
    let (reporter, settings) = Reporter::open(plane.channel().await, Some(NODE), "a")
        .await
        .unwrap();
    assert!(settings.window > 0 && settings.max_batch_records > 0);
    reporter
        .say(Message::Health(NodeHealth {
            requests: 42,
            ..NodeHealth::default()
        }))
        .await;
    let store = store(&dir).await;
    let requests = eventually(async || {
        let row = store
            .nodes(UnixMs(0))
            .await
            .unwrap()
            .into_iter()
            .find(|row| row.id == "a")?;
        row.health?["requests"].as_u64()
    })
    .await;
    assert_eq!(requests, 42);
    plane.stop().await;
}
