//! What health and metrics say.

use tokio_util::sync::CancellationToken;

use crate::support::control_plane::{FakeControlPlane, within};
use crate::support::node::NodeBuilder;
use crate::support::resources::{full, provider, too_new, user};

#[tokio::test]
async fn g07_health_tells_the_nodes_state() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane)
        .flag("--node-id", "edge-1")
        .start()
        .await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(4, vec![user(1)])).await;
    let (status, body) = node.get("/health").await;
    let health: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, health["status"].as_str()), (200, Some("ok")), "{body}");
    assert_eq!(health["node_id"], "edge-1");
    assert_eq!(health["snapshot"]["revision"], 4);
    assert_eq!(health["control_plane"]["connected"], true);
    assert_eq!(health["redis"], "none");
    for [part, figure] in [
        ["snapshot", "age_seconds"],
        ["spool", "records"],
        ["spool", "max_bytes"],
        ["log", "dropped_lines"],
    ] {
        assert!(health[part][figure].is_u64(), "{part}.{figure}: {body}");
    }
    assert!(health["memory_bytes"].is_u64() && health["uptime_seconds"].is_u64());
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    node.stop().await;
}

#[tokio::test]
async fn g07_a_node_without_its_control_plane_is_degraded_and_says_why() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(4, vec![too_new(provider(1), 1)])).await;
    drop(stream);
    drop(control_plane);
    let lost = async {
        while node.app.sync.is_connected() {
            tokio::task::yield_now().await;
        }
    };
    within("the loss of the control plane", lost).await;
    let (status, body) = node.get("/health").await;
    assert_eq!(status, 200);
    assert!(
        body.contains("degraded") && body.contains("control plane is away"),
        "{body}"
    );
    assert!(body.contains(r#""refused_resources":1"#), "{body}");
    assert_eq!(
        node.get("/health/ready").await.0,
        200,
        "readiness does not depend on the control plane"
    );
    node.stop().await;
}

#[tokio::test]
async fn g07_metrics_are_in_prometheus_form() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(4, vec![])).await;
    let (status, text) = node.get("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "penstock_snapshot_revision 4",
        "penstock_ready 1",
        "penstock_spool_records 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert_eq!(node.get("/nothing").await.0, 404);
    node.stop().await;
}

#[tokio::test]
async fn a_node_that_is_part_of_a_larger_process_is_live_when_that_is() {
    let directory = tempfile::tempdir().unwrap();
    let whole = CancellationToken::new();
    let node = NodeBuilder::alone(directory.path())
        .live_after(whole.clone())
        .start()
        .await;
    assert_eq!(node.get("/health/live").await.0, 503);
    whole.cancel();
    assert_eq!(node.get("/health/live").await.0, 200);
    node.stop().await;
}
