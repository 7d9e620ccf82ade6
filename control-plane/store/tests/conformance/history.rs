//! The history: who, when, why, before and after; and never a secret.

use penstock_core::api_key::KeyHash;
use penstock_core::key::PreviousSecret;
use penstock_core::resource::Kind;
use penstock_core::time::UnixMs;
use penstock_store::{Action, Commit, CredentialChange, LoggedSpec, RevisionFilter, Sealed};

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    g01_every_change_has_author_time_reason_and_both_states,
    g01_revisions_are_found_by_actor_and_by_resource_whatever_it_was_called,
    f01_the_history_holds_no_secrets,
    revisions_are_listed_newest_first_in_parts,
    differences_are_net_in_both_directions,
    differences_beyond_the_head_are_not_found,
    a_deleted_keys_hash_can_be_brought_back,
    master_key_checks_are_kept_once_a_key,
    texts_with_nul_do_not_fail,
);

fn below(before: Option<u64>) -> RevisionFilter {
    RevisionFilter {
        before,
        ..RevisionFilter::default()
    }
}

async fn g01_revisions_are_found_by_actor_and_by_resource_whatever_it_was_called(bench: Bench) {
    let store = &bench.store;
    store
        .commit(commit().with(put_user(1, "alice")).with(put_user(2, "bob")))
        .await
        .unwrap();
    store
        .commit(Commit::new("bob", "", NOW).with(put_user(1, "alicia")))
        .await
        .unwrap();
    store.commit(commit().with(put_user(2, "robert"))).await.unwrap();
    let found = async |actor: Option<&str>, resource: Option<&str>| {
        let filter = RevisionFilter {
            before: None,
            actor: actor.map(str::to_owned),
            resource: resource.map(|name| (Kind::User, name.to_owned())),
        };
        let revisions = store.revisions(&filter, 10, 10).await.unwrap();
        revisions
            .iter()
            .map(|revision| revision.revision)
            .collect::<Vec<_>>()
    };
    assert_eq!(found(Some("bob"), None).await, [2]);
    for name in ["alice", "alicia", &user_ref(1).id()] {
        assert_eq!(found(None, Some(name)).await, [2, 1], "{name}");
    }
    assert_eq!(found(Some("bob"), Some("bob")).await, [0; 0]);
    assert_eq!(found(None, Some("nobody")).await, [0; 0]);
}

async fn g01_every_change_has_author_time_reason_and_both_states(bench: Bench) {
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    let rename = Commit::new("bob", "new name", UnixMs(NOW.0 + 5)).with(put_user(1, "alicia"));
    bench.store.commit(rename).await.unwrap();
    bench
        .store
        .commit(commit().with(delete(user_ref(1))))
        .await
        .unwrap();
    let revisions = bench
        .store
        .revisions(&RevisionFilter::default(), 10, 20)
        .await
        .unwrap();
    let actions: Vec<Action> = revisions.iter().map(|r| r.changes[0].action).collect();
    assert_eq!(actions, [Action::Deleted, Action::Updated, Action::Created]);
    let renamed = &revisions[1];
    assert_eq!((renamed.revision, renamed.at), (2, UnixMs(NOW.0 + 5)));
    assert_eq!(
        (renamed.actor.as_str(), renamed.reason.as_str()),
        ("bob", "new name")
    );
    let change = &renamed.changes[0];
    assert_eq!((change.label.as_str(), change.version), ("user \"alicia\"", 2));
    let read = |json: &Option<serde_json::Value>| LoggedSpec::read(Kind::User, json.as_ref().unwrap());
    assert_eq!(read(&change.before), Ok(LoggedSpec::User(user("alice"))));
    assert_eq!(read(&change.after), Ok(LoggedSpec::User(user("alicia"))));
    assert_eq!(revisions[0].changes[0].after, None);
}

