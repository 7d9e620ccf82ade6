//! What must hold of snapshots, whatever the order of changes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::access::{Access, Denied};
use crate::error_rule::ErrorRule;
use crate::failure::{self, Answered, Class};
use crate::id::Epoch;
use crate::provider::ProviderKind;
use crate::provider::tests::provider;
use crate::resource::{ImportSuffixSpec, ProviderSpec, Resource, SCHEMA, Spec};
use crate::setting::{ImportSuffix, UnpricedAction};
use crate::time::UnixMs;

const NOW: UnixMs = UnixMs(1_000_000);

fn epoch() -> Epoch {
    Epoch::from_parts(1, &[1; 10])
}

fn user_id(n: u8) -> UserId {
    UserId::from_parts(u64::from(n), &[2; 10])
}

fn key_id(n: u8) -> KeyId {
    KeyId::from_parts(u64::from(n), &[3; 10])
}

fn provider_id(n: u8) -> ProviderId {
    ProviderId::from_parts(u64::from(n), &[4; 10])
}

fn resource(reference: ResourceRef, version: u64, spec: Spec) -> Resource {
    Resource {
        reference,
        version,
        min_schema: SCHEMA,
        spec,
    }
}

fn user(n: u8, version: u64, enabled: bool) -> Resource {
    let user = User {
        limits: crate::limits::Limits::none(),
        name: format!("user{n}"),
        access: Access {
            enabled,
            ..Access::default()
        },
    };
    resource(ResourceRef::User(user_id(n)), version, Spec::User(user))
}

fn secret(n: u8) -> String {
    format!("psk_secret_of_key_number_{n}")
}

fn plain_key(n: u8, owner: u8) -> Key {
    Key {
        limits: crate::limits::Limits::none(),
        name: format!("key{n}"),
        user_id: user_id(owner),
        access: Access::default(),
        hint: String::new(),
        hash: KeyHash::of(&secret(n)),
        import_suffix: None,
        previous: None,
    }
}

fn key(n: u8, version: u64, key: Key) -> Resource {
    resource(ResourceRef::Key(key_id(n)), version, Spec::Key(Box::new(key)))
}

fn a_provider(n: u8, version: u64, priority: u32) -> Resource {
    let provider = Provider {
        priority,
        ..provider(&format!("p{n}"))
    };
    let spec = ProviderSpec {
        provider,
        credential: Some(crate::credential::Credential::ApiKey(Secret::new("sk"))),
        proxy_password: None,
    };
    resource(
        ResourceRef::Provider(provider_id(n)),
        version,
        Spec::Provider(Box::new(spec)),
    )
}

/// Takes errors with status 500 for rate limits.
fn a_rule(n: u8, version: u64, priority: u32) -> Resource {
    let rule = ErrorRule {
        name: format!("r{n}"),
        enabled: true,
        priority,
        kind: None,
        provider: None,
        status: Some(500),
        pattern: None,
        class: Class::RateLimited,
        replace: None,
    };
    let reference = ResourceRef::ErrorRule(rule.name.as_str().into());
    resource(reference, version, Spec::ErrorRule(Box::new(rule)))
}

fn full(to_revision: u64, resources: impl IntoIterator<Item = Resource>) -> Update {
    let upserts = resources.into_iter().map(Upsert::Resource).collect();
    Update {
        epoch: epoch(),
        full: true,
        from_revision: 0,
        to_revision,
        upserts,
        removals: Vec::new(),
    }
}

fn delta(
    from_revision: u64,
    resources: impl IntoIterator<Item = Resource>,
    removals: Vec<ResourceRef>,
) -> Update {
    Update {
        full: false,
        from_revision,
        removals,
        ..full(from_revision + 1, resources)
    }
}

fn applied(resources: impl IntoIterator<Item = Resource>) -> Snapshot {
    let (snapshot, refused) = Snapshot::default().apply(full(1, resources)).unwrap();
    assert_eq!(refused, []);
    snapshot
}

