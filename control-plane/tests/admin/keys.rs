//! Keys: made, taken over, found, rotated.

use penstock_core::api_key::KeyHash;
use penstock_proto::admin::v1::create_key_request::Import;

use super::*;

const FOREIGN: &str = "cr_0123456789abcdef0123";

async fn find(operator: &Operator, secret: &str) -> Result<wire::FindKeyResponse, Status> {
    let request = wire::FindKeyRequest {
        secret: secret.into(),
    };
    Ok(operator.key_service().find_key(request).await?.into_inner())
}

async fn import(operator: &Operator, name: &str, import: Import) -> Result<wire::CreateKeyResponse, Status> {
    let request = wire::CreateKeyRequest {
        import: Some(import),
        ..new_key("alice", name)
    };
    Ok(operator.key_service().create_key(request).await?.into_inner())
}

#[tokio::test]
async fn a03_a_key_is_shown_once_and_then_only_by_its_ends() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    let made = operator.create_key("alice", "laptop").await;
    assert!(made.secret.starts_with("psk_") && made.secret.len() == 47);
    let hint = made.key.unwrap().spec.unwrap().hint;
    assert!(hint.starts_with("psk_") && hint.len() == 16, "{hint}");
    let request = wire::ListKeysRequest::default();
    let listed = operator
        .key_service()
        .list_keys(request)
        .await
        .unwrap()
        .into_inner();
    assert!(!format!("{listed:?}").contains(&made.secret));
    assert_eq!(listed.keys[0].user_name, "alice");
}

#[tokio::test]
async fn a03_a_secret_is_found_with_its_state() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    let secret = operator.create_key("alice", "laptop").await.secret;
    assert_eq!(find(&operator, &secret).await.unwrap().state, "valid");
    operator
        .change_key("laptop", |access| access.enabled = false)
        .await;
    let found = find(&operator, &secret).await.unwrap();
    assert_eq!((found.state.as_str(), found.previous), ("Key is disabled", false));
    let status = find(&operator, "psk_nobody-has-this").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a03_keys_of_other_relays_are_taken_over_in_three_forms() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    let plain = import(&operator, "plain", Import::Secret(FOREIGN.into()))
        .await
        .unwrap();
    assert!(plain.secret.is_empty());
    let hash = KeyHash::of("sk-0123456789abcdefghij").0.to_vec();
    import(&operator, "hashed", Import::Sha256(hash)).await.unwrap();
    let suffixed = wire::SuffixedHash {
        sha256: KeyHash::of_suffixed("cch_0123456789abcdefghij", "pepper")
            .0
            .to_vec(),
        import_suffix: "relay".into(),
    };
    let early = import(&operator, "suffixed", Import::Suffixed(suffixed.clone())).await;
    assert_eq!(early.err().unwrap().code(), Code::NotFound);
    let request = wire::CreateImportSuffixRequest {
        name: "relay".into(),
        secret: "pepper".into(),
        change: None,
    };
    operator
        .key_service()
        .create_import_suffix(request)
        .await
        .unwrap();
    let made = import(&operator, "suffixed", Import::Suffixed(suffixed))
        .await
        .unwrap();
    assert_eq!(made.key.unwrap().import_suffix, "relay");
    for (secret, name) in [
        (FOREIGN, "plain"),
        ("sk-0123456789abcdefghij", "hashed"),
        ("cch_0123456789abcdefghij", "suffixed"),
    ] {
        let found = find(&operator, secret).await.unwrap();
        assert_eq!(found.key.unwrap().spec.unwrap().name, name);
        assert_eq!(found.state, "valid");
    }
}

#[tokio::test]
async fn a03_one_secret_belongs_to_one_key() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    import(&operator, "one", Import::Secret(FOREIGN.into()))
        .await
        .unwrap();
    let status = import(&operator, "two", Import::Secret(FOREIGN.into()))
        .await
        .err()
        .unwrap();
    assert_eq!(status.code(), Code::AlreadyExists);
    assert!(!status.message().contains(FOREIGN));
}

#[tokio::test]
async fn a03_a_rotation_gives_a_new_secret_and_keeps_the_old_one_for_the_overlap() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    let old = operator.create_key("alice", "laptop").await.secret;
    let rotate = |overlap_ms| wire::RotateKeyRequest {
        key: "laptop".into(),
        overlap_ms,
        change: None,
    };
    let rotated = operator
        .key_service()
        .rotate_key(rotate(3_600_000))
        .await
        .unwrap()
        .into_inner();
    assert!(rotated.key.unwrap().previous_valid_until_ms.is_some());
    let found = find(&operator, &old).await.unwrap();
    assert_eq!((found.state.as_str(), found.previous), ("valid", true));
    let again = operator
        .key_service()
        .rotate_key(rotate(0))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.key.unwrap().previous_valid_until_ms, None);
    assert_eq!(find(&operator, &again.secret).await.unwrap().state, "valid");
    assert!(find(&operator, &old).await.is_err() && find(&operator, &rotated.secret).await.is_err());
}

#[tokio::test]
async fn a_bare_key_name_works_while_it_is_unique_and_then_lists_the_candidates() {
    let operator = Operator::start().await;
    for name in ["alice", "bob"] {
        operator.create_user(name).await;
        operator.create_key(name, "laptop").await;
    }
    let status = operator.get_key("laptop").await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(
        status.message().contains("alice/laptop, bob/laptop"),
        "{}",
        status.message()
    );
    let key = operator.get_key("bob/laptop").await.unwrap();
    assert_eq!(key.user_name, "bob");
    assert_eq!(operator.get_key(&key.id).await.unwrap(), key);
    let status = operator.get_key("carol/laptop").await.unwrap_err();
    assert_eq!(status.message(), "user \"carol\" does not exist");
}

#[tokio::test]
async fn a_key_stays_with_its_user_and_keeps_its_secret() {
    let operator = Operator::start().await;
    operator.create_user("alice").await;
    operator.create_user("bob").await;
    let made = operator.create_key("alice", "laptop").await;
    let key = made.key.unwrap();
    let update = |owner: &str, version| wire::UpdateKeyRequest {
        key: "laptop".into(),
        expected_version: version,
        spec: Some(config::KeySpec {
            limits: None,
            name: "desk".into(),
            user_id: owner.into(),
            access: Some(access()),
            hint: "ignored".into(),
        }),
        change: None,
        update_mask: None,
    };
    let moved = operator
        .key_service()
        .update_key(update("bob", key.version))
        .await;
    assert!(refused(moved, Code::InvalidArgument).starts_with("spec.user_id: "));
    operator
        .key_service()
        .update_key(update("", key.version))
        .await
        .unwrap();
    let found = find(&operator, &made.secret).await.unwrap().key.unwrap();
    let spec = found.spec.unwrap();
    assert_eq!((spec.name.as_str(), spec.hint), ("desk", key.spec.unwrap().hint));
}

#[tokio::test]
async fn a_key_of_nobody_is_refused() {
    let operator = Operator::start().await;
    let answer = operator
        .key_service()
        .create_key(new_key("nobody", "laptop"))
        .await;
    assert_eq!(refused(answer, Code::NotFound), "user \"nobody\" does not exist");
}
