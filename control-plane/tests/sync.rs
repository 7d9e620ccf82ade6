//! The config stream, as a data plane sees it.

use penstock_core::time::UnixMs;
use penstock_proto::config::v1::{ResourceKind, ResourceRef};
use penstock_proto::sync::v1::sync_request::Message;
use penstock_proto::sync::v1::{Hello, Nack};
use tonic::Code;

use crate::node_client::{Node, hello, pipe_channel};
use crate::plane::{ADMIN, NODE, Plane, Start, dir, eventually, store};

#[tokio::test]
async fn g02_a_full_update_comes_first_then_each_change_in_order() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let mut node = plane.node("a").await;
    let full = node.apply().await;
    assert!(full.full && full.from == 0);
    assert_eq!((full.upserts.len(), full.parts), (1203, 1), "the shipped prices");
    let mut at = full.to;
    let alice = plane.create_user("alice").await;
    for version in 1..=2 {
        if version == 2 {
            plane.disable(&alice).await;
        }
        let delta = node.apply().await;
        assert_eq!((delta.full, delta.from, delta.to), (false, at, at + 1));
        assert_eq!(delta.version_of(&alice.id), Some(version));
        at = delta.to;
    }
    plane.delete(&alice).await;
    let gone = node.apply().await;
    assert_eq!(gone.removals[0].id, alice.id);
    assert!(gone.upserts.is_empty());
    plane.stop().await;
}

#[tokio::test]
async fn a08_every_node_gets_a_revocation() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let alice = plane.create_user("alice").await;
    let mut nodes = [
        plane.node("a").await,
        plane.node("b").await,
        plane.node("c").await,
    ];
    for node in &mut nodes {
        node.apply().await;
    }
    plane.disable(&alice).await;
    for node in &mut nodes {
        node.until(&alice.id, 2).await;
    }
    plane.stop().await;
}

#[tokio::test]
async fn g02_a_refusal_is_shown_and_not_sent_again_until_the_resource_changes() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let mut node = plane.node("a").await;
    node.apply().await;
    let alice = plane.create_user("alice").await;
    let update = node.update().await;
    let resource = ResourceRef {
        kind: ResourceKind::User.into(),
        id: alice.id.clone(),
    };
    let nack = Nack {
        resource: Some(resource),
        version: 1,
        reason: "spec: cannot".to_owned(),
    };
    node.ack(&update, vec![nack]).await;
    let store = store(&dir).await;
    let refused = async || {
        let row = store
            .nodes(UnixMs(0))
            .await
            .unwrap()
            .into_iter()
            .find(|row| row.id == "a")?;
        (row.held?.revision == update.to).then_some(row.refused)
    };
    let shown = eventually(refused).await;
    assert_eq!(
        (shown[0].resource.id(), shown[0].version, shown[0].reason.as_str()),
        (alice.id.clone(), 1, "spec: cannot")
    );

    let bob = plane.create_user("bob").await;
    let next = node.apply().await;
    assert_eq!(
        (next.version_of(&bob.id), next.version_of(&alice.id)),
        (Some(1), None)
    );
    plane.disable(&alice).await;
    assert_eq!(node.apply().await.version_of(&alice.id), Some(2));
    eventually(async || {
        let row = store
            .nodes(UnixMs(0))
            .await
            .unwrap()
            .into_iter()
            .find(|row| row.id == "a")?;
        row.refused.is_empty().then_some(())
    })
    .await;
    plane.stop().await;
}

#[tokio::test]
async fn g02_a_node_that_reconnects_gets_only_what_changed() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let mut node = plane.node("a").await;
    let held = node.apply().await;
    drop(node);
    let alice = plane.create_user("alice").await;
    let back = Hello {
        epoch: held.epoch,
        revision: held.to,
        ..hello("a")
    };
    let mut node = Node::open(plane.channel().await, Some(NODE), Message::Hello(back))
        .await
        .unwrap();
    let update = node.until(&alice.id, 1).await;
    assert_eq!(
        (update.full, update.from, update.to),
        (false, held.to, held.to + 1)
    );
    assert_eq!(update.upserts.len(), 1);
    plane.stop().await;
}

#[tokio::test]
async fn g16_a_node_that_holds_the_head_over_a_restart_gets_an_empty_delta() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let held = plane.node("a").await.apply().await;
    plane.stop().await;
    let plane = Plane::start(&dir).await;
    let back = Hello {
        epoch: held.epoch,
        revision: held.to,
        ..hello("a")
    };
    let mut node = Node::open(plane.channel().await, Some(NODE), Message::Hello(back))
        .await
        .unwrap();
    let update = node.update().await;
    assert_eq!((update.full, update.from, update.to), (false, held.to, held.to));
    assert!(update.upserts.is_empty());
    plane.stop().await;
}

