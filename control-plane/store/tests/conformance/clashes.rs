//! Commits that want the same: exactly one gets it, and the others are told.

use std::sync::Arc;

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::key::PreviousSecret;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_store::{Commit, Committed, CredentialChange, Error, Expect, NewSpec, Op, Put, Store};
use tokio::task::JoinSet;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    a_name_is_taken_once,
    names_can_be_passed_on_within_a_commit,
    a03_a_secret_belongs_to_one_key,
    a_deleted_keys_secret_is_free_again,
    g01_of_two_edits_of_one_version_exactly_one_wins,
    of_many_creations_of_one_name_exactly_one_wins,
    of_many_keys_with_one_secret_exactly_one_wins,
    writers_who_expect_nothing_all_get_through,
    a_key_for_a_user_that_is_being_deleted_never_stays_behind,
    commits_that_cross_each_other_both_happen,
);

async fn a_name_is_taken_once(bench: Bench) {
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_user(2, "bob"))
        .with(put_key(1, key(1, "laptop")))
        .with(put_provider(1, "main", CredentialChange::Keep));
    bench.store.commit(setup).await.unwrap();
    let mut same_name = key(1, "laptop");
    same_name.hash = KeyHash::of("other");
    let attempts: [(Put, &str); 4] = [
        (put_user(3, "alice"), "user \"alice\""),
        (put_user(2, "alice"), "user \"alice\""),
        (
            put_provider(2, "main", CredentialChange::Keep),
            "provider \"main\"",
        ),
        (put_key(2, same_name.clone()), "key \"alice/laptop\""),
    ];
    for (put, taken) in attempts {
        let error = bench.store.commit(commit().with(put)).await.unwrap_err();
        assert!(matches!(error, Error::NameTaken { .. }), "{error}");
        assert!(error.to_string().starts_with(taken), "{error}");
    }
    // Another user may use the key's name.
    same_name.user_id = user_id(2);
    bench
        .store
        .commit(commit().with(put_key(2, same_name)))
        .await
        .unwrap();
}

async fn names_can_be_passed_on_within_a_commit(bench: Bench) {
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    let pass_on = commit().with(put_user(1, "alice-old")).with(put_user(2, "alice"));
    bench.store.commit(pass_on).await.unwrap();
    let replace = commit().with(delete(user_ref(2))).with(put_user(3, "alice"));
    bench.store.commit(replace).await.unwrap();
}

async fn a03_a_secret_belongs_to_one_key(bench: Bench) {
    let mut rotated = key(1, "laptop");
    rotated.previous = Some(PreviousSecret {
        hash: KeyHash::of("former"),
        valid_until: UnixMs(NOW.0 + 1),
    });
    let setup = commit().with(put_user(1, "alice")).with(put_key(1, rotated));
    bench.store.commit(setup).await.unwrap();
    for secret in ["laptop", "former"] {
        let mut copy = key(1, "copy");
        copy.hash = KeyHash::of(secret);
        let error = bench
            .store
            .commit(commit().with(put_key(2, copy)))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::SecretTaken { .. }), "{error}");
        assert!(error.to_string().contains("key \"alice/copy\""), "{error}");
    }
}

async fn a_deleted_keys_secret_is_free_again(bench: Bench) {
    let setup = commit()
        .with(put_user(1, "alice"))
        .with(put_key(1, key(1, "laptop")));
    bench.store.commit(setup).await.unwrap();
    let swap = commit()
        .with(delete(key_ref(1)))
        .with(put_key(2, key(1, "laptop")));
    bench.store.commit(swap).await.unwrap();
}

async fn g01_of_two_edits_of_one_version_exactly_one_wins(bench: Bench) {
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    for round in 1..=10_u64 {
        let edit = |name: String| put_user(1, &name).expecting(Expect::Version(round));
        let edits = (0..4).map(|n| edit(format!("name-{round}-{n}")).into()).collect();
        let (won, lost) = race(&bench.store, edits).await;
        assert_eq!((won.len(), lost.len()), (1, 3));
        for error in lost {
            let Error::Conflict { expected, actual, .. } = error else {
                panic!("{error}");
            };
            assert_eq!((expected, actual), (Some(round), Some(round + 1)));
        }
    }
}

