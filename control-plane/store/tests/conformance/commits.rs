//! One commit: what it writes is what is read, or nothing is written.

use penstock_core::api_key::KeyHash;
use penstock_core::key::PreviousSecret;
use penstock_core::setting::Setting;
use penstock_core::time::UnixMs;
use penstock_store::{CredentialChange, Error, Expect, Lookup, NewSpec, Put, Stored, StoredSpec};

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    every_kind_reads_back_as_it_was_written,
    a_refused_operation_undoes_the_whole_commit,
    a_commit_that_changes_nothing_makes_no_revision,
    g01_a_stale_version_is_refused_with_names,
    g01_creating_what_exists_is_refused,
    a08_deleting_a_user_deletes_its_keys_in_the_same_revision,
    versions_never_fall_also_when_a_deleted_resource_is_put_back,
    a_credential_is_kept_set_and_cleared,
    a_rotated_key_is_found_by_both_secrets,
    a_key_keeps_its_owner,
    a_suffix_in_use_cannot_be_deleted,
    too_large_a_commit_says_to_split_it,
    a_spec_under_another_kinds_reference_is_refused,
    deleting_nothing_is_not_found,
);

async fn every_kind_reads_back_as_it_was_written(bench: Bench) {
    let mut imported = key(1, "imported");
    imported.import_suffix = Some("old-relay".to_owned());
    let puts = [
        put_user(1, "alice"),
        put_suffix("old-relay", "suffix"),
        put_key(1, key(1, "laptop")),
        put_key(2, imported),
        put_provider(1, "main", CredentialChange::Set(sealed("secret"))),
        put_price("claude-opus-4-8", 5_000_000),
        put_setting(Setting::ExplainRefusals(true)),
    ];
    let mut all = commit();
    all.ops = puts.into_iter().map(Into::into).collect();
    let committed = bench.store.commit(all).await.unwrap();
    assert_eq!(committed.head.revision, 1);
    assert!(committed.made_revision);
    for applied in committed.applied {
        let stored = applied.stored.unwrap();
        assert!(applied.changed);
        assert_eq!(stored.version, 1);
        assert_eq!((stored.created_at, stored.updated_at), (NOW, NOW));
        let read = bench.store.get(&applied.reference).await.unwrap();
        assert_eq!(read, Some(stored));
    }
    assert_eq!(bench.store.load().await.unwrap().resources.len(), 7);
}

async fn a_refused_operation_undoes_the_whole_commit(bench: Bench) {
    let bad = commit().with(put_user(1, "alice")).with(delete(key_ref(9)));
    let error = bench.store.commit(bad).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    assert_eq!(bench.store.get(&user_ref(1)).await.unwrap(), None);
    assert_eq!(bench.store.head().await.unwrap().revision, 0);
}

async fn a_commit_that_changes_nothing_makes_no_revision(bench: Bench) {
    let put = || commit().with(put_user(1, "alice"));
    bench.store.commit(put()).await.unwrap();
    let again = bench.store.commit(put()).await.unwrap();
    assert!(!again.made_revision);
    assert!(!again.applied[0].changed);
    assert_eq!(again.head.revision, 1);
    assert_eq!(version(&again.applied[0].stored), 1);
}

async fn g01_a_stale_version_is_refused_with_names(bench: Bench) {
    let put = |name: &str, expect| commit().with(put_user(1, name).expecting(expect));
    bench.store.commit(put("alice", Expect::Absent)).await.unwrap();
    bench
        .store
        .commit(put("alicia", Expect::Version(1)))
        .await
        .unwrap();
    let stale = bench.store.commit(put("ally", Expect::Version(1))).await;
    let error = stale.unwrap_err();
    let Error::Conflict {
        label,
        expected,
        actual,
        changed_by,
        changed_at,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(label, "user \"alicia\"");
    assert_eq!((*expected, *actual), (Some(1), Some(2)));
    assert_eq!((changed_by.as_deref(), *changed_at), (Some("ann"), Some(NOW)));
    assert!(!error.is_retryable());
    let gone = commit().with(delete(user_ref(1)));
    bench.store.commit(gone).await.unwrap();
    let error = bench
        .store
        .commit(put("ally", Expect::Version(2)))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("user \"alicia\" is gone (changed by ann at"),
        "{error}"
    );
}

async fn g01_creating_what_exists_is_refused(bench: Bench) {
    let create = || commit().with(put_price("m", 1).expecting(Expect::Absent));
    bench.store.commit(create()).await.unwrap();
    let error = bench.store.commit(create()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("price \"m\" exists already, at version 1"),
        "{error}"
    );
}

async fn a08_deleting_a_user_deletes_its_keys_in_the_same_revision(bench: Bench) {
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_user(2, "bob"))
        .with(put_key(1, key(1, "laptop")))
        .with(put_key(2, key(1, "phone")))
        .with(put_key(3, key(2, "desk")));
    bench.store.commit(setup).await.unwrap();
    let gone = bench
        .store
        .commit(commit().with(delete(user_ref(1))))
        .await
        .unwrap();
    assert_eq!(gone.head.revision, 2);
    let left = bench.store.load().await.unwrap().resources;
    let mut left: Vec<_> = left.into_iter().map(|stored| stored.reference).collect();
    left.sort();
    assert_eq!(left, [user_ref(2), key_ref(3)]);
    let revision = bench.store.revision(2).await.unwrap().unwrap();
    let labels: Vec<_> = revision.changes.iter().map(|c| c.label.as_str()).collect();
    assert_eq!(
        labels,
        ["key \"alice/laptop\"", "key \"alice/phone\"", "user \"alice\""]
    );
}