#[tokio::test]
async fn a_node_ahead_of_a_restored_database_begins_a_new_epoch() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    plane.stop().await;
    let (file, backup) = (dir.path().join("penstock.db"), dir.path().join("backup.db"));
    std::fs::copy(&file, &backup).unwrap();
    let plane = Plane::start(&dir).await;
    let alice = plane.create_user("alice").await;
    let held = plane.node("a").await.until(&alice.id, 1).await;
    plane.stop().await;
    std::fs::copy(&backup, &file).unwrap();
    for journal in ["penstock.db-wal", "penstock.db-shm"] {
        drop(std::fs::remove_file(dir.path().join(journal)));
    }

    let plane = Plane::start(&dir).await;
    let ahead = Hello {
        epoch: held.epoch.clone(),
        revision: held.to,
        ..hello("a")
    };
    let mut node = Node::open(plane.channel().await, Some(NODE), Message::Hello(ahead))
        .await
        .unwrap();
    let update = node.apply().await;
    assert!(update.full);
    assert_ne!(update.epoch, held.epoch);
    assert_eq!(
        update.upserts.len(),
        1203,
        "alice is lost with what came after the backup"
    );
    assert_eq!(
        store(&dir).await.head().await.unwrap().epoch.to_string(),
        update.epoch
    );
    plane.stop().await;
}

#[tokio::test]
async fn a_caller_without_a_node_token_is_unauthenticated() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    for token in [None, Some("wrong"), Some(ADMIN)] {
        let refused = Node::fresh(plane.channel().await, token, "a")
            .await
            .err()
            .unwrap();
        assert_eq!(refused.code(), Code::Unauthenticated);
        assert!(refused.message().contains("--node-token-file"));
    }
    plane.stop().await;
}

#[tokio::test]
async fn the_pipe_needs_no_token() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let mut node = Node::fresh(pipe_channel(plane.pipe.clone()).await, None, "a")
        .await
        .unwrap();
    assert!(node.apply().await.full);
    plane.stop().await;
}

#[tokio::test]
async fn a_stream_ends_with_ok_when_its_lifetime_is_over() {
    let dir = dir();
    let plane = Start::in_dir(dir.path())
        .with("--stream-lifetime", "300ms")
        .run()
        .await;
    let mut node = plane.node("a").await;
    node.apply().await;
    assert!(node.end().await.is_ok());
    plane.stop().await;
}

#[tokio::test]
async fn g16_shutdown_ends_streams_with_ok_and_the_nodes_are_written_as_gone() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let mut node = plane.node("a").await;
    let held = node.apply().await;
    let beside = store(&dir).await;
    eventually(async || {
        let rows = beside.nodes(UnixMs(0)).await.unwrap();
        rows.iter()
            .any(|row| row.held.is_some_and(|head| head.revision == held.to))
            .then_some(())
    })
    .await;
    let (ended, ()) = tokio::join!(node.end(), plane.stop());
    assert!(ended.is_ok());
    let rows = beside.nodes(UnixMs(0)).await.unwrap();
    assert_eq!(
        (rows[0].connected, rows[0].held.unwrap().revision),
        (false, held.to)
    );
    assert_eq!(rows[0].control_plane, "cp-1");
}

#[tokio::test]
async fn nodes_learn_how_many_they_are() {
    let dir = dir();
    let plane = Plane::start(&dir).await;
    let mut a = plane.node("a").await;
    a.apply().await;
    a.sees_live_nodes(1).await;
    let mut b = plane.node("b").await;
    b.apply().await;
    a.sees_live_nodes(2).await;
    drop(b);
    a.sees_live_nodes(1).await;
    plane.stop().await;
}

#[tokio::test]
async fn two_control_planes_on_one_database_serve_the_same_history() {
    let dir = dir();
    let first = Plane::start(&dir).await;
    let second = Start::in_dir(dir.path()).with("--name", "cp-2").run().await;
    let mut node = second.node("a").await;
    let held = node.apply().await;
    let alice = first.create_user("alice").await;
    let update = node.apply().await;
    assert_eq!(
        (update.full, update.from, update.version_of(&alice.id)),
        (false, held.to, Some(1))
    );
    first.stop().await;
    second.stop().await;
}