async fn f01_the_history_holds_no_secrets(bench: Bench) {
    let marked = |text: &str| Sealed {
        key_id: "k1".to_owned(),
        ciphertext: format!("MARKED-{text}").into_bytes(),
        hint: "HINTED".to_owned(),
    };
    let mut rotated = key(1, "laptop");
    rotated.previous = Some(PreviousSecret {
        hash: KeyHash::of("former"),
        valid_until: UnixMs(99),
    });
    let mut suffix = put_suffix("old", "x");
    suffix.spec = penstock_store::NewSpec::ImportSuffix(marked("suffix"));
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_key(1, rotated))
        .with(put_provider(
            1,
            "main",
            CredentialChange::Set(marked("credential")),
        ))
        .with(suffix);
    bench.store.commit(setup).await.unwrap();
    let gone = commit()
        .with(delete(user_ref(1)))
        .with(delete(provider_ref(1)))
        .with(delete(suffix_ref("old")));
    bench.store.commit(gone).await.unwrap();
    let revisions = bench
        .store
        .revisions(&RevisionFilter::default(), 10, 100)
        .await
        .unwrap();
    let provider = &revisions[1].changes[2];
    assert_eq!(provider.after.as_ref().unwrap()["credential_version"], 1);
    let text = format!("{revisions:?}");
    let hashes = ["laptop", "former"].map(|secret| String::from(KeyHash::of(secret)));
    for secret in ["MARKED", "HINTED", hashes[0].as_str(), hashes[1].as_str()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

async fn revisions_are_listed_newest_first_in_parts(bench: Bench) {
    let mut many = commit();
    many.ops = (1..=30)
        .map(|n| put_user(n, &format!("user-{n}")).into())
        .collect();
    bench.store.commit(many).await.unwrap();
    for n in 1..=4 {
        bench
            .store
            .commit(commit().with(put_price("m", n)))
            .await
            .unwrap();
    }
    let numbers = |before, limit| {
        let store = bench.store.clone();
        async move {
            let revisions = store.revisions(&below(before), limit, 20).await.unwrap();
            revisions.into_iter().map(|r| r.revision).collect::<Vec<_>>()
        }
    };
    assert_eq!(numbers(None, 3).await, [5, 4, 3]);
    assert_eq!(numbers(Some(3), 10).await, [2, 1]);
    assert_eq!(numbers(Some(1), 10).await, [0_u64; 0]);
    let cut = &bench.store.revisions(&below(Some(2)), 1, 20).await.unwrap()[0];
    assert_eq!((cut.change_count, cut.changes.len()), (30, 20));
    assert_eq!(cut.changes[0].label, "user \"user-1\"");
    let whole = bench.store.revision(1).await.unwrap().unwrap();
    assert_eq!(whole.changes.len(), 30);
    assert_eq!(bench.store.revision(6).await.unwrap(), None);
}

async fn differences_are_net_in_both_directions(bench: Bench) {
    bench
        .store
        .commit(commit().with(put_user(1, "a")).with(put_user(2, "stays")))
        .await
        .unwrap();
    bench.store.commit(commit().with(put_user(1, "b"))).await.unwrap();
    bench
        .store
        .commit(commit().with(put_user(1, "c")).with(put_user(3, "brief")))
        .await
        .unwrap();
    bench
        .store
        .commit(commit().with(delete(user_ref(3))).with(put_user(4, "new")))
        .await
        .unwrap();
    bench
        .store
        .commit(commit().with(put_user(2, "goes")))
        .await
        .unwrap();
    bench
        .store
        .commit(commit().with(put_user(2, "stays")))
        .await
        .unwrap();
    let name =
        |json: &Option<serde_json::Value>| json.as_ref().map(|j| j["name"].as_str().unwrap().to_owned());
    let seen = |changes: &[penstock_store::Change]| -> Vec<_> {
        changes
            .iter()
            .map(|c| (c.reference.clone(), name(&c.before), name(&c.after), c.version))
            .collect()
    };
    let some = |text: &str| Some(text.to_owned());
    let forth = bench.store.differences(1, 6).await.unwrap();
    let expected = [
        (user_ref(1), some("a"), some("c"), 3),
        (user_ref(4), None, some("new"), 1),
    ];
    assert_eq!(seen(&forth.changes), expected);
    let back = bench.store.differences(6, 1).await.unwrap();
    let expected = [
        (user_ref(1), some("c"), some("a"), 3),
        (user_ref(4), some("new"), None, 1),
    ];
    assert_eq!(seen(&back.changes), expected);
    assert_eq!(back.changes[1].action, Action::Deleted);
    assert_eq!(bench.store.differences(3, 3).await.unwrap().changes, []);
}

async fn differences_beyond_the_head_are_not_found(bench: Bench) {
    bench.store.commit(commit().with(put_user(1, "a"))).await.unwrap();
    let error = bench.store.differences(0, 2).await.unwrap_err();
    assert_eq!(error.to_string(), "revision 2 (the newest is 1) does not exist");
}

async fn a_deleted_keys_hash_can_be_brought_back(bench: Bench) {
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_key(1, key(1, "laptop")));
    bench.store.commit(setup).await.unwrap();
    assert_eq!(bench.store.deleted_key_hash(key_id(1)).await.unwrap(), None);
    bench
        .store
        .commit(commit().with(delete(key_ref(1))))
        .await
        .unwrap();
    let hash = bench.store.deleted_key_hash(key_id(1)).await.unwrap();
    assert_eq!(hash, Some(KeyHash::of("laptop")));
    bench
        .store
        .commit(commit().with(put_key(1, key(1, "laptop"))))
        .await
        .unwrap();
    assert_eq!(bench.store.deleted_key_hash(key_id(1)).await.unwrap(), None);
}

async fn master_key_checks_are_kept_once_a_key(bench: Bench) {
    bench
        .store
        .add_master_key_check(&sealed("first"), NOW)
        .await
        .unwrap();
    bench
        .store
        .add_master_key_check(&sealed("second"), NOW)
        .await
        .unwrap();
    let checks = bench.store.master_key_checks().await.unwrap();
    assert_eq!(checks, [sealed("first")]);
}

async fn texts_with_nul_do_not_fail(bench: Bench) {
    let odd = Commit::new("ann", "a\0b", NOW).with(put_user(1, "alice"));
    bench.store.commit(odd).await.unwrap();
    let revision = bench.store.revision(1).await.unwrap().unwrap();
    assert_eq!(revision.reason, "a\u{FFFD}b");
}
