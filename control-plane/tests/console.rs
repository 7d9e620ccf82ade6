//! Health and metrics over HTTP.

use tokio_util::sync::CancellationToken;

use crate::console_client::get;
use crate::plane::{Plane, Start, dir};

#[tokio::test]
async fn g07_health_tells_where_the_replica_stands() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let mut node = plane.node("a").await;
    let held = node.apply().await;
    let (status, body) = get(plane.console, "/health").await;
    let health: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &health["status"]), (200, &"ok".into()));
    assert_eq!(health["head"], held.to);
    assert_eq!(health["database"]["kind"], "sqlite");
    assert_eq!(health["nodes"]["connected"], 1);
    assert_eq!(health["reasons"], serde_json::json!([]));
    assert!(health["memory_bytes"].as_u64().unwrap() > 0 || !cfg!(target_os = "linux"));
    assert!(health["database"]["contact_age_seconds"].is_u64() && health["log"]["dropped_lines"].is_u64());
    assert!(health["version"].is_string() && health["uptime_seconds"].is_u64());
    assert_eq!(get(plane.console, "/health/live").await.0, 200);
    plane.stop().await;
}

#[tokio::test]
async fn g07_metrics_are_in_prometheus_form() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    plane.node("a").await.apply().await;
    let (status, body) = get(plane.console, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "penstock_control_updates_total{kind=\"full\"} 1",
        "penstock_control_resources{kind=\"price\"} 1203",
        "penstock_control_rpcs_total{service=\"penstock.sync.v1.ConfigSyncService\",method=\"Sync\",code=\"OK\"} 1",
        "penstock_control_cache_entries{cache=\"operators\"} 0",
    ] {
        assert!(body.contains(line), "{line} in {body}");
    }
    plane.stop().await;
}

#[tokio::test]
async fn a_surrounding_process_decides_when_it_is_live() {
    let dir = dir();
    let applied = CancellationToken::new();
    let plane = Start::in_dir(dir.path()).live_after(applied.clone()).run().await;
    assert_eq!(get(plane.console, "/health/live").await.0, 503);
    applied.cancel();
    assert_eq!(get(plane.console, "/health/live").await.0, 200);
    plane.stop().await;
}