#[test]
fn a03_a_key_is_found_by_its_secret_alone() {
    let snapshot = applied([user(1, 1, true), key(1, 1, plain_key(1, 1))]);
    let caller = snapshot.authenticate(&secret(1), NOW).unwrap();
    assert_eq!((caller.key.id, caller.user.id), (key_id(1), user_id(1)));
    assert_eq!(
        snapshot.authenticate("psk_wrong", NOW).unwrap_err(),
        Denied::UnknownKey
    );
    assert_eq!(snapshot.authenticate("", NOW).unwrap_err(), Denied::UnknownKey);
}

#[test]
fn a03_a_key_imported_with_a_suffixed_hash_works_and_tells_its_plain_hash() {
    let hash = KeyHash::of_suffixed(&secret(1), "pepper");
    let imported = Key {
        hash,
        import_suffix: Some("relay".into()),
        ..plain_key(1, 1)
    };
    let suffix = ImportSuffixSpec(ImportSuffix {
        secret: Secret::new("pepper"),
    });
    let suffix = resource(
        ResourceRef::ImportSuffix("relay".into()),
        1,
        Spec::ImportSuffix(suffix),
    );
    let snapshot = applied([user(1, 1, true), key(1, 1, imported), suffix]);
    let caller = snapshot.authenticate(&secret(1), NOW).unwrap();
    assert_eq!(caller.upgrade, Some(KeyHash::of(&secret(1))));
    let hash_as_key = String::from(hash);
    assert_eq!(
        snapshot.authenticate(&hash_as_key, NOW).unwrap_err(),
        Denied::UnknownKey
    );
}

#[test]
fn a03_a_former_secret_works_until_its_overlap_ends() {
    let previous = crate::key::PreviousSecret {
        hash: KeyHash::of("psk_the_former_secret"),
        valid_until: NOW,
    };
    let snapshot = applied([
        user(1, 1, true),
        key(
            1,
            1,
            Key {
                previous: Some(previous),
                ..plain_key(1, 1)
            },
        ),
    ]);
    assert!(
        snapshot
            .authenticate("psk_the_former_secret", UnixMs(NOW.0 - 1))
            .is_ok()
    );
    assert_eq!(
        snapshot.authenticate("psk_the_former_secret", NOW).unwrap_err(),
        Denied::UnknownKey
    );
    assert!(snapshot.authenticate(&secret(1), NOW).is_ok());
}

#[test]
fn a08_a_rotated_or_deleted_key_is_refused_at_once() {
    let before = applied([user(1, 1, true), key(1, 1, plain_key(1, 1))]);
    let rotated = Key {
        hash: KeyHash::of("psk_the_new_secret_of_it"),
        ..plain_key(1, 1)
    };
    let (after, _) = before.apply(delta(1, [key(1, 2, rotated)], vec![])).unwrap();
    assert_eq!(
        after.authenticate(&secret(1), NOW).unwrap_err(),
        Denied::UnknownKey
    );
    assert!(after.authenticate("psk_the_new_secret_of_it", NOW).is_ok());
    let (deleted, _) = after
        .apply(delta(2, [], vec![ResourceRef::Key(key_id(1))]))
        .unwrap();
    assert_eq!(
        deleted.authenticate("psk_the_new_secret_of_it", NOW).unwrap_err(),
        Denied::UnknownKey
    );
    assert!(
        before.authenticate(&secret(1), NOW).is_ok(),
        "a request keeps the snapshot it began with"
    );
}

