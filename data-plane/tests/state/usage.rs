//! Usage on its way to the ledger.

use penstock_core::api_key::KeyHash;
use penstock_core::id::KeyId;
use penstock_data_plane::config::WhenSpoolFull;
use penstock_data_plane::telemetry::reports::KeyUpgrade;
use penstock_data_plane::telemetry::spool::{OpenEntry, Spool, SpoolOptions};
use penstock_proto::telemetry::v1::{Outcome, UsageBatch};
use tonic::Status;

use crate::support::control_plane::{FakeControlPlane, within};
use crate::support::node::{Node, NodeBuilder};
use crate::support::spool::{record, request};

fn ids(batch: &UsageBatch) -> Vec<String> {
    batch.records.iter().map(|record| record.id.clone()).collect()
}

fn requests(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(|n| request(n).to_string()).collect()
}

fn spool(node: &Node, range: std::ops::RangeInclusive<u64>) {
    for n in range {
        node.app.spool.append(&record(n)).unwrap();
    }
}

async fn until_acknowledged(node: &Node) {
    let waiting = async {
        while node.app.spool.status().records > 0 {
            tokio::task::yield_now().await;
        }
    };
    within("the acknowledgement", waiting).await;
}

#[tokio::test]
async fn e01_records_arrive_in_order_with_rising_numbers() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    spool(&node, 1..=5);
    let mut stream = control_plane.report().await;
    assert_eq!(stream.begin(4, 2).await, &*node.app.node_id);
    let mut first = 1;
    for expected in [1..=2, 3..=4, 5..=5] {
        let batch = stream.batch().await;
        assert_eq!((batch.first_sequence, ids(&batch)), (first, requests(expected)));
        first += batch.records.len() as u64;
        stream.ack(&batch).await;
    }
    until_acknowledged(&node).await;
    node.stop().await;
}

#[tokio::test]
async fn no_more_batches_are_under_way_than_the_control_plane_allows() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    spool(&node, 1..=9);
    let mut stream = control_plane.report().await;
    stream.begin(2, 1).await;
    let first = stream.batch().await;
    let second = stream.batch().await;
    // Health still comes; no third batch does.
    stream.health().await;
    stream.ack(&first).await;
    assert_eq!(ids(&stream.batch().await), requests(3..=3));
    stream.ack(&second).await;
    assert_eq!(ids(&stream.batch().await), requests(4..=4));
    drop(stream);
    stop_without_flush(node).await;
}

#[tokio::test]
async fn e05_after_a_reconnect_sending_begins_with_the_first_unacknowledged_record() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    spool(&node, 1..=6);
    let mut stream = control_plane.report().await;
    stream.begin(3, 2).await;
    let first = stream.batch().await;
    stream.batch().await;
    stream.ack(&first).await;
    stream.batch().await;
    stream
        .fail(Status::unavailable("the store cannot commit now"))
        .await;
    let mut again = control_plane.report().await;
    again.begin(3, 10).await;
    let batch = again.batch().await;
    assert_eq!((batch.first_sequence, ids(&batch)), (3, requests(3..=6)));
    again.ack(&batch).await;
    until_acknowledged(&node).await;
    node.stop().await;
}

#[tokio::test]
async fn e05_a_control_plane_that_never_acknowledges_is_given_up() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    spool(&node, 1..=2);
    let mut mute = control_plane.report().await;
    mute.begin(3, 10).await;
    mute.batch().await;
    tokio::time::pause();
    let mut again = control_plane.report().await;
    again.begin(3, 10).await;
    tokio::time::resume();
    let batch = again.batch().await;
    assert_eq!((batch.first_sequence, ids(&batch)), (1, requests(1..=2)));
    again.ack(&batch).await;
    until_acknowledged(&node).await;
    node.stop().await;
}

#[tokio::test]
async fn e05_records_of_a_former_process_are_delivered_and_cut_calls_as_interrupted() {
    let directory = tempfile::tempdir().unwrap();
    let before = NodeBuilder::alone(directory.path()).start().await;
    spool(&before, 1..=1);
    let _cut = before.app.spool.open_entry(&OpenEntry(record(2))).unwrap();
    stop_without_flush(before).await;
    let control_plane = FakeControlPlane::start();
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.report().await;
    stream.begin(3, 10).await;
    let batch = stream.batch().await;
    assert_eq!(ids(&batch), requests(1..=2));
    assert_eq!(batch.records[1].outcome(), Outcome::Interrupted);
    assert!(batch.records[1].estimated);
    stream.ack(&batch).await;
    until_acknowledged(&node).await;
    node.stop().await;
}

#[tokio::test]
async fn a_control_plane_that_acknowledges_what_was_not_sent_is_not_believed() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    spool(&node, 1..=3);
    let mut stream = control_plane.report().await;
    stream.begin(1, 1).await;
    let mut batch = stream.batch().await;
    batch.first_sequence = 3;
    stream.ack(&batch).await;
    let mut again = control_plane.report().await;
    again.begin(1, 10).await;
    let batch = again.batch().await;
    assert_eq!(batch.first_sequence, 1);
    again.ack(&batch).await;
    until_acknowledged(&node).await;
    node.stop().await;
}

#[tokio::test]
async fn where_damage_took_records_a_new_stream_begins_behind_them() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let path = directory.path().join("spool");
    let small = SpoolOptions {
        max_bytes: 8 * 1024,
        when_full: WhenSpoolFull::Drop,
    };
    let damaged = Spool::open(&path, small).unwrap();
    for n in 1..=12 {
        damaged.append(&record(n)).unwrap();
    }
    drop(damaged);
    let segment = path.join("0000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.report().await;
    stream.begin(4, 100).await;
    let before = stream.batch().await;
    stream.ack(&before).await;
    let mut again = control_plane.report().await;
    again.begin(4, 100).await;
    let behind = again.batch().await;
    assert_eq!(
        behind.first_sequence,
        before.records.len() as u64 + 2,
        "one record is lost"
    );
    assert_eq!(before.records.len() + behind.records.len(), 11);
    again.ack(&behind).await;
    until_acknowledged(&node).await;
    node.stop().await;
}

#[tokio::test]
async fn a03_a_key_upgrade_is_reported() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let upgrade = KeyUpgrade {
        key_id: KeyId::from_parts(1, &[1; 10]),
        key_version: 6,
        hash: KeyHash::of("psk_imported_long_ago"),
    };
    node.app.reports.key_upgrade(upgrade);
    let mut stream = control_plane.report().await;
    stream.begin(1, 1).await;
    let reported = stream.key_upgrade().await;
    assert_eq!(reported.key_id, upgrade.key_id.to_string());
    assert_eq!(
        (reported.key_version, reported.hash),
        (6, upgrade.hash.0.to_vec())
    );
    node.stop().await;
}

#[tokio::test]
async fn g07_the_node_reports_its_health() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    spool(&node, 1..=2);
    let mut stream = control_plane.report().await;
    stream.begin(1, 1).await;
    let health = stream.health().await;
    assert_eq!(
        (health.spool_records, health.redis.as_str(), health.draining),
        (2, "none", false)
    );
    assert!(health.memory_bytes > 0);
    drop(stream);
    stop_without_flush(node).await;
}

/// With records that nobody takes, the flush at shutdown waits for its deadline; paused time makes that no time.
async fn stop_without_flush(node: Node) {
    tokio::time::pause();
    node.stop().await;
    tokio::time::resume();
}
