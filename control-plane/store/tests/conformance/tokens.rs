//! Access tokens: written once, by whoever has the lease, with a revision of their own and no trace in the history.

use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_store::{
    CredentialChange, Current, OauthLogin, RevisionFilter, SealedToken, StoredSpec, StoredToken,
    TokenFailure, TokenPut, TokenState, TokenWritten,
};
use tokio::task::JoinSet;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    f03_a_token_reads_back_and_only_the_version_that_was_read_is_replaced,
    f03_of_many_who_write_at_once_one_succeeds,
    f03_an_older_lease_writes_nothing,
    f03_a_token_reaches_replicas_as_a_change_of_its_provider_and_is_not_in_the_history,
    f03_a_failure_is_kept_beside_its_token_and_a_stop_is_told,
    f03_a_lease_is_one_holders_until_it_ends_or_is_given_back,
    f03_a_login_is_used_once_and_in_time,
    f03_what_belongs_to_a_provider_goes_with_it,
);

const LATER: UnixMs = UnixMs(NOW.0 + 60_000);

async fn provider(bench: &Bench) -> ProviderId {
    let put = put_provider(1, "main", CredentialChange::Set(sealed("client")));
    bench.store.commit(commit().with(put)).await.unwrap();
    provider_id(1)
}

fn token(replaces: u64, fence: u64) -> TokenPut {
    TokenPut {
        provider: provider_id(1),
        replaces,
        credential_version: 1,
        fence,
        token: SealedToken {
            sealed: penstock_store::Sealed {
                hint: String::new(),
                ..sealed(&format!("token {replaces}"))
            },
            obtained_at: NOW,
            expires_at: LATER,
        },
    }
}

async fn read(bench: &Bench) -> StoredToken {
    bench.store.token(provider_id(1)).await.unwrap().unwrap()
}

async fn f03_a_token_reads_back_and_only_the_version_that_was_read_is_replaced(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    assert_eq!(store.token(provider).await.unwrap(), None);
    let first = token(0, 1);
    assert_eq!(
        store.put_token(&first, NOW).await.unwrap(),
        TokenWritten::Written(1)
    );
    let stored = read(&bench).await;
    assert_eq!(
        (stored.version, stored.state, stored.token),
        (1, TokenState::Ready, Some(first.token.clone()))
    );
    assert_eq!(
        store.put_token(&first, NOW).await.unwrap(),
        TokenWritten::Overtaken
    );
    assert_eq!(
        store.put_token(&token(1, 1), NOW).await.unwrap(),
        TokenWritten::Written(2)
    );
    assert_eq!(store.tokens().await.unwrap().len(), 1);
    let nobodys = TokenPut {
        provider: provider_id(9),
        ..first
    };
    assert_eq!(
        store.put_token(&nobodys, NOW).await.unwrap(),
        TokenWritten::NoProvider
    );
}

async fn f03_of_many_who_write_at_once_one_succeeds(bench: Bench) {
    provider(&bench).await;
    let mut writers = JoinSet::new();
    for fence in 1..=8 {
        let store = bench.another().await;
        writers.spawn(async move {
            let written = store.put_token(&token(0, fence), NOW).await.unwrap();
            store.close().await;
            written
        });
    }
    let written = writers.join_all().await;
    let won = written
        .iter()
        .filter(|written| **written == TokenWritten::Written(1));
    assert_eq!(won.count(), 1, "{written:?}");
}

async fn f03_an_older_lease_writes_nothing(bench: Bench) {
    provider(&bench).await;
    let store = &bench.store;
    store.put_token(&token(0, 5), NOW).await.unwrap();
    assert_eq!(
        store.put_token(&token(1, 4), NOW).await.unwrap(),
        TokenWritten::Overtaken
    );
    assert_eq!(
        store.put_token(&token(1, 5), NOW).await.unwrap(),
        TokenWritten::Written(2)
    );
}

async fn f03_a_token_reaches_replicas_as_a_change_of_its_provider_and_is_not_in_the_history(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let before = store.head().await.unwrap();
    let mut news = bench.store.notifications();
    news.mark_unchanged();
    store.put_token(&token(0, 1), NOW).await.unwrap();
    assert!(news.has_changed().unwrap());
    let changes = store.changes_since(before.revision).await.unwrap();
    assert_eq!(changes.head.revision, before.revision + 1);
    assert_eq!(changes.changed.len(), 1);
    let changed = &changes.changed[0];
    assert_eq!(changed.revision, before.revision + 1);
    let Current::Put(stored) = &changed.current else {
        panic!("a provider");
    };
    let StoredSpec::Provider(spec) = &stored.spec else {
        panic!("a provider");
    };
    assert_eq!((stored.version, spec.token.as_ref().unwrap().version), (1, 1));
    let loaded = store.load().await.unwrap();
    let found = loaded.resources.iter().find_map(|stored| {
        let StoredSpec::Provider(spec) = &stored.spec else {
            return None;
        };
        spec.token.clone()
    });
    assert_eq!(found.unwrap().provider, provider);
    let revisions = store.revisions(&RevisionFilter::default(), 10, 10).await.unwrap();
    assert!(
        revisions
            .iter()
            .all(|revision| revision.revision <= before.revision)
    );
    let differences = store.differences(0, changes.head.revision).await.unwrap();
    assert_eq!(differences.changes.len(), 1, "the provider alone");
    // An operator's edit neither meets it nor loses it.
    let edit =
        put_provider(1, "renamed", CredentialChange::Keep).expecting(penstock_store::Expect::Version(1));
    store.commit(commit().with(edit)).await.unwrap();
    assert_eq!(read(&bench).await.version, 1);
}