#[test]
fn g02_a_refused_provider_keeps_its_last_good_version() {
    let before = applied([a_provider(1, 1, 3)]);
    let newer = Resource {
        min_schema: SCHEMA + 1,
        ..a_provider(1, 2, 9)
    };
    let (after, refused) = before
        .apply(delta(1, [newer.clone(), user(1, 1, true)], vec![]))
        .unwrap();
    assert_eq!(refused[0].version, 2);
    assert_eq!(after.providers()[0].provider.priority, 3);
    assert!(
        after.user(user_id(1)).is_some(),
        "the rest of the update is in force"
    );
    let (full_again, _) = after.apply(full(3, [newer])).unwrap();
    assert_eq!(full_again.providers()[0].provider.priority, 3);
    assert_eq!(full_again.refused().count(), 1);
    let (mended, _) = full_again.apply(delta(3, [a_provider(1, 3, 5)], vec![])).unwrap();
    assert_eq!(
        (mended.refused().count(), mended.providers()[0].provider.priority),
        (0, 5)
    );
}

#[test]
fn g02_a_refused_user_or_key_is_denied() {
    let before = applied([
        user(1, 1, true),
        user(2, 1, true),
        key(1, 1, plain_key(1, 1)),
        key(2, 1, plain_key(2, 2)),
    ]);
    let newer_user = Resource {
        min_schema: SCHEMA + 1,
        ..user(1, 2, true)
    };
    let unreadable = Refusal {
        reference: ResourceRef::Key(key_id(2)),
        version: 2,
        reason: "hash".into(),
    };
    let mut update = delta(1, [newer_user], vec![]);
    update.upserts.push(Upsert::Unreadable(unreadable));
    let (after, refused) = before.apply(update).unwrap();
    assert_eq!(refused.len(), 2);
    assert_eq!(
        after.authenticate(&secret(1), NOW).unwrap_err(),
        Denied::UserDisabled
    );
    assert_eq!(
        after.authenticate(&secret(2), NOW).unwrap_err(),
        Denied::KeyDisabled
    );
}

#[test]
fn an_update_out_of_step_changes_nothing_and_says_so() {
    let snapshot = applied([]);
    assert_eq!(
        snapshot.apply(delta(5, [], vec![])).unwrap_err(),
        UpdateError::Gap { from: 5, held: 1 }
    );
    assert_eq!(
        snapshot.apply(full(0, [])).unwrap_err(),
        UpdateError::Regress { to: 0, held: 1 }
    );
    let other = Update {
        epoch: Epoch::from_parts(2, &[2; 10]),
        ..delta(1, [], vec![])
    };
    assert!(matches!(
        snapshot.apply(other.clone()).unwrap_err(),
        UpdateError::Epoch { .. }
    ));
    let restored = Update {
        full: true,
        to_revision: 0,
        ..other
    };
    assert_eq!(
        snapshot.apply(restored).unwrap().0.revision(),
        0,
        "a restored store may be behind"
    );
}

#[test]
fn settings_fall_back_to_their_defaults() {
    let policy = UnpricedPolicy {
        action: UnpricedAction::Reject,
        default_rates: Vec::new(),
    };
    let setting = resource(
        ResourceRef::Setting("unpriced".into()),
        1,
        Spec::Setting(Setting::Unpriced(policy)),
    );
    let set = applied([setting]);
    assert_eq!(set.unpriced().action, UnpricedAction::Reject);
    let (reset, _) = set
        .apply(delta(1, [], vec![ResourceRef::Setting("unpriced".into())]))
        .unwrap();
    assert_eq!(reset.unpriced(), &UnpricedPolicy::default());
}

#[test]
fn g13_a_rule_is_in_force_with_its_update_and_out_of_it_with_its_removal() {
    let (second, first) = (a_rule(1, 1, 20), a_rule(2, 1, 10));
    let snapshot = applied([second.clone(), first.clone()]);
    assert_eq!(deciding(&snapshot).as_deref(), Some("r2"));
    let (snapshot, _) = snapshot.apply(delta(1, [], vec![first.reference])).unwrap();
    assert_eq!(deciding(&snapshot).as_deref(), Some("r1"));
    let mut broken = a_rule(1, 2, 20);
    if let Spec::ErrorRule(rule) = &mut broken.spec {
        rule.status = Some(99);
    }
    let (snapshot, refused) = snapshot.apply(delta(2, [broken], Vec::new())).unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(
        deciding(&snapshot).as_deref(),
        Some("r1"),
        "the last good version stays"
    );
    let (snapshot, _) = snapshot.apply(delta(3, [], vec![second.reference])).unwrap();
    assert!(snapshot.error_rules().is_empty());
}

