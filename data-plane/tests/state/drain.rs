//! Leaving without losing anything.

use std::time::Duration;

use crate::support::control_plane::{FakeControlPlane, within};
use crate::support::node::NodeBuilder;
use crate::support::resources::{delta, full, user};
use crate::support::spool::record;

#[tokio::test]
async fn g16_usage_is_delivered_before_the_node_ends() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.report().await;
    stream.begin(1, 1).await;
    for n in 1..=3 {
        node.app.spool.append(&record(n)).unwrap();
    }
    node.begin_stop();
    for _ in 1..=3 {
        let batch = stream.batch().await;
        stream.ack(&batch).await;
    }
    assert!(stream.health().await.draining);
    drop(stream);
    let app = std::sync::Arc::clone(&node.app);
    node.stop().await;
    assert_eq!(app.spool.status().records, 0);
}

#[tokio::test]
async fn g16_readiness_goes_off_and_configuration_still_arrives_while_calls_end() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1)])).await;
    let (done, under_way) = tokio::sync::oneshot::channel::<()>();
    node.app.drain.connections().spawn(under_way);
    node.begin_stop();
    within("the drain", node.app.drain.stop_accepting().cancelled()).await;
    assert_eq!(node.get("/health/ready").await.0, 503);
    assert_eq!(node.get("/health/live").await.0, 200);
    assert_eq!(stream.push(delta(1, vec![user(2)])).await.revision, 2);
    done.send(()).unwrap();
    node.stop().await;
}

#[tokio::test]
async fn g16_what_outlives_the_drain_timeout_is_cut() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane)
        .flag("--drain-timeout", "1h")
        .start()
        .await;
    let cut = node.app.drain.cut().clone();
    node.app
        .drain
        .connections()
        .spawn(async move { cut.cancelled().await });
    node.begin_stop();
    within("the drain", node.app.drain.stop_accepting().cancelled()).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3_601)).await;
    let app = std::sync::Arc::clone(&node.app);
    node.stop().await;
    assert!(app.drain.cut().is_cancelled());
}

#[tokio::test]
async fn a_node_that_was_never_ready_can_be_stopped() {
    let directory = tempfile::tempdir().unwrap();
    NodeBuilder::alone(directory.path()).start().await.stop().await;
}