async fn f03_a_failure_is_kept_beside_its_token_and_a_stop_is_told(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let failure = TokenFailure {
        at: NOW,
        times: 1,
        step: "connect".to_owned(),
        next_try_at: Some(LATER),
        ..TokenFailure::default()
    };
    // There is no token yet.
    assert!(
        store
            .token_failed((provider, 0, 1), &failure, TokenState::Ready)
            .await
            .unwrap()
    );
    let stored = read(&bench).await;
    assert_eq!(
        (stored.version, &stored.token, &stored.failure),
        (0, &None, &Some(failure.clone()))
    );
    assert_eq!(
        store.put_token(&token(0, 1), NOW).await.unwrap(),
        TokenWritten::Written(1)
    );
    assert_eq!(read(&bench).await.failure, None, "it went well");
    let before = store.head().await.unwrap().revision;
    assert!(
        store
            .token_failed((provider, 1, 1), &failure, TokenState::Ready)
            .await
            .unwrap()
    );
    assert_eq!(store.head().await.unwrap().revision, before);
    assert!(
        !store
            .token_failed((provider, 0, 1), &failure, TokenState::NeedsLogin)
            .await
            .unwrap()
    );
    assert!(
        store
            .token_failed((provider, 1, 1), &failure, TokenState::NeedsLogin)
            .await
            .unwrap()
    );
    assert_eq!(read(&bench).await.state, TokenState::NeedsLogin);
    assert_eq!(
        store.head().await.unwrap().revision,
        before + 1,
        "data planes are told"
    );
    assert!(read(&bench).await.token.is_some());
    assert!(
        store
            .token_failed((provider, 1, 2), &failure, TokenState::Ready)
            .await
            .unwrap()
    );
    let stored = read(&bench).await;
    assert_eq!(
        (stored.version, stored.token),
        (1, None),
        "it was obtained with another credential"
    );
}

async fn f03_a_lease_is_one_holders_until_it_ends_or_is_given_back(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let mut takers = JoinSet::new();
    for n in 0..8 {
        let store = bench.another().await;
        takers.spawn(async move {
            let taken = store
                .take_token_lease(provider, &format!("cp-{n}"), NOW, LATER)
                .await;
            store.close().await;
            taken.unwrap()
        });
    }
    let taken: Vec<_> = takers.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken, [1]);
    let again = |now| store.take_token_lease(provider, "cp-9", now, UnixMs(LATER.0 * 2));
    assert_eq!(again(UnixMs(LATER.0 - 1)).await.unwrap(), None);
    assert_eq!(again(LATER).await.unwrap(), Some(2), "it ended");
    assert!(
        !store.set_token_lease(provider, 1, UnixMs(0)).await.unwrap(),
        "it is another's"
    );
    assert!(store.set_token_lease(provider, 2, UnixMs(0)).await.unwrap());
    assert_eq!(again(NOW).await.unwrap(), Some(3), "it was given back");
    let nobodys = store.take_token_lease(provider_id(9), "cp-1", NOW, LATER).await;
    assert_eq!(nobodys.unwrap(), None);
}

async fn f03_a_login_is_used_once_and_in_time(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let login = |actor: &str, text: &str| OauthLogin {
        provider,
        actor: actor.to_owned(),
        sealed: penstock_store::Sealed {
            hint: String::new(),
            ..sealed(text)
        },
        expires_at: LATER,
    };
    store.put_login(&login("ann", "first"), NOW).await.unwrap();
    store.put_login(&login("ann", "second"), NOW).await.unwrap();
    store.put_login(&login("bob", "his"), NOW).await.unwrap();
    let taken = store.take_login(provider, "ann", NOW).await.unwrap();
    assert_eq!(taken, Some(login("ann", "second")));
    assert_eq!(
        store.take_login(provider, "ann", NOW).await.unwrap(),
        None,
        "it is used up"
    );
    assert_eq!(
        store.take_login(provider, "bob", LATER).await.unwrap(),
        None,
        "it is too old"
    );
}

async fn f03_what_belongs_to_a_provider_goes_with_it(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    store.put_token(&token(0, 1), NOW).await.unwrap();
    store
        .take_token_lease(provider, "cp-1", NOW, LATER)
        .await
        .unwrap();
    store
        .commit(commit().with(delete(provider_ref(1))))
        .await
        .unwrap();
    assert_eq!(store.tokens().await.unwrap(), []);
}
