//! Starting without a control plane.

use penstock_core::time::UnixMs;

use crate::support::control_plane::FakeControlPlane;
use crate::support::node::NodeBuilder;
use crate::support::resources::{delta, full, key, provider, secret, too_new, user};

/// A node that has lived: revision 2, one refused provider.
async fn lived(directory: &std::path::Path) {
    let control_plane = FakeControlPlane::start();
    let node = NodeBuilder::new(directory, &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![provider(1), user(1), key(1)])).await;
    stream
        .push(delta(1, vec![user(2), key(2), too_new(provider(1), 2)]))
        .await;
    node.stop().await;
}

#[tokio::test]
async fn g03_a_restart_without_control_plane_serves_the_same_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    lived(directory.path()).await;
    let node = NodeBuilder::alone(directory.path()).start().await;
    assert!(node.app.ready.is_set(), "ready at once");
    let snapshot = node.app.live.load();
    assert_eq!(snapshot.revision(), 2);
    for n in 1..=2 {
        assert!(snapshot.authenticate(&secret(n), UnixMs(0)).is_ok());
    }
    assert!(snapshot.providers()[0].credential.is_some());
    assert_eq!(snapshot.refused().count(), 1);
    assert_eq!(node.get("/health/ready").await.0, 200);
    node.stop().await;
}

#[tokio::test]
async fn g03_a_restarted_node_asks_only_for_what_it_lacks() {
    let directory = tempfile::tempdir().unwrap();
    lived(directory.path()).await;
    let control_plane = FakeControlPlane::start();
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    let hello = stream.hello().await;
    assert_eq!((hello.revision, hello.refused.len()), (2, 1));
    stream.push(delta(2, vec![user(3)])).await;
    assert_eq!(node.app.live.load().counts().users, 3);
    node.stop().await;
}

#[tokio::test]
async fn g03_a_new_node_without_control_plane_is_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let node = NodeBuilder::alone(directory.path()).start().await;
    assert_eq!(node.get("/health/live").await.0, 200);
    assert_eq!(node.get("/health/ready").await.0, 503);
    let (status, health) = node.get("/health").await;
    assert_eq!(status, 503);
    assert!(health.contains(r#""status":"unavailable""#), "{health}");
    node.stop().await;
}

#[tokio::test]
async fn a_snapshot_sealed_with_another_key_counts_as_absent() {
    let directory = tempfile::tempdir().unwrap();
    lived(directory.path()).await;
    let node = NodeBuilder::alone(directory.path())
        .seal_key(Some([8; 32]))
        .start()
        .await;
    assert!(!node.app.ready.is_set());
    node.stop().await;
}

#[tokio::test]
async fn without_a_seal_key_no_snapshot_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let control_plane = FakeControlPlane::start();
    let node = NodeBuilder::new(directory.path(), &control_plane)
        .seal_key(None)
        .start()
        .await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1)])).await;
    node.stop().await;
    let node = NodeBuilder::alone(directory.path()).seal_key(None).start().await;
    assert!(!node.app.ready.is_set());
    node.stop().await;
}