async fn versions_never_fall_also_when_a_deleted_resource_is_put_back(bench: Bench) {
    let put = |name: &str| commit().with(put_user(1, name));
    let first = bench.store.commit(put("a")).await.unwrap();
    let second = bench.store.commit(put("b")).await.unwrap();
    bench
        .store
        .commit(commit().with(delete(user_ref(1))))
        .await
        .unwrap();
    let back = bench.store.commit(put("a")).await.unwrap();
    let versions = [first, second, back].map(|c| version(&c.applied[0].stored));
    assert_eq!(versions, [1, 2, 4]);
    let deleted = bench.store.revision(3).await.unwrap().unwrap();
    assert_eq!(deleted.changes[0].version, 3);
    let twice = commit().with(delete(user_ref(1))).with(put_user(1, "c"));
    let twice = bench.store.commit(twice).await.unwrap();
    assert_eq!(version(&twice.applied[1].stored), 6);
}

async fn a_credential_is_kept_set_and_cleared(bench: Bench) {
    let credential = |change, name: &'static str| {
        let store = bench.store.clone();
        async move {
            let put = put_provider(1, name, change);
            let committed = store.commit(commit().with(put)).await.unwrap();
            let stored = committed.applied[0].stored.clone().unwrap();
            let read = store.get(&provider_ref(1)).await.unwrap();
            assert_eq!(read.as_ref(), Some(&stored));
            let StoredSpec::Provider(spec) = stored.spec else {
                panic!("a provider");
            };
            spec.credential.map(|c| (c.version, c.sealed.ciphertext))
        }
    };
    let first = Some((2, b"first".to_vec()));
    assert_eq!(credential(CredentialChange::Keep, "a").await, None);
    assert_eq!(
        credential(CredentialChange::Set(sealed("first")), "a").await,
        first
    );
    assert_eq!(credential(CredentialChange::Keep, "b").await, first);
    assert_eq!(credential(CredentialChange::Clear, "b").await, None);
    let second = Some((5, b"second".to_vec()));
    assert_eq!(
        credential(CredentialChange::Set(sealed("second")), "b").await,
        second
    );
}

async fn a_rotated_key_is_found_by_both_secrets(bench: Bench) {
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_key(1, key(1, "laptop")));
    bench.store.commit(setup).await.unwrap();
    let mut rotated = key(1, "laptop");
    rotated.hash = KeyHash::of("new");
    rotated.previous = Some(PreviousSecret {
        hash: KeyHash::of("laptop"),
        valid_until: UnixMs(NOW.0 + 1),
    });
    bench
        .store
        .commit(commit().with(put_key(1, rotated.clone())))
        .await
        .unwrap();
    for secret in ["new", "laptop"] {
        let found = bench
            .store
            .find(Lookup::KeyHash(KeyHash::of(secret)))
            .await
            .unwrap();
        assert_eq!(
            found[0].spec,
            StoredSpec::Key(Box::new(rotated.clone())),
            "{secret}"
        );
    }
    // The overlap is over: the old secret is nobody's.
    rotated.previous = None;
    bench
        .store
        .commit(commit().with(put_key(1, rotated)))
        .await
        .unwrap();
    let found = bench
        .store
        .find(Lookup::KeyHash(KeyHash::of("laptop")))
        .await
        .unwrap();
    assert_eq!(found, []);
}

async fn a_key_keeps_its_owner(bench: Bench) {
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_user(2, "bob"))
        .with(put_key(1, key(1, "laptop")));
    bench.store.commit(setup).await.unwrap();
    let stolen = commit().with(put_key(1, key(2, "laptop")));
    let error = bench.store.commit(stolen).await.unwrap_err();
    assert!(
        error.to_string().starts_with("user_id: cannot be changed"),
        "{error}"
    );
}

async fn a_suffix_in_use_cannot_be_deleted(bench: Bench) {
    let mut imported = key(1, "imported");
    imported.import_suffix = Some("old".to_owned());
    let early = commit()
        .with(put_user(1, "alice"))
        .with(put_key(1, imported.clone()));
    let error = bench.store.commit(early).await.unwrap_err();
    assert_eq!(error.to_string(), "import suffix \"old\" does not exist");
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_suffix("old", "x"))
        .with(put_key(1, imported));
    bench.store.commit(setup).await.unwrap();
    let gone = || commit().with(delete(suffix_ref("old")));
    let error = bench.store.commit(gone()).await.unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    // The key was used: its hash is plain now.
    let upgraded = commit().with(put_key(1, key(1, "imported")));
    bench.store.commit(upgraded).await.unwrap();
    bench.store.commit(gone()).await.unwrap();
}

async fn too_large_a_commit_says_to_split_it(bench: Bench) {
    let mut large = commit();
    large.ops = (0..=penstock_store::MAX_OPS)
        .map(|_| delete(user_ref(1)))
        .collect();
    let error = bench.store.commit(large).await.unwrap_err();
    assert!(error.to_string().contains("split it"), "{error}");
}

async fn a_spec_under_another_kinds_reference_is_refused(bench: Bench) {
    let mixed = Put::new(key_ref(1), NewSpec::User(user("alice")));
    let error = bench.store.commit(commit().with(mixed)).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

async fn deleting_nothing_is_not_found(bench: Bench) {
    let gone = || commit().with(delete(user_ref(1)));
    let error = bench.store.commit(gone()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} does not exist", user_ref(1)));
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    bench.store.commit(gone()).await.unwrap();
    let error = bench.store.commit(gone()).await.unwrap_err();
    assert_eq!(error.to_string(), "user \"alice\" does not exist");
}

fn version(stored: &Option<Stored>) -> u64 {
    stored.as_ref().map_or(0, |stored| stored.version)
}
