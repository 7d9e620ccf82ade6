//! A node's stream over the in-memory pipe, on paused time: every wait has an end.

use std::time::Duration;

use penstock_core::resource::ResourceRef;
use penstock_proto::config::v1 as config;
use penstock_proto::convert::reference_to_wire;
use penstock_proto::sync::v1::sync_request::Message;
use penstock_proto::sync::v1::{Hello, Nack};
use tonic::Code;

use crate::node_client::{Node, hello};
use crate::tests::fake_store::FakeStore;
use crate::tests::plane::{LONG, plane};
use crate::tests::{commit, delete, put_user, user_ref};

fn nack(reference: &ResourceRef, version: u64) -> Nack {
    Nack {
        resource: Some(reference_to_wire(reference)),
        version,
        reason: "cannot".to_owned(),
    }
}

fn names(resources: &[config::Resource]) -> Vec<&str> {
    resources.iter().map(|resource| resource.id.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_acknowledge_is_given_up() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = plane.node("a").await;
    node.update().await;
    assert_eq!(node.end().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(plane.context.nodes.connected(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_takes_a_large_state_slowly_is_not_given_up() {
    let store = FakeStore::new();
    for chunk in 0..60_u64 {
        let users = (chunk * 1_000..(chunk + 1) * 1_000).map(crate::tests::put_large_user);
        crate::tests::commit_many(&store, users).await;
    }
    let plane = plane(store, LONG).await;
    let mut node = plane.node("a").await;
    let began = tokio::time::Instant::now();
    let update = node.update_slowly(Duration::from_secs(8)).await;
    assert!(began.elapsed() > Duration::from_secs(70), "{:?}", began.elapsed());
    node.ack(&update, Vec::new()).await;
    commit(&plane.store, put_user(9)).await;
    node.until(&user_ref(9).id(), 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_ok_when_its_lifetime_is_over() {
    let plane = plane(FakeStore::new(), Duration::from_secs(600)).await;
    let mut node = plane.node("a").await;
    node.apply().await;
    let start = tokio::time::Instant::now();
    assert!(node.end_within(Duration::from_secs(900)).await.unwrap().is_ok());
    let lasted = start.elapsed();
    assert!(
        lasted > Duration::from_secs(479) && lasted < Duration::from_secs(721),
        "{lasted:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn g02_revisions_gather_while_a_node_applies_and_come_as_one_update() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = plane.node("a").await;
    let first = node.update().await;
    for op in [put_user(1), put_user(2), put_user(1), delete(user_ref(2))] {
        commit(&plane.store, op).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    node.ack(&first, Vec::new()).await;
    let second = node.update().await;
    assert_eq!((second.full, second.from, second.to), (false, 0, 4));
    assert_eq!(second.version_of(&user_ref(1).id()), Some(2));
    assert_eq!(second.removals, [reference_to_wire(&user_ref(2))]);
}

#[tokio::test(start_paused = true)]
async fn g02_only_what_was_acknowledged_counts_as_in_force() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = plane.node("a").await;
    node.apply().await;
    commit(&plane.store, put_user(1)).await;
    let second = node.update().await;
    let mut again = Node::open(plane.channel.clone(), None, Message::Hello(hello("b")))
        .await
        .unwrap();
    again.apply().await;
    // The first node never acknowledged revision 1; its registry entry says so.
    drop(node);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(second.to, 1);
    let back = Hello {
        epoch: second.epoch.clone(),
        revision: 0,
        ..hello("a")
    };
    let update = plane.node_with(back).await.update().await;
    assert_eq!((update.full, update.from, update.to), (false, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn g02_what_a_node_refused_earlier_is_left_out_of_its_delta() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = plane.node("a").await;
    let start = node.apply().await;
    commit(&plane.store, put_user(1)).await;
    commit(&plane.store, put_user(2)).await;
    let mut behind = plane
        .node_with(Hello {
            epoch: start.epoch,
            revision: 0,
            refused: vec![nack(&user_ref(1), 1)],
            ..hello("b")
        })
        .await;
    let update = behind.apply().await;
    assert_eq!(names(&update.upserts), [user_ref(2).id()]);
    commit(&plane.store, put_user(1)).await;
    // It changed.
    behind.until(&user_ref(1).id(), 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_update_holds_everything_also_what_was_refused() {
    let store = FakeStore::new();
    commit(&store, put_user(1)).await;
    let plane = plane(store, LONG).await;
    let mut node = plane
        .node_with(Hello {
            refused: vec![nack(&user_ref(1), 1)],
            ..hello("a")
        })
        .await;
    let update = node.update().await;
    assert!(update.full);
    assert_eq!(names(&update.upserts), [user_ref(1).id()]);
}

#[tokio::test(start_paused = true)]
async fn a_node_ahead_of_a_restored_store_begins_a_new_epoch() {
    let plane = plane(FakeStore::new(), LONG).await;
    commit(&plane.store, put_user(1)).await;
    let mut node = plane.node("a").await;
    let held = node.apply().await;
    let mut ahead = plane
        .node_with(Hello {
            epoch: held.epoch.clone(),
            revision: 99,
            ..hello("b")
        })
        .await;
    let update = ahead.apply().await;
    assert!(update.full);
    assert_ne!(update.epoch, held.epoch);
    let moved = node.update().await;
    assert!(moved.full && moved.epoch == update.epoch, "the others follow");
    assert_eq!(plane.context.metrics.restored.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn g03_a_node_ahead_is_turned_away_while_the_store_cannot_be_asked() {
    let plane = plane(FakeStore::new(), LONG).await;
    let held = plane.node("a").await.update().await;
    plane.store.set_away(true);
    let mut ahead = plane
        .node_with(Hello {
            epoch: held.epoch.clone(),
            revision: 99,
            ..hello("b")
        })
        .await;
    assert_eq!(ahead.end().await.unwrap_err().code(), Code::Unavailable);
    let mut known = plane
        .node_with(Hello {
            epoch: held.epoch,
            revision: 0,
            ..hello("c")
        })
        .await;
    assert!(
        !known.update().await.full,
        "who holds what is known is served from memory"
    );
}

#[tokio::test(start_paused = true)]
async fn g16_closing_ends_streams_with_ok_and_new_ones_with_unavailable() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = plane.node("a").await;
    node.apply().await;
    assert!(plane.streams.close(Duration::from_secs(5)).await);
    assert!(node.end().await.is_ok());
    let refused = Node::fresh(plane.channel.clone(), None, "b").await.err().unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn the_rules_of_the_stream_are_enforced() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = plane.node("a").await;
    let update = node.apply().await;
    node.ack(&update, Vec::new()).await;
    assert_eq!(
        node.end().await.unwrap_err().code(),
        Code::InvalidArgument,
        "an Ack without an Update"
    );
    let mut node = plane.node("a").await;
    node.say(Message::Hello(hello("a"))).await;
    assert_eq!(
        node.end().await.unwrap_err().code(),
        Code::InvalidArgument,
        "a second Hello"
    );
    let ack = penstock_proto::sync::v1::Ack::default();
    let mut node = Node::open(plane.channel.clone(), None, Message::Ack(ack))
        .await
        .unwrap();
    assert_eq!(
        node.end().await.unwrap_err().code(),
        Code::InvalidArgument,
        "an Ack first"
    );
}

#[tokio::test(start_paused = true)]
async fn a_large_state_comes_in_parts_and_nothing_comes_between_them() {
    let store = FakeStore::new();
    for chunk in 0..20_u64 {
        crate::tests::commit_many(
            &store,
            (chunk * 1_000..(chunk + 1) * 1_000).map(crate::tests::put_large_user),
        )
        .await;
    }
    let plane = plane(store, LONG).await;
    let mut node = plane.node("a").await;
    let update = node.apply().await;
    assert_eq!(update.upserts.len(), 20_000);
    assert!(update.parts > 3, "{}", update.parts);
    node.sees_live_nodes(1).await;
}

#[tokio::test(start_paused = true)]
async fn b08_states_are_told_after_the_first_update_and_then_as_they_change() {
    let plane = plane(FakeStore::new(), LONG).await;
    let provider = penstock_core::id::ProviderId::from_parts(1, &[1; 10]);
    let tell = |model: &str| {
        let (mut state, now) = (penstock_core::health::State::default(), crate::clock::now());
        let maker = penstock_core::health::mark::Maker {
            by: "a",
            why: "",
            now,
        };
        let circuit = penstock_core::health::Circuit::Open { until: now };
        maker.mark(&mut state.entry_mut(model).unwrap().circuit, circuit);
        plane.context.fleet_states.report(provider, &state, now);
    };
    tell("opus");
    let mut node = plane.node("a").await;
    node.apply().await;
    let id = provider.to_string();
    assert_eq!(node.told_of(&id).await.entries.len(), 1);
    tell("haiku");
    assert_eq!(node.told_of(&id).await.entries.len(), 2);
}
