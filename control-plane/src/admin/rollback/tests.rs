//! What comes back and what does not, without a store.

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::key::Key;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::resource::ResourceRef;
use penstock_core::user::User;
use penstock_store::{Action, CredentialChange, LoggedKey, LoggedProvider};

use super::*;

const STRICT: Rules = Rules {
    include_access: false,
    now: UnixMs(1_000),
};
const ASKED: Rules = Rules {
    include_access: true,
    ..STRICT
};

fn provider(url: &str, credential_version: Option<u64>) -> LoggedProvider {
    LoggedProvider {
        provider: Provider::new("main", ProviderKind::Anthropic, url),
        credential_version,
        proxy_password_version: None,
    }
}

fn change(
    reference: ResourceRef,
    now: Option<&impl serde::Serialize>,
    then: Option<&impl serde::Serialize>,
) -> Change {
    let label = match reference.kind() {
        Kind::Provider => "provider \"main\"",
        Kind::User => "user \"alice\"",
        Kind::Key => "key \"alice/laptop\"",
        Kind::Price
        | Kind::Setting
        | Kind::ImportSuffix
        | Kind::ErrorRule
        | Kind::WordRule
        | Kind::RequestFilter => "another",
    };
    Change {
        reference,
        label: label.into(),
        action: Action::Updated,
        version: 7,
        before: now.map(|now| serde_json::to_value(now).unwrap()),
        after: then.map(|then| serde_json::to_value(then).unwrap()),
    }
}

fn provider_plan(now: Option<&LoggedProvider>, then: &LoggedProvider) -> Plan {
    let reference = ResourceRef::Provider(ProviderId::from_parts(1, &[1; 10]));
    make(&[change(reference, now, Some(then))], &Present::default(), STRICT)
}

fn restored_provider(plan: &Plan) -> (&Provider, &CredentialChange) {
    let Op::Put(put) = &plan.ops[0] else {
        panic!("a put")
    };
    let NewSpec::Provider {
        provider, credential, ..
    } = &put.spec
    else {
        panic!("a provider")
    };
    (provider, credential)
}

fn user(access: Access) -> User {
    User {
        limits: Limits::none(),
        name: "alice".into(),
        access,
    }
}

fn access(enabled: bool, expires_at: Option<i64>) -> Access {
    Access {
        enabled,
        expires_at: expires_at.map(UnixMs),
        ..Access::default()
    }
}

fn user_plan(now: Option<User>, then: Option<User>, rules: Rules) -> Plan {
    let reference = ResourceRef::User(user_id());
    make(
        &[change(reference, now.as_ref(), then.as_ref())],
        &Present::default(),
        rules,
    )
}

fn restored_access(plan: &Plan) -> Access {
    let Op::Put(put) = &plan.ops[0] else {
        panic!("a put")
    };
    match &put.spec {
        NewSpec::User(user) => user.access.clone(),
        NewSpec::Key(key) => key.access.clone(),
        NewSpec::Provider { .. }
        | NewSpec::Price(_)
        | NewSpec::Setting(_)
        | NewSpec::ImportSuffix(_)
        | NewSpec::ErrorRule(_)
        | NewSpec::WordRule(_)
        | NewSpec::RequestFilter(_) => panic!("a user or a key"),
    }
}

fn user_id() -> UserId {
    UserId::from_parts(1, &[1; 10])
}

fn key_id() -> KeyId {
    KeyId::from_parts(2, &[2; 10])
}

fn key(secret: &str, access: Access) -> Key {
    Key {
        limits: Limits::none(),
        name: "laptop".into(),
        user_id: user_id(),
        access,
        hint: String::new(),
        hash: KeyHash::of(secret),
        import_suffix: None,
        previous: None,
    }
}

fn restored_key(plan: &Plan) -> &Key {
    let Op::Put(put) = &plan.ops[0] else {
        panic!("a put")
    };
    let NewSpec::Key(key) = &put.spec else {
        panic!("a key")
    };
    key
}

#[test]
fn g01_a_provider_gets_its_fields_back_and_keeps_its_credential() {
    let then = provider("https://a.example", Some(1));
    let mut now = then.clone();
    now.provider.priority = 9;
    let plan = provider_plan(Some(&now), &then);
    let (restored, credential) = restored_provider(&plan);
    assert_eq!((restored.priority, restored.enabled), (0, true));
    assert!(matches!(credential, CredentialChange::Keep));
    assert!(plan.skipped.is_empty(), "{:?}", plan.skipped);
}

