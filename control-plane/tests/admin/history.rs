//! The history of the configuration.

use super::*;

async fn revisions(operator: &Operator, limit: u32, before: u64) -> wire::ListRevisionsResponse {
    let request = wire::ListRevisionsRequest {
        limit,
        before,
        ..wire::ListRevisionsRequest::default()
    };
    operator
        .config_service()
        .list_revisions(request)
        .await
        .unwrap()
        .into_inner()
}

#[tokio::test]
async fn g01_every_change_has_revision_author_time_reason_and_diff() {
    let operator = Operator::start().await;
    let read = operator.create_provider("main", None).await;
    operator
        .update_provider(&read, |spec| spec.priority = 5)
        .await
        .unwrap();
    let listed = revisions(&operator, 1, 0).await;
    let newest = &listed.revisions[0];
    assert_eq!((newest.revision, newest.change_count), (listed.head, 1));
    assert_eq!(
        (newest.actor.as_str(), newest.reason.as_str()),
        ("admin", "changed by a test")
    );
    assert!(newest.at_ms > 1_700_000_000_000);
    let change = &newest.changes[0];
    assert_eq!(change.label, "provider \"main\"");
    assert!(change.before_json.contains("\"priority\":0") && change.after_json.contains("\"priority\":5"));
}

#[tokio::test]
async fn g01_history_goes_back_page_by_page() {
    let operator = Operator::start().await;
    for name in ["a", "b", "c"] {
        operator.create_user(name).await;
    }
    let newest = revisions(&operator, 2, 0).await;
    assert_eq!(newest.revisions.len(), 2);
    let older = revisions(&operator, 1, newest.revisions[1].revision).await;
    assert_eq!(older.revisions[0].changes[0].label, "user \"a\"");
}

#[tokio::test]
async fn g01_two_revisions_can_be_compared_in_either_direction() {
    let operator = Operator::start().await;
    let before = operator.head().await;
    let read = operator.create_provider("main", None).await;
    operator
        .update_provider(&read, |spec| spec.priority = 5)
        .await
        .unwrap();
    let diff = async |from_revision, to_revision| {
        let request = wire::DiffRevisionsRequest {
            from_revision,
            to_revision,
            ..wire::DiffRevisionsRequest::default()
        };
        operator.config_service().diff_revisions(request).await
    };
    let forth = diff(before, 0).await.unwrap().into_inner();
    assert_eq!((forth.from_revision, forth.to_revision), (before, before + 2));
    assert_eq!(forth.changes.len(), 1);
    assert!(forth.changes[0].before_json.is_empty());
    let back = diff(before + 2, before).await.unwrap().into_inner();
    assert!(back.changes[0].after_json.is_empty());
    refused(diff(before, before + 99).await, Code::NotFound);
}

#[tokio::test]
async fn a_change_that_changes_nothing_makes_no_revision() {
    let operator = Operator::start().await;
    let read = operator.create_provider("main", None).await;
    let head = operator.head().await;
    let same = operator.update_provider(&read, |_| ()).await.unwrap();
    assert_eq!((same.version, operator.head().await), (read.version, head));
}

#[tokio::test]
async fn a_reason_that_is_a_novel_is_refused() {
    let operator = Operator::start().await;
    let request = wire::CreateUserRequest {
        spec: Some(user("alice")),
        change: reason(&"x".repeat(2_000)),
    };
    let answer = operator.user_service().create_user(request).await;
    assert!(refused(answer, Code::InvalidArgument).starts_with("change.reason: "));
}
