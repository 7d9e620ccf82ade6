//! Commands to nodes over the in-memory pipe, on this replica and through another one.

use std::sync::Arc;
use std::time::Duration;

use penstock_proto::sync::v1::command::Command;
use penstock_proto::sync::v1::sync_request::Message;
use penstock_proto::sync::v1::sync_response::Message as Reply;
use penstock_proto::sync::v1::{CommandResult, Hello, ReadLimits};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::ask::{Answered, ask};
use super::carry;
use crate::node_client::{Node, hello};
use crate::tests::fake_store::FakeStore;
use crate::tests::plane::{LONG, Plane, plane};
use crate::tests::{commit, put_user, user_ref};

fn question() -> Command {
    Command::ReadLimits(ReadLimits::default())
}

async fn node(plane: &Plane, id: &str) -> Node {
    let hello = Hello {
        schema: 2,
        ..hello(id)
    };
    let mut node = plane.node_with(hello).await;
    node.apply().await;
    node
}

fn asking(plane: &Plane) -> JoinSet<Result<Answered, Status>> {
    let (context, mut asking) = (plane.context.clone(), JoinSet::new());
    asking.spawn(async move { ask(&context, question()).await });
    asking
}

/// The next command; its id.
async fn command(node: &mut Node) -> String {
    loop {
        match node.next().await.unwrap().expect("the stream ended") {
            Reply::Command(command) => return command.id,
            Reply::Fleet(_) | Reply::FleetStates(_) => {}
            Reply::Update(part) => panic!("an update to {}", part.to_revision),
        }
    }
}

async fn answer(node: &Node, id: &str, error: &str) {
    let result = CommandResult {
        id: id.to_owned(),
        error: error.to_owned(),
        result: None,
    };
    node.say(Message::CommandResult(result)).await;
}

async fn ended(mut asking: JoinSet<Result<Answered, Status>>) -> Result<Answered, Status> {
    asking.join_next().await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_node_answers_a_command_while_an_update_waits_for_its_ack() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = node(&plane, "a").await;
    commit(&plane.store, put_user(1)).await;
    let update = node.update().await;
    let asked = asking(&plane);
    let id = command(&mut node).await;
    answer(&node, "another", "nobody asked that").await;
    answer(&node, &id, "no counters").await;
    let answered = ended(asked).await.unwrap();
    assert_eq!(
        (answered.node.as_str(), answered.result.error.as_str()),
        ("a", "no counters")
    );
    node.ack(&update, Vec::new()).await;
    commit(&plane.store, put_user(1)).await;
    node.until(&user_ref(1).id(), 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_command_never_comes_between_the_parts_of_an_update() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut node = node(&plane, "a").await;
    let users = (0..20_000).map(crate::tests::put_large_user);
    crate::tests::commit_many(&plane.store, users).await;
    let first = loop {
        match node.next().await.unwrap().expect("the stream ended") {
            Reply::Update(part) => break part,
            Reply::Fleet(_) | Reply::FleetStates(_) => {}
            Reply::Command(_) => panic!("a command"),
        }
    };
    assert!(!first.last);
    let asked = asking(&plane);
    // It fails the test when anything comes in between.
    let rest = node.update_slowly(Duration::from_millis(20)).await;
    assert!(rest.parts > 1);
    let id = command(&mut node).await;
    answer(&node, &id, "").await;
    assert!(ended(asked).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_ends_its_commands_at_once_and_another_node_is_asked() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut first = node(&plane, "a").await;
    let asked = asking(&plane);
    command(&mut first).await;
    let mut second = node(&plane, "b").await;
    let began = tokio::time::Instant::now();
    drop(first);
    let id = command(&mut second).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    answer(&second, &id, "").await;
    assert_eq!(ended(asked).await.unwrap().node, "b");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_three_seconds_for_an_answer() {
    let plane = plane(FakeStore::new(), LONG).await;
    let mut silent = node(&plane, "a").await;
    let began = tokio::time::Instant::now();
    let asked = asking(&plane);
    command(&mut silent).await;
    plane.store.set_others_live(1);
    let status = ended(asked).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("penstock node list"), "{status}");
    assert!(
        began.elapsed() <= Duration::from_millis(3_100),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn without_any_data_plane_the_answer_comes_at_once() {
    let plane = plane(FakeStore::new(), LONG).await;
    let began = tokio::time::Instant::now();
    let status = ask(&plane.context, question()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status.message().contains("no data plane is connected"),
        "{status}"
    );
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// Two replicas on one store; only the second has a node.
#[tokio::test(start_paused = true)]
async fn a_replica_without_nodes_asks_through_one_that_has_some() {
    let store = FakeStore::new();
    let (asker, holder) = (
        plane(Arc::clone(&store), LONG).await,
        plane(Arc::clone(&store), LONG).await,
    );
    store.set_others_live(1);
    let (stop, mut couriers) = (CancellationToken::new(), JoinSet::new());
    for plane in [&asker, &holder] {
        couriers.spawn(carry(plane.context.clone(), stop.clone()));
    }
    let mut node = node(&holder, "far").await;
    let asked = asking(&asker);
    let id = command(&mut node).await;
    answer(&node, &id, "no counters").await;
    let answered = ended(asked).await.unwrap();
    assert_eq!(
        (answered.node.as_str(), answered.result.error.as_str()),
        ("far", "no counters")
    );
    // Its node goes away while it is asked: that is an answer, too.
    let asked = asking(&asker);
    command(&mut node).await;
    drop(node);
    let answered = ended(asked).await.unwrap();
    assert!(answered.result.error.contains("no data plane at control plane"));
    stop.cancel();
    couriers.join_all().await;
}
