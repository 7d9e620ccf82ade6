//! A node's telemetry over the in-memory pipe, with a store that goes away and refuses.

use penstock_proto::fleet::v1::ProviderState;
use penstock_proto::telemetry::v1::report_request::Message;
use penstock_proto::telemetry::v1::{Failure, FailureBatch, KeyUpgrade, NodeHealth, ReporterHello};
use tonic::Code;

use crate::metrics::{ReportLabels, UsageLabels};
use crate::reporter::{Reporter, batch, malformed, record_id};
use crate::tests::fake_store::FakeStore;
use crate::tests::plane::{LONG, Plane, plane};

async fn reporter(plane: &Plane, id: &str) -> Reporter {
    Reporter::open(plane.channel.clone(), None, id).await.unwrap().0
}

fn counted(plane: &Plane, result: &'static str) -> u64 {
    plane
        .context
        .metrics
        .usage_records
        .get_or_create(&UsageLabels { result })
        .get()
}

#[tokio::test(start_paused = true)]
async fn settings_come_first() {
    let plane = plane(FakeStore::new(), LONG).await;
    let (_, settings) = Reporter::open(plane.channel.clone(), None, "a").await.unwrap();
    assert_eq!(
        (
            settings.health_interval_ms,
            settings.window,
            settings.max_batch_records
        ),
        (10_000, 4, 500)
    );
}

#[tokio::test(start_paused = true)]
async fn e05_a_batch_that_comes_twice_is_acknowledged_twice_and_kept_once() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = reporter(&plane, "a").await;
    assert_eq!(node.acked(batch(1, 3)).await.unwrap(), 3);
    assert_eq!(node.acked(batch(2, 5)).await.unwrap(), 5);
    assert_eq!(plane.store.records(), 5);
    assert_eq!((counted(&plane, "new"), counted(&plane, "duplicate")), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn e05_nothing_is_acknowledged_that_the_store_did_not_commit() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = reporter(&plane, "a").await;
    plane.store.set_away(true);
    assert_eq!(
        node.acked(batch(1, 3)).await.unwrap_err().code(),
        Code::Unavailable
    );
    plane.store.set_away(false);
    let mut again = reporter(&plane, "a").await;
    assert_eq!(again.acked(batch(1, 3)).await.unwrap(), 3);
    assert_eq!(plane.store.records(), 3);
}

#[tokio::test(start_paused = true)]
async fn e05_a_record_that_can_never_be_stored_does_not_block_those_behind_it() {
    let plane = plane(FakeStore::new(), LONG).await;
    plane.store.refuse_record(record_id(2));
    let mut sent = batch(1, 4);
    sent.records.insert(1, malformed());
    let mut node = reporter(&plane, "a").await;
    assert_eq!(node.acked(sent).await.unwrap(), 5);
    assert_eq!(plane.store.records(), 3);
    assert_eq!(
        (counted(&plane, "malformed"), counted(&plane, "unstorable")),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn e05_a_batch_behind_a_gap_ends_the_stream() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = reporter(&plane, "a").await;
    node.acked(batch(1, 3)).await.unwrap();
    assert_eq!(
        node.acked(batch(5, 6)).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert_eq!(plane.store.records(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_first_message_must_be_hello() {
    let plane = plane(FakeStore::new(), LONG).await;
    let nameless = Message::Hello(ReporterHello::default());
    for first in [Message::Usage(batch(1, 1)), nameless] {
        let mut node = Reporter::open_with(plane.channel.clone(), None, first)
            .await
            .unwrap();
        assert_eq!(node.next().await.unwrap_err().code(), Code::InvalidArgument);
    }
    assert_eq!(plane.store.records(), 0);
}

#[tokio::test(start_paused = true)]
async fn best_effort_reports_are_counted_and_never_end_the_stream() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = reporter(&plane, "a").await;
    node.say(Message::ProviderState(ProviderState::default())).await;
    node.say(Message::Failures(FailureBatch {
        failures: vec![Failure::default(); 3],
        first_number: 0,
    }))
    .await;
    node.say(Message::Health(NodeHealth::default())).await;
    node.say(Message::KeyUpgrade(KeyUpgrade::default())).await;
    assert_eq!(node.acked(batch(1, 1)).await.unwrap(), 1);
    let dropped = |kind| {
        plane
            .context
            .metrics
            .dropped_reports
            .get_or_create(&ReportLabels { kind })
            .get()
    };
    assert_eq!((dropped("provider_state"), dropped("failure")), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn g16_closing_ends_the_stream_with_ok() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = reporter(&plane, "a").await;
    node.acked(batch(1, 1)).await.unwrap();
    assert!(plane.streams.close(std::time::Duration::from_secs(5)).await);
    assert!(matches!(node.next().await, Ok(None)));
}
