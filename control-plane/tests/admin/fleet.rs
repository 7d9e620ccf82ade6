//! The control plane at a glance, and its data planes.

use penstock_control_plane::store::{Head, NodeRow, RefusedResource};
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::time::UnixMs;

use super::*;

fn now() -> UnixMs {
    penstock_control_plane::clock::now()
}

fn node(id: &str, last_seen: UnixMs, held: Option<Head>) -> NodeRow {
    NodeRow {
        id: id.into(),
        version: "0.1.0".into(),
        zone: "eu".into(),
        schema: 1,
        connected: true,
        control_plane: "cp-2".into(),
        connected_since: last_seen,
        last_seen,
        held,
        acked_at: held.map(|_| last_seen),
        refused: Vec::new(),
        health: None,
    }
}

#[tokio::test]
async fn g06_status_tells_what_there_is() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    operator.create_key("alice", "laptop").await;
    let head = operator.head().await;
    // The index follows a moment later.
    let mut status = wire::GetStatusResponse::default();
    for _ in 0..200 {
        let answer = operator
            .fleet_service()
            .get_status(wire::GetStatusRequest {})
            .await;
        status = answer.unwrap().into_inner();
        if status.keys == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((status.database.as_str(), status.database_ok), ("sqlite", true));
    assert_eq!((status.users, status.keys, status.providers), (1, 1, 0));
    assert_eq!((status.head, status.control_plane.as_str()), (head, "cp-1"));
    assert!(status.prices > 1_000);
}

#[tokio::test]
async fn g02_nodes_of_every_replica_are_listed_with_what_they_run_and_refuse() {
    let operator = Operator::start().await;
    let provider = operator.create_provider("gpt", None).await;
    let store = operator.store().await;
    let head = store.head().await.unwrap();
    let reference = ResourceRef::parse(Kind::Provider, &provider.id).unwrap();
    let refusing = NodeRow {
        refused: vec![RefusedResource {
            resource: reference,
            version: provider.version,
            reason: "base_urls: needs exactly one URL".into(),
        }],
        ..node("b-current", now(), Some(head))
    };
    let silent = node("a-silent", UnixMs(now().0 - 3_600_000), Some(head));
    let forgotten = node("forgotten", UnixMs(now().0 - 8 * 86_400_000), Some(head));
    for row in [&refusing, &silent, &forgotten, &node("c-new", now(), None)] {
        store.put_node(row).await.unwrap();
    }
    let answer = operator
        .fleet_service()
        .list_nodes(wire::ListNodesRequest {})
        .await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.head, head.revision);
    let seen: Vec<_> = answer
        .nodes
        .iter()
        .map(|n| (n.id.as_str(), n.connected, n.revision))
        .collect();
    let expected = [
        ("b-current", true, head.revision),
        ("c-new", true, 0),
        ("a-silent", false, head.revision),
    ];
    assert_eq!(seen, expected);
    assert_eq!(answer.nodes[0].refused[0].label, "provider \"gpt\"");
    let shown = operator.get_provider("gpt").await.unwrap();
    assert_eq!(shown.refused_by[0].node_id, "b-current");
    let status = operator
        .fleet_service()
        .get_status(wire::GetStatusRequest {})
        .await;
    let status = status.unwrap().into_inner();
    assert_eq!(
        (
            status.nodes_connected,
            status.nodes_behind,
            status.resources_refused
        ),
        (2, 1, 1)
    );
}