/// The rule that decides what a 500 means.
fn deciding(snapshot: &Snapshot) -> Option<String> {
    let seen = Answered::of_status("main", ProviderKind::Anthropic, 500);
    let finding = failure::of_answer(snapshot.error_rules(), &seen, NOW);
    finding.rule.map(|name| name.to_string())
}

#[derive(Clone, Debug)]
enum Step {
    User(u8, bool),
    Key(u8, u8, bool),
    Provider(u8, u32),
    Rule(u8, u32),
    Remove(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..6, any::<bool>()).prop_map(|(n, enabled)| Step::User(n, enabled)),
        (0_u8..6, 0_u8..6, any::<bool>()).prop_map(|(n, owner, rotated)| Step::Key(n, owner, rotated)),
        (0_u8..6, 0_u32..3).prop_map(|(n, priority)| Step::Provider(n, priority)),
        (0_u8..6, 0_u32..3).prop_map(|(n, priority)| Step::Rule(n, priority)),
        (0_u8..4, 0_u8..6).prop_map(|(kind, n)| Step::Remove(kind, n)),
    ]
}

/// The store: what exists now, and what the step changed.
fn commit(
    store: &mut BTreeMap<ResourceRef, Resource>,
    version: u64,
    step: &Step,
) -> (Vec<Resource>, Vec<ResourceRef>) {
    let changed = match *step {
        Step::User(n, enabled) => user(n, version, enabled),
        Step::Key(n, owner, rotated) => {
            let hash = KeyHash::of(&secret(if rotated { n + 100 } else { n }));
            key(
                n,
                version,
                Key {
                    hash,
                    ..plain_key(n, owner)
                },
            )
        }
        Step::Provider(n, priority) => a_provider(n, version, priority),
        Step::Rule(n, priority) => a_rule(n, version, priority),
        Step::Remove(kind, n) => {
            let reference = match kind {
                0 => ResourceRef::User(user_id(n)),
                1 => ResourceRef::Key(key_id(n)),
                2 => ResourceRef::ErrorRule(format!("r{n}").into()),
                _ => ResourceRef::Provider(provider_id(n)),
            };
            return (
                Vec::new(),
                store
                    .remove(&reference)
                    .map(|r| r.reference)
                    .into_iter()
                    .collect(),
            );
        }
    };
    store.insert(changed.reference.clone(), changed.clone());
    (vec![changed], Vec::new())
}

proptest! {
    #[test]
    fn full_n_followed_by_deltas_to_m_equals_full_m(
        before in prop::collection::vec(step(), 0..20),
        after in prop::collection::vec(step(), 0..20),
    ) {
        let mut store = BTreeMap::new();
        for (version, step) in (1..).zip(&before) {
            commit(&mut store, version, step);
        }
        let mut revision = before.len() as u64;
        let (mut snapshot, _) = Snapshot::default().apply(full(revision, store.values().cloned())).unwrap();
        for step in &after {
            let (upserts, removals) = commit(&mut store, revision + 1, step);
            snapshot = snapshot.apply(delta(revision, upserts, removals)).unwrap().0;
            revision += 1;
        }
        let (expected, _) = Snapshot::default().apply(full(revision, store.values().cloned())).unwrap();
        prop_assert_eq!(&snapshot, &expected);
        let (again, _) = Snapshot::default().apply(full(revision, snapshot.resources())).unwrap();
        prop_assert_eq!(&again, &expected);
    }
}