#[test]
fn g01_a_newer_credential_stays_with_its_host() {
    let then = provider("https://a.example/x", Some(1));
    let now = provider("https://a.example/y", Some(5));
    let plan = provider_plan(Some(&now), &then);
    assert!(matches!(restored_provider(&plan).1, CredentialChange::Keep));
    assert_eq!(plan.skipped, ["provider \"main\" keeps its present credential"]);
}

#[test]
fn g01_a_credential_is_never_sent_to_a_host_it_was_not_given_for() {
    let then = provider("https://a.example", Some(1));
    let now = provider("https://b.example", Some(5));
    let plan = provider_plan(Some(&now), &then);
    let (restored, credential) = restored_provider(&plan);
    assert!(matches!(credential, CredentialChange::Clear));
    assert!(!restored.enabled);
    assert!(
        plan.skipped[0].contains("comes back disabled"),
        "{:?}",
        plan.skipped
    );
}

/// Behind this proxy, whose password was set at this version.
fn behind(proxy: &str, proxy_password_version: Option<u64>) -> LoggedProvider {
    let mut logged = provider("https://a.example", Some(1));
    logged.provider.outbound.proxy = proxy.parse().ok();
    logged.proxy_password_version = proxy_password_version;
    logged
}

fn restored_password(plan: &Plan) -> (bool, &CredentialChange) {
    let Op::Put(put) = &plan.ops[0] else {
        panic!("a put")
    };
    let NewSpec::Provider {
        provider,
        proxy_password,
        ..
    } = &put.spec
    else {
        panic!("a provider")
    };
    (provider.enabled, proxy_password)
}

#[test]
fn g01_a_proxys_password_stays_with_its_proxy() {
    let now = behind("http://u@a:1", Some(5));
    let mut then = behind("http://u@a:1", Some(2));
    then.provider.weight = 7;
    let plan = provider_plan(Some(&now), &then);
    assert!(matches!(restored_password(&plan), (true, CredentialChange::Keep)));
}

#[test]
fn g01_a_proxys_password_is_never_shown_to_another_proxy() {
    let now = behind("http://u@a:1", Some(5));
    let plan = provider_plan(Some(&now), &behind("http://u@b:1", Some(2)));
    assert!(matches!(
        restored_password(&plan),
        (false, CredentialChange::Clear)
    ));
    assert!(
        plan.skipped[0].contains("--proxy-password -"),
        "{:?}",
        plan.skipped
    );
    let direct = provider_plan(Some(&now), &behind("", None));
    assert!(matches!(
        restored_password(&direct),
        (true, CredentialChange::Clear)
    ));
}

#[test]
fn g01_a_deleted_provider_comes_back_disabled_without_its_credential() {
    let plan = provider_plan(None, &provider("https://a.example", Some(1)));
    assert!(!restored_provider(&plan).0.enabled);
    let after = plan.changes[0].after.as_ref().unwrap();
    assert_eq!(
        (after["enabled"].as_bool(), after["credential_version"].is_null()),
        (Some(false), true)
    );
    let Op::Put(put) = &plan.ops[0] else {
        panic!("a put")
    };
    assert_eq!(put.expect, Expect::Absent);
}

#[test]
fn g01_what_was_created_since_is_deleted_at_the_version_that_was_seen() {
    let plan = user_plan(Some(user(Access::default())), None, STRICT);
    let Op::Delete { expect, .. } = &plan.ops[0] else {
        panic!("a deletion")
    };
    assert_eq!(*expect, Expect::Version(7));
}

#[test]
fn g01_a_disabled_user_stays_disabled_unless_asked() {
    let (now, then) = (user(access(false, None)), user(access(true, None)));
    let strict = user_plan(Some(now.clone()), Some(then.clone()), STRICT);
    assert!(strict.ops.is_empty() && strict.changes.is_empty());
    assert!(
        strict.skipped[0].contains("stays disabled"),
        "{:?}",
        strict.skipped
    );
    assert!(restored_access(&user_plan(Some(now), Some(then), ASKED)).enabled);
}

#[test]
fn g01_taking_access_away_needs_no_asking() {
    let (now, then) = (user(access(true, None)), user(access(false, Some(5))));
    let plan = user_plan(Some(now), Some(then), STRICT);
    assert_eq!(restored_access(&plan), access(false, Some(5)));
    assert!(plan.skipped.is_empty());
}

#[test]
fn g01_of_two_expiries_the_earlier_one_holds_unless_asked() {
    let mut then = user(access(true, None));
    then.access.tags = vec!["t".into()];
    let now = user(access(true, Some(900)));
    let plan = user_plan(Some(now.clone()), Some(then.clone()), STRICT);
    assert_eq!(restored_access(&plan).expires_at, Some(UnixMs(900)));
    assert!(plan.skipped[0].contains("stays expired"), "{:?}", plan.skipped);
    assert_eq!(
        restored_access(&user_plan(Some(now), Some(then), ASKED)).expires_at,
        None
    );
}

