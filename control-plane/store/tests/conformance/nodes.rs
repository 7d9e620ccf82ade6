//! The registry of data planes, written by whichever replica has the node.

use penstock_core::id::Epoch;
use penstock_core::time::UnixMs;
use penstock_store::{Head, NodeRow, RefusedResource};
use serde_json::json;
use uuid::Uuid;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    a_node_reads_back_as_it_was_written,
    the_replica_that_lost_a_node_cannot_overwrite_the_one_that_has_it,
    a_node_that_left_is_marked_unless_it_is_back,
    health_may_come_through_another_replica,
    nodes_not_seen_for_long_are_left_out,
);

fn node(control_plane: &str, seen: i64) -> NodeRow {
    NodeRow {
        id: "node-1".to_owned(),
        version: "0.1.0".to_owned(),
        zone: "eu".to_owned(),
        schema: 1,
        connected: true,
        control_plane: control_plane.to_owned(),
        connected_since: UnixMs(seen),
        last_seen: UnixMs(seen),
        held: Some(Head {
            epoch: Epoch(Uuid::from_u128(7)),
            revision: 5,
        }),
        acked_at: Some(UnixMs(seen)),
        refused: vec![RefusedResource {
            resource: provider_ref(1),
            version: 2,
            reason: "base_urls[0]: is not a URL".to_owned(),
        }],
        health: Some(json!({ "in_flight": 3 })),
    }
}

async fn a_node_reads_back_as_it_was_written(bench: Bench) {
    let mut fresh = node("cp-1", 10);
    fresh.id = "node-0".to_owned();
    (fresh.held, fresh.acked_at, fresh.health) = (None, None, None);
    for row in [&node("cp-1", 10), &fresh] {
        bench.store.put_node(row).await.unwrap();
    }
    assert_eq!(
        bench.store.nodes(UnixMs(0)).await.unwrap(),
        [fresh, node("cp-1", 10)]
    );
}

async fn the_replica_that_lost_a_node_cannot_overwrite_the_one_that_has_it(bench: Bench) {
    bench.store.put_node(&node("cp-1", 10)).await.unwrap();
    bench.store.put_node(&node("cp-2", 20)).await.unwrap();
    bench.store.put_node(&node("cp-1", 15)).await.unwrap();
    assert_eq!(only(&bench).await.control_plane, "cp-2");
    // An older stream to the same replica does not either.
    let mut late = node("cp-2", 19);
    late.last_seen = UnixMs(30);
    bench.store.put_node(&late).await.unwrap();
    assert_eq!(only(&bench).await.connected_since, UnixMs(20));
}

async fn a_node_that_left_is_marked_unless_it_is_back(bench: Bench) {
    bench.store.put_node(&node("cp-1", 10)).await.unwrap();
    bench.store.put_node(&node("cp-1", 20)).await.unwrap();
    let left = |since: i64| {
        bench
            .store
            .node_disconnected("node-1", "cp-1", UnixMs(since), UnixMs(40))
    };
    left(10).await.unwrap();
    assert!(only(&bench).await.connected);
    assert_eq!(bench.store.live_nodes(UnixMs(20)).await.unwrap(), 1);
    left(20).await.unwrap();
    let gone = only(&bench).await;
    assert_eq!((gone.connected, gone.last_seen), (false, UnixMs(40)));
    assert_eq!(bench.store.live_nodes(UnixMs(0)).await.unwrap(), 0);
}

async fn health_may_come_through_another_replica(bench: Bench) {
    bench.store.put_node(&node("cp-1", 10)).await.unwrap();
    let health = json!({ "in_flight": 9 });
    bench
        .store
        .put_node_health("node-1", &health, UnixMs(25))
        .await
        .unwrap();
    let mut acked = node("cp-1", 10);
    (acked.last_seen, acked.health) = (UnixMs(26), None);
    bench.store.put_node(&acked).await.unwrap();
    let read = only(&bench).await;
    assert_eq!((read.health, read.last_seen), (Some(health.clone()), UnixMs(26)));
    bench
        .store
        .put_node_health("unknown", &health, UnixMs(25))
        .await
        .unwrap();
    assert_eq!(bench.store.nodes(UnixMs(0)).await.unwrap().len(), 1);
}

async fn nodes_not_seen_for_long_are_left_out(bench: Bench) {
    bench.store.put_node(&node("cp-1", 10)).await.unwrap();
    assert_eq!(bench.store.nodes(UnixMs(11)).await.unwrap(), []);
    assert_eq!(bench.store.live_nodes(UnixMs(11)).await.unwrap(), 0);
    assert_eq!(bench.store.live_nodes(UnixMs(10)).await.unwrap(), 1);
}

async fn only(bench: &Bench) -> NodeRow {
    let mut nodes = bench.store.nodes(UnixMs(0)).await.unwrap();
    assert_eq!(nodes.len(), 1);
    nodes.remove(0)
}
