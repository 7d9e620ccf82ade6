//! Limits as an operator asks for them, over a fake store and a scripted node.

use std::sync::Arc;

use penstock_core::limits::Limits;
use penstock_core::money::NanoUsd;
use penstock_core::user::User;
use penstock_proto::admin::v1::LimitSubject;
use penstock_proto::admin::v1::limit_subject::Subject;
use penstock_proto::config::v1::LimitDimension;
use penstock_proto::sync::v1::sync_request::Message;
use penstock_proto::sync::v1::sync_response::Message as Reply;
use penstock_proto::sync::v1::{CommandResult, Hello, LimitsReading};
use penstock_store::{NewSpec, Op, Put, Store, StoredSpec};
use tokio::task::JoinSet;

use super::*;
use crate::node_client::hello;
use crate::tests::fake_store::FakeStore;
use crate::tests::plane::{LONG, Plane, plane};
use crate::tests::{commit, put_imported_key, user_ref};

fn put_limited(limits: Limits) -> Op {
    let user = User {
        name: "alice".to_owned(),
        access: penstock_core::access::Access::default(),
        limits: limits.shared(),
    };
    Put::new(user_ref(1), NewSpec::User(user)).into()
}

fn limits() -> Limits {
    Limits {
        rpm: 10,
        usd_total: NanoUsd(5),
        ..Limits::default()
    }
}

fn user(name: &str) -> Option<LimitSubject> {
    let subject = Some(Subject::User(name.to_owned()));
    Some(LimitSubject { subject })
}

async fn reset_user(
    plane: &Plane,
    dimensions: &[LimitDimension],
) -> Result<wire::ResetLimitsResponse, Status> {
    let request = wire::ResetLimitsRequest {
        subject: user("alice"),
        dimensions: dimensions.iter().map(|d| i32::from(*d)).collect(),
        change: None,
    };
    let service = LimitsOf(plane.context.clone());
    Ok(service.reset_limits(Request::new(request)).await?.into_inner())
}

async fn stored(store: &FakeStore) -> Arc<Limits> {
    let stored = store.get(&user_ref(1)).await.unwrap().unwrap();
    let StoredSpec::User(user) = stored.spec else {
        panic!("a user")
    };
    user.limits
}

#[tokio::test]
async fn d01_a_reset_without_dimensions_is_of_all_budgets() {
    let plane = plane(FakeStore::new(), LONG).await;
    commit(&plane.store, put_limited(limits())).await;
    let made = reset_user(&plane, &[]).await.unwrap();
    assert_eq!(made.dimensions, [i32::from(LimitDimension::UsdTotal)]);
    assert_eq!(made.revision, 2);
    let at = UnixMs(made.reset_at_ms);
    let kept = stored(&plane.store).await;
    assert_eq!(
        *kept,
        Limits {
            resets: [(Dimension::UsdTotal, at)].into(),
            ..limits()
        }
    );
}

#[tokio::test]
async fn d01_a_reset_leaves_the_other_dimensions_and_never_moves_back() {
    let plane = plane(FakeStore::new(), LONG).await;
    let later = UnixMs(clock::now().0 + 1_000_000);
    let before = Limits {
        resets: [(Dimension::Usd5h, UnixMs(7)), (Dimension::UsdTotal, later)].into(),
        ..limits()
    };
    commit(&plane.store, put_limited(before)).await;
    reset_user(&plane, &[LimitDimension::UsdTotal]).await.unwrap();
    let kept = stored(&plane.store).await;
    assert_eq!(kept.reset_at(Dimension::Usd5h), Some(UnixMs(7)));
    assert_eq!(kept.reset_at(Dimension::UsdTotal), Some(later));
}

#[tokio::test]
async fn d01_what_has_no_limit_cannot_be_reset_and_says_so() {
    let plane = plane(FakeStore::new(), LONG).await;
    commit(&plane.store, put_limited(Limits::default())).await;
    let status = reset_user(&plane, &[]).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(
        status.message(),
        "user \"alice\" has no budget, so there is nothing to reset; set one first"
    );
    let status = reset_user(&plane, &[LimitDimension::Unspecified])
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    commit(&plane.store, put_limited(limits())).await;
    let status = reset_user(&plane, &[LimitDimension::UsdTotal, LimitDimension::Rpm])
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status.message().contains("what rpm counts frees itself"),
        "{status}"
    );
}

#[tokio::test]
async fn g01_resets_at_the_same_time_all_happen() {
    let plane = plane(FakeStore::new(), LONG).await;
    commit(&plane.store, put_limited(limits())).await;
    let all = [
        LimitDimension::UsdTotal,
        LimitDimension::Usd5h,
        LimitDimension::UsdDaily,
    ];
    let reset = |dimension| {
        let plane = &plane;
        async move { reset_user(plane, &[dimension]).await.unwrap() }
    };
    tokio::join!(reset(all[0]), reset(all[1]), reset(all[2]));
    assert_eq!(stored(&plane.store).await.resets.len(), 3);
}

/// A node that answers each question with what it was asked.
async fn echoing_node(plane: &Plane, error: &'static str) -> JoinSet<()> {
    let hello = Hello {
        schema: 2,
        ..hello("node-1")
    };
    let mut node = plane.node_with(hello).await;
    node.apply().await;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok(Some(reply)) = node.next().await {
            let Reply::Command(asked) = reply else { continue };
            let Some(command::Command::ReadLimits(subject)) = asked.command else {
                panic!("a question for limits")
            };
            let reading = LimitsReading {
                enforcement: format!("{} {}", subject.level, subject.id),
                states: Vec::new(),
            };
            let result = CommandResult {
                id: asked.id,
                error: error.to_owned(),
                result: error
                    .is_empty()
                    .then_some(command_result::Result::Limits(reading)),
            };
            node.say(Message::CommandResult(result)).await;
        }
    });
    tasks
}

async fn show(plane: &Plane, subject: Subject) -> Result<wire::ShowLimitsResponse, Status> {
    let subject = Some(LimitSubject {
        subject: Some(subject),
    });
    let request = wire::ShowLimitsRequest { subject };
    let service = LimitsOf(plane.context.clone());
    Ok(service.show_limits(Request::new(request)).await?.into_inner())
}

#[tokio::test]
async fn d01_behind_a_key_its_user_is_shown_as_a_data_plane_counts_them() {
    let plane = plane(FakeStore::new(), LONG).await;
    commit(&plane.store, put_limited(limits())).await;
    commit(&plane.store, put_imported_key(3)).await;
    let _node = echoing_node(&plane, "").await;
    let shown = show(&plane, Subject::Key("imported".to_owned())).await.unwrap();
    let names: Vec<&str> = shown.subjects.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(
        (names, shown.node_id.as_str()),
        (vec!["alice/imported", "alice"], "node-1")
    );
    for subject in &shown.subjects {
        let reading = subject.reading.as_ref().unwrap();
        assert_eq!(reading.enforcement, format!("{} {}", subject.level, subject.id));
    }
    let shown = show(&plane, Subject::User("alice".to_owned())).await.unwrap();
    assert_eq!(shown.subjects.len(), 1);
}

#[tokio::test]
async fn d01_what_a_data_plane_cannot_tell_is_an_error_with_its_reason() {
    let plane = plane(FakeStore::new(), LONG).await;
    commit(&plane.store, put_limited(limits())).await;
    let _node = echoing_node(&plane, "the counters are away").await;
    let status = show(&plane, Subject::User("alice".to_owned())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(
        status.message(),
        "the limits of user \"alice\" cannot be read: data plane node-1: the counters are away"
    );
}