#[test]
fn g01_a_deleted_user_stays_deleted_unless_asked() {
    let then = user(Access::default());
    let strict = user_plan(None, Some(then.clone()), STRICT);
    assert!(strict.ops.is_empty());
    assert!(strict.skipped[0].contains("stays deleted"));
    assert_eq!(user_plan(None, Some(then), ASKED).ops.len(), 1);
}

#[test]
fn g01_a_rotated_secret_stays_away() {
    let then = LoggedKey::from(&key("old", access(true, None)));
    let now = key("new", access(true, Some(5_000)));
    let mut present = Present::default();
    present.keys.insert(key_id(), now.clone());
    let change = change(
        ResourceRef::Key(key_id()),
        Some(&LoggedKey::from(&now)),
        Some(&then),
    );
    let plan = make(&[change], &present, ASKED);
    let restored = restored_key(&plan);
    assert_eq!(
        (restored.hash, restored.access.expires_at),
        (KeyHash::of("new"), None)
    );
}

#[test]
fn g01_a_deleted_key_comes_back_only_with_its_user_and_when_asked() {
    let then = LoggedKey::from(&key("s", access(true, None)));
    let change = change(ResourceRef::Key(key_id()), None::<&LoggedKey>, Some(&then));
    let changes = [change];
    let mut present = Present::default();
    present.deleted.insert(key_id(), KeyHash::of("s"));
    let orphan = make(&changes, &present, ASKED);
    assert!(orphan.ops.is_empty() && orphan.skipped[0].contains("its user is gone"));
    present.users.insert(user_id());
    assert!(make(&changes, &present, STRICT).ops.is_empty());
    assert_eq!(
        restored_key(&make(&changes, &present, ASKED)).hash,
        KeyHash::of("s")
    );
}

#[test]
fn g01_names_are_freed_before_they_are_taken_and_owners_come_before_keys() {
    let gone = user(Access::default());
    let then = LoggedKey::from(&key("s", access(true, None)));
    let changes = [
        change(ResourceRef::Key(key_id()), None::<&LoggedKey>, Some(&then)),
        change(ResourceRef::User(user_id()), None::<&User>, Some(&gone)),
        change(
            ResourceRef::User(UserId::from_parts(9, &[9; 10])),
            Some(&gone),
            None::<&User>,
        ),
    ];
    let mut present = Present::default();
    present.users.insert(user_id());
    present.deleted.insert(key_id(), KeyHash::of("s"));
    let plan = make(&changes, &present, ASKED);
    let kinds: Vec<_> = plan
        .ops
        .iter()
        .map(|op| (matches!(op, Op::Delete { .. }), op.reference().kind()))
        .collect();
    assert_eq!(
        kinds,
        [(true, Kind::User), (false, Kind::User), (false, Kind::Key)]
    );
}

#[test]
fn g01_limits_come_back_and_their_resets_stay() {
    let limited = |rpm, reset: Option<i64>| {
        let limits = Limits {
            rpm,
            resets: reset.map(|at| (Dimension::Rpm, UnixMs(at))).into_iter().collect(),
            ..Limits::default()
        };
        User {
            limits: limits.shared(),
            ..user(Access::default())
        }
    };
    let plan = user_plan(Some(limited(5, Some(900))), Some(limited(10, None)), STRICT);
    let Op::Put(put) = &plan.ops[0] else {
        panic!("a put")
    };
    let NewSpec::User(restored) = &put.spec else {
        panic!("a user")
    };
    assert_eq!((restored.limits.rpm, put.min_schema), (10, 2));
    assert_eq!(restored.limits.reset_at(Dimension::Rpm), Some(UnixMs(900)));
    assert!(plan.skipped[0].contains("keeps the resets"), "{:?}", plan.skipped);
    let nothing = user_plan(Some(limited(5, Some(900))), Some(limited(5, None)), STRICT);
    assert!(nothing.ops.is_empty() && nothing.changes.is_empty());
}

#[test]
fn a_state_that_is_no_longer_valid_is_left_out_and_said() {
    let then = provider("ftp://a.example", Some(1));
    let plan = provider_plan(Some(&provider("https://a.example", Some(1))), &then);
    assert!(plan.ops.is_empty());
    assert!(
        plan.skipped[0].contains("can no longer be used"),
        "{:?}",
        plan.skipped
    );
}
