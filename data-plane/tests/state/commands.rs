//! Commands on the config stream.

use penstock_core::id::UserId;
use penstock_proto::config::v1::LimitLevel;
use penstock_proto::sync::v1::{Command, ReadLimits, command};

use crate::support::control_plane::FakeControlPlane;
use crate::support::node::NodeBuilder;
use crate::support::resources::{delta, full, user};

fn command(id: &str, subject: &str) -> Command {
    let question = ReadLimits {
        level: LimitLevel::User.into(),
        id: subject.to_owned(),
    };
    Command {
        id: id.to_owned(),
        command: Some(command::Command::ReadLimits(question)),
    }
}

#[tokio::test]
async fn each_command_gets_one_result_and_updates_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let control_plane = FakeControlPlane::start();
    let node = NodeBuilder::new(directory.path(), &control_plane).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1)])).await;
    stream.command(command("bad", "alice")).await;
    let refused = stream.result().await;
    assert_eq!(refused.id, "bad");
    assert!(refused.error.contains("is not an id"), "{}", refused.error);
    let unknown = Command {
        id: "unknown".to_owned(),
        command: None,
    };
    stream.command(unknown).await;
    assert!(stream.result().await.error.contains("upgrade it"));
    let known = UserId::from_parts(1, &[1; 10]).to_string();
    for id in ["1", "2", "3"] {
        stream.command(command(id, &known)).await;
    }
    let mut answered = Vec::new();
    for _ in 0..3 {
        answered.push(stream.result().await.id);
    }
    answered.sort();
    assert_eq!(answered, ["1", "2", "3"]);
    assert_eq!(stream.push(delta(1, vec![user(2)])).await.revision, 2);
    node.stop().await;
}
