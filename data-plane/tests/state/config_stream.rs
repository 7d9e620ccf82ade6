//! The config stream, sentence by sentence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use penstock_core::time::UnixMs;
use penstock_data_plane::link::{Connector, Link};
use tonic::Status;

use crate::support::control_plane::FakeControlPlane;
use crate::support::node::{NodeBuilder, get};
use crate::support::resources::{delta, epoch, full, key, provider, removal, secret, too_new, user};

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_new_node_says_that_it_holds_nothing_and_is_ready_with_the_first_update() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane)
        .flag("--zone", "eu-1")
        .start()
        .await;
    let mut stream = control_plane.sync().await;
    let hello = stream.hello().await;
    assert_eq!(
        (hello.epoch.as_str(), hello.revision, hello.zone.as_str()),
        ("", 0, "eu-1")
    );
    assert_eq!(hello.node_id, &*node.app.node_id);
    assert!(!node.app.ready.is_set());
    let ack = stream.push(full(3, vec![user(1), key(1)])).await;
    assert_eq!(
        (ack.epoch, ack.revision, ack.refused.len()),
        (epoch().to_string(), 3, 0)
    );
    assert!(node.app.ready.is_set());
    node.stop().await;
}

#[tokio::test]
async fn a08_what_is_acknowledged_is_in_force() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1), key(1)])).await;
    let lets_in = || node.app.live.load().authenticate(&secret(1), UnixMs(0)).is_ok();
    assert!(lets_in());
    assert_eq!(stream.push(removal(1, &key(1))).await.revision, 2);
    assert!(!lets_in(), "a deleted key is refused from its Ack on");
    node.stop().await;
}

#[tokio::test]
async fn parts_of_an_update_are_applied_together() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    let mut first = full(5, vec![user(1)]);
    first.last = false;
    stream.send(first).await;
    stream.send(full(5, vec![user(2)])).await;
    assert_eq!(stream.ack().await.revision, 5);
    assert_eq!(node.app.live.load().counts().users, 2);
    node.stop().await;
}

#[tokio::test]
async fn a_stream_that_ends_inside_an_update_leaves_the_node_as_it_was() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1)])).await;
    let mut half = delta(1, vec![user(2)]);
    half.last = false;
    stream.send(half).await;
    drop(stream);
    let hello = control_plane.sync().await.hello().await;
    assert_eq!(hello.revision, 1);
    assert_eq!(node.app.live.load().counts().users, 1);
    node.stop().await;
}

#[tokio::test]
async fn g02_one_bad_resource_is_refused_alone_and_the_rest_is_in_force() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![provider(1), user(1), key(1)])).await;
    let mut update = delta(1, vec![too_new(provider(1), 2)]);
    update.removals = removal(1, &key(1)).removals;
    let ack = stream.push(update).await;
    assert_eq!(
        (ack.revision, ack.refused.len(), ack.refused[0].version),
        (2, 1, 2)
    );
    assert!(ack.refused[0].reason.contains("upgrade"));
    let snapshot = node.app.live.load();
    assert_eq!(
        snapshot.providers()[0].version,
        1,
        "the last good version serves on"
    );
    assert!(
        snapshot.authenticate(&secret(1), UnixMs(0)).is_err(),
        "the revocation landed"
    );
    node.stop().await;
}

#[tokio::test]
async fn g02_what_was_refused_is_named_at_the_next_hello() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![too_new(provider(1), 4), user(1)])).await;
    drop(stream);
    let hello = control_plane.sync().await.hello().await;
    assert_eq!(
        (hello.revision, hello.refused.len(), hello.refused[0].version),
        (1, 1, 4)
    );
    node.stop().await;
}

#[tokio::test]
async fn an_update_out_of_step_makes_the_node_ask_anew() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1)])).await;
    stream.send(delta(7, vec![user(2)])).await;
    stream.ended().await;
    let mut again = control_plane.sync().await;
    assert_eq!(again.hello().await.epoch, "");
    assert_eq!(node.revision(), 1, "meanwhile it serves on with what it holds");
    assert_eq!(again.push(full(8, vec![user(1), user(2)])).await.revision, 8);
    drop(again);
    assert_eq!(
        control_plane.sync().await.hello().await.revision,
        8,
        "in step again"
    );
    node.stop().await;
}

#[tokio::test]
async fn a_node_never_goes_back_within_an_epoch() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(5, vec![user(1)])).await;
    stream.send(full(4, vec![])).await;
    stream.ended().await;
    assert_eq!(node.revision(), 5);
    node.stop().await;
}

#[tokio::test]
async fn a_lost_stream_is_opened_again_and_the_node_serves_on() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(2, vec![user(1)])).await;
    stream
        .fail(Status::unavailable("this replica is shutting down"))
        .await;
    let mut again = control_plane.sync().await;
    assert_eq!(again.hello().await.revision, 2);
    assert_eq!(again.push(delta(2, vec![user(2)])).await.revision, 3);
    assert!(node.app.ready.is_set());
    node.stop().await;
}

#[tokio::test]
async fn the_number_of_live_nodes_is_known() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![])).await;
    stream.fleet(3).await;
    // The Ack of what came after it shows that it was read.
    stream.push(delta(1, vec![])).await;
    assert_eq!(node.app.sync.live_nodes(), 3);
    node.stop().await;
}

#[tokio::test]
async fn g03_callers_who_come_before_the_configuration_are_told_to_come_again() {
    let (directory, control_plane) = (directory(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let header = format!("x-api-key: {}\r\nanthropic-version: 2023-06-01\r\n", secret(1));
    assert_eq!(get(node.traffic, "/v1/models", &header).await.0, 503);
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1), key(1), provider(1)])).await;
    assert_eq!(get(node.traffic, "/v1/models", &header).await.0, 200);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_control_plane_is_tried_again_and_again_but_not_in_a_hurry() {
    let directory = directory();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let connector: Connector = Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Err(std::io::ErrorKind::ConnectionRefused.into()) })
    });
    let node = NodeBuilder::linked(directory.path(), Link::memory(connector))
        .start()
        .await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let tries = tries.load(Ordering::Relaxed);
    // Two streams, each 7.5 s apart on average.
    assert!((80..500).contains(&tries), "{tries}");
    node.stop().await;
}
