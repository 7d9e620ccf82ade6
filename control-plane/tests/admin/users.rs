//! Users.

use super::*;

#[tokio::test]
async fn deleting_a_user_deletes_its_keys_in_the_same_revision() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    operator.create_key("alice", "laptop").await;
    let before = operator.head().await;
    let request = wire::DeleteUserRequest {
        user: "alice".into(),
        expected_version: 0,
        change: reason("left"),
    };
    let revision = operator
        .user_service()
        .delete_user(request)
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert_eq!(revision, before + 1);
    assert_eq!(
        operator.get_key("laptop").await.unwrap_err().code(),
        Code::NotFound
    );
    let request = wire::DiffRevisionsRequest {
        from_revision: before,
        to_revision: revision,
        ..wire::DiffRevisionsRequest::default()
    };
    let changes = operator
        .config_service()
        .diff_revisions(request)
        .await
        .unwrap()
        .into_inner()
        .changes;
    let mut labels: Vec<_> = changes.into_iter().map(|change| change.label).collect();
    labels.sort();
    assert_eq!(labels, ["key \"alice/laptop\"", "user \"alice\""]);
}

#[tokio::test]
async fn a_user_can_be_renamed_and_keeps_its_keys() {
    let operator = Operator::start().await;
    let alice = operator.create_user("alice").await;
    operator.create_key("alice", "laptop").await;
    let request = wire::UpdateUserRequest {
        user: "alice".into(),
        expected_version: alice.version,
        spec: Some(user("alice@example.com")),
        change: None,
        update_mask: None,
    };
    operator.user_service().update_user(request).await.unwrap();
    let key = operator.get_key("alice@example.com/laptop").await.unwrap();
    assert_eq!(key.spec.unwrap().user_id, alice.id);
}

#[tokio::test]
async fn an_update_that_names_no_version_is_refused() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    let request = wire::UpdateUserRequest {
        user: "alice".into(),
        expected_version: 0,
        spec: Some(user("alice")),
        change: None,
        update_mask: None,
    };
    let answer = operator.user_service().update_user(request).await;
    assert!(refused(answer, Code::InvalidArgument).starts_with("expected_version: "));
}

#[tokio::test]
async fn a_masked_update_changes_what_it_names_on_the_version_of_now() {
    let operator = Operator::start().await;
    let alice = operator.create_user("alice").await;
    let before = alice.spec.unwrap();
    let mask = |path: &str| prost_types::FieldMask {
        paths: vec![path.to_owned()],
    };
    let request = |path: &str| wire::UpdateUserRequest {
        user: "alice".into(),
        expected_version: 0,
        spec: Some(penstock_proto::config::v1::User {
            name: "anna".into(),
            ..Default::default()
        }),
        change: None,
        update_mask: Some(mask(path)),
    };
    let answer = operator.user_service().update_user(request("name")).await;
    let changed = answer.unwrap().into_inner().user.unwrap().spec.unwrap();
    assert_eq!((changed.name.as_str(), changed.access), ("anna", before.access));
    let answer = operator.user_service().update_user(request("nickname")).await;
    // It was renamed, so by its old name it is not there.
    assert_eq!(refused(answer, Code::NotFound), "user \"alice\" does not exist");
}