async fn of_many_creations_of_one_name_exactly_one_wins(bench: Bench) {
    let puts = (1..=8).map(|n| put_user(n, "alice").into()).collect();
    let (won, lost) = race(&bench.store, puts).await;
    assert_eq!(won.len(), 1);
    assert!(
        lost.iter().all(|e| matches!(e, Error::NameTaken { .. })),
        "{lost:?}"
    );
    let same_id = (1..=8).map(|_| put_price("m", 1).expecting(Expect::Absent).into());
    let (won, lost) = race(&bench.store, same_id.collect()).await;
    assert_eq!(won.len(), 1);
    assert!(
        lost.iter().all(|e| matches!(e, Error::Conflict { .. })),
        "{lost:?}"
    );
}

async fn of_many_keys_with_one_secret_exactly_one_wins(bench: Bench) {
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    let puts = (1..=8).map(|n| {
        let mut copy = key(1, &format!("copy-{n}"));
        copy.hash = KeyHash::of("one secret");
        put_key(n, copy).into()
    });
    let (won, lost) = race(&bench.store, puts.collect()).await;
    assert_eq!(won.len(), 1);
    assert!(
        lost.iter().all(|e| matches!(e, Error::SecretTaken { .. })),
        "{lost:?}"
    );
}

async fn writers_who_expect_nothing_all_get_through(bench: Bench) {
    let puts = (0..16)
        .map(|n| put_user(1, &format!("name-{n}")).into())
        .collect();
    let (won, lost) = race(&bench.store, puts).await;
    assert!(lost.is_empty(), "{lost:?}");
    let mut versions: Vec<u64> = won
        .iter()
        .map(|committed| committed.applied[0].stored.as_ref().unwrap().version)
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=16).collect::<Vec<u64>>());
}

async fn a_key_for_a_user_that_is_being_deleted_never_stays_behind(bench: Bench) {
    for n in 1..=10 {
        let disabled = User {
            access: Access {
                enabled: false,
                ..Access::default()
            },
            ..user("alice")
        };
        let create = Put::new(user_ref(n), NewSpec::User(disabled));
        bench.store.commit(commit().with(create)).await.unwrap();
        let mut owned = key(n, "late");
        owned.user_id = user_id(n);
        let ops = vec![put_key(n, owned).into(), delete(user_ref(n))];
        let (_, lost) = race(&bench.store, ops).await;
        assert!(
            lost.iter().all(|e| matches!(e, Error::NotFound { .. })),
            "{lost:?}"
        );
        assert_eq!(bench.store.load().await.unwrap().resources, []);
    }
}

async fn commits_that_cross_each_other_both_happen(bench: Bench) {
    for round in 0..5 {
        let mut running = JoinSet::new();
        for (first, second) in [("a", "b"), ("b", "a"), ("a", "b")] {
            let store = Arc::clone(&bench.store);
            running.spawn(async move {
                for step in 0..4 {
                    let price = round * 100 + step + 1;
                    let both = commit()
                        .with(put_price(first, price))
                        .with(put_price(second, price));
                    store.commit(both).await.unwrap();
                }
            });
        }
        running.join_all().await;
    }
}

/// Each operation as a commit of its own, all at once.
async fn race(store: &Arc<dyn Store>, ops: Vec<Op>) -> (Vec<Committed>, Vec<Error>) {
    let mut running = JoinSet::new();
    for op in ops {
        let store = Arc::clone(store);
        running.spawn(async move { store.commit(Commit::new("racer", "", NOW).with(op)).await });
    }
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    while let Some(ended) = running.join_next().await {
        match ended.unwrap() {
            Ok(committed) => won.push(committed),
            Err(error) => lost.push(error),
        }
    }
    (won, lost)
}
