//! Rolling the configuration back, over the real store.

use super::*;

async fn rollback(operator: &Operator, to_revision: u64, include_access: bool) -> wire::RollbackResponse {
    let request = wire::RollbackRequest {
        to_revision,
        include_access,
        dry_run: false,
        change: reason("back"),
    };
    operator
        .config_service()
        .rollback(request)
        .await
        .unwrap()
        .into_inner()
}

#[tokio::test]
async fn g01_a_rollback_is_a_new_revision_with_the_old_state() {
    let operator = Operator::start().await;
    let read = operator.create_provider("main", Some("sk-credential")).await;
    let good = operator.head().await;
    operator
        .update_provider(&read, |spec| spec.priority = 9)
        .await
        .unwrap();
    operator.create_provider("extra", None).await;
    let done = rollback(&operator, good, false).await;
    assert_eq!(
        (done.revision, done.changes.len(), done.skipped.len()),
        (good + 3, 2, 0)
    );
    let main = operator.get_provider("main").await.unwrap();
    assert_eq!((main.version, main.spec.unwrap().priority), (3, 0));
    assert_eq!(main.credential_hint, read.credential_hint);
    assert_eq!(
        operator.get_provider("extra").await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn g01_a_dry_run_says_what_would_change_and_changes_nothing() {
    let operator = Operator::start().await;
    let read = operator.create_provider("main", None).await;
    let good = operator.head().await;
    operator
        .update_provider(&read, |spec| spec.priority = 9)
        .await
        .unwrap();
    let request = wire::RollbackRequest {
        to_revision: good,
        include_access: false,
        dry_run: true,
        change: None,
    };
    let planned = operator
        .config_service()
        .rollback(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((planned.revision, planned.changes.len()), (0, 1));
    assert_eq!(operator.head().await, good + 1);
}

#[tokio::test]
async fn g01_a_rollback_enables_no_key_unless_asked() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    operator.create_key("alice", "laptop").await;
    let good = operator.head().await;
    operator
        .change_key("laptop", |access| access.enabled = false)
        .await;
    let strict = rollback(&operator, good, false).await;
    assert_eq!(strict.revision, 0);
    assert!(
        strict.skipped[0].contains("key \"alice/laptop\" stays disabled"),
        "{:?}",
        strict.skipped
    );
    rollback(&operator, good, true).await;
    assert!(
        operator
            .get_key("laptop")
            .await
            .unwrap()
            .spec
            .unwrap()
            .access
            .unwrap()
            .enabled
    );
}

#[tokio::test]
async fn g01_a_deleted_user_comes_back_with_its_keys_only_when_asked() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    let secret = operator.create_key("alice", "laptop").await.secret;
    let good = operator.head().await;
    let request = wire::DeleteUserRequest {
        user: "alice".into(),
        expected_version: 0,
        change: None,
    };
    operator.user_service().delete_user(request).await.unwrap();
    let strict = rollback(&operator, good, false).await;
    assert_eq!((strict.revision, strict.skipped.len()), (0, 2));
    rollback(&operator, good, true).await;
    let request = wire::FindKeyRequest { secret };
    let found = operator
        .key_service()
        .find_key(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(found.state, "valid");
    assert_eq!(found.key.unwrap().version, 3, "a version never falls");
}

#[tokio::test]
async fn g01_a_deleted_provider_comes_back_disabled_without_its_credential() {
    let operator = Operator::start().await;
    operator.create_provider("main", Some("sk-credential")).await;
    let good = operator.head().await;
    let request = wire::DeleteProviderRequest {
        provider: "main".into(),
        expected_version: 0,
        change: None,
    };
    operator
        .provider_service()
        .delete_provider(request)
        .await
        .unwrap();
    let done = rollback(&operator, good, true).await;
    assert!(
        done.skipped[0].contains("comes back disabled"),
        "{:?}",
        done.skipped
    );
    let main = operator.get_provider("main").await.unwrap();
    assert_eq!(
        (main.credential_hint.as_str(), main.spec.unwrap().enabled),
        ("", false)
    );
}

#[tokio::test]
async fn g01_a_credential_does_not_follow_a_rollback_to_another_host() {
    let operator = Operator::start().await;
    let read = operator.create_provider("main", Some("sk-for-the-first")).await;
    let good = operator.head().await;
    let request = wire::UpdateProviderRequest {
        keep_credential: false,
        new_credential: None,
        proxy_password: None,
        provider: "main".into(),
        expected_version: read.version,
        spec: Some(config::ProviderSpec {
            base_urls: vec!["https://second.example".into()],
            ..read.spec.unwrap()
        }),
        credential: Some("sk-for-the-second".into()),
        change: None,
        update_mask: None,
    };
    operator
        .provider_service()
        .update_provider(request)
        .await
        .unwrap();
    rollback(&operator, good, true).await;
    let main = operator.get_provider("main").await.unwrap();
    assert_eq!(
        (main.credential_hint.as_str(), main.spec.unwrap().enabled),
        ("", false)
    );
}

#[tokio::test]
async fn g01_a_rollback_to_now_or_to_nowhere_changes_nothing() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    let head = operator.head().await;
    assert_eq!(rollback(&operator, head, false).await.revision, 0);
    let to = |to_revision| wire::RollbackRequest {
        to_revision,
        include_access: false,
        dry_run: false,
        change: None,
    };
    refused(
        operator.config_service().rollback(to(0)).await,
        Code::InvalidArgument,
    );
    refused(
        operator.config_service().rollback(to(head + 9)).await,
        Code::NotFound,
    );
    assert_eq!(operator.head().await, head);
}
