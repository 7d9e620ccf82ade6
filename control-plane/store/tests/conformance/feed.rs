//! The feed of changes: revisions in commit order, and full state equal to deltas.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use penstock_core::resource::ResourceRef;
use penstock_store::{Changes, CredentialChange, Current, Error, Op, RevisionFilter, Store, Stored};
use tokio::task::JoinSet;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    revisions_of_many_writers_have_no_gaps,
    g02_any_full_state_and_the_changes_since_make_the_head,
    what_did_not_change_is_not_sent,
    an_own_commit_is_announced,
    a_restored_store_gets_a_new_epoch_once,
    an_empty_store_is_at_revision_zero,
);

type State = BTreeMap<ResourceRef, Stored>;

const WRITERS: u64 = 16;
const ROUNDS: u64 = 12;

async fn revisions_of_many_writers_have_no_gaps(bench: Bench) {
    let mut running = JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&bench.store);
        running.spawn(async move {
            for round in 0..ROUNDS {
                let name = format!("price-{}", (writer + round) % 5);
                let put = put_price(&name, writer * 1_000 + round + 1);
                store.commit(commit().with(put)).await.unwrap();
            }
        });
    }
    // A follower that reads while they write misses nothing and sees nothing twice.
    let mut seen = 0;
    let mut state = State::new();
    while !running.is_empty() {
        let changes = bench.store.changes_since(seen).await.unwrap();
        assert!(changes.head.revision >= seen);
        assert!(
            changes
                .changed
                .iter()
                .all(|c| c.revision > seen && c.revision <= changes.head.revision)
        );
        seen = changes.head.revision;
        apply(&mut state, changes);
        if let Some(ended) = running.try_join_next() {
            ended.unwrap();
        }
        tokio::task::yield_now().await;
    }
    let changes = bench.store.changes_since(seen).await.unwrap();
    apply(&mut state, changes);
    let loaded = full(&bench.store).await;
    assert_eq!(state, loaded);
    let revisions = bench
        .store
        .revisions(&RevisionFilter::default(), 1000, 1)
        .await
        .unwrap();
    let numbers: Vec<u64> = revisions.iter().rev().map(|r| r.revision).collect();
    assert_eq!(numbers, (1..=WRITERS * ROUNDS).collect::<Vec<u64>>());
}

async fn g02_any_full_state_and_the_changes_since_make_the_head(bench: Bench) {
    let mut states = vec![(0, State::new())];
    let mut dice = 7_u64;
    for step in 0..60_u64 {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let n = u8::try_from(dice >> 33 & 3).unwrap() + 1;
        let op: Op = match (dice >> 40) % 6 {
            0 => delete(user_ref(n)),
            1 => delete(key_ref(n)),
            2 => put_key(n, key(n, &format!("key-{step}"))).into(),
            3 => put_provider(n, &format!("provider-{step}"), CredentialChange::Set(sealed("x"))).into(),
            4 => put_price(&format!("price-{n}"), step).into(),
            _ => put_user(n, &format!("user-{step}")).into(),
        };
        match bench.store.commit(commit().with(op)).await {
            Ok(committed) => states.push((committed.head.revision, full(&bench.store).await)),
            Err(Error::NotFound { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(states.len() > 20);
    let head = full(&bench.store).await;
    for (revision, mut state) in states {
        let changes = bench.store.changes_since(revision).await.unwrap();
        apply(&mut state, changes);
        assert_eq!(state, head, "since {revision}");
    }
}

async fn what_did_not_change_is_not_sent(bench: Bench) {
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    bench
        .store
        .commit(commit().with(put_user(2, "bob")))
        .await
        .unwrap();
    let changes = bench.store.changes_since(1).await.unwrap();
    assert_eq!(changes.changed.len(), 1);
    assert_eq!(changes.changed[0].revision, 2);
    assert_eq!(changes.changed[0].current.reference(), &user_ref(2));
    for revision in [2, 99] {
        let none = bench.store.changes_since(revision).await.unwrap();
        assert_eq!((none.head.revision, none.changed.len()), (2, 0));
    }
}

async fn an_own_commit_is_announced(bench: Bench) {
    let mut news = bench.store.notifications();
    news.mark_unchanged();
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(20), news.changed())
        .await
        .expect("an announcement")
        .unwrap();
}

async fn a_restored_store_gets_a_new_epoch_once(bench: Bench) {
    bench
        .store
        .commit(commit().with(put_user(1, "alice")))
        .await
        .unwrap();
    let before = bench.store.head().await.unwrap();
    let replica = bench.another().await;
    let first = bench
        .store
        .begin_epoch(before.epoch, "system", "node ahead", NOW)
        .await
        .unwrap();
    let second = replica
        .begin_epoch(before.epoch, "system", "node ahead", NOW)
        .await
        .unwrap();
    assert_ne!(first.epoch, before.epoch);
    assert_eq!(first.revision, 2);
    assert_eq!(second, first);
    let revision = bench.store.revision(2).await.unwrap().unwrap();
    assert_eq!(
        (revision.change_count, revision.reason.as_str()),
        (0, "node ahead")
    );
    assert_eq!(revision.epoch, first.epoch);
    replica.close().await;
}

async fn an_empty_store_is_at_revision_zero(bench: Bench) {
    let loaded = bench.store.load().await.unwrap();
    assert_eq!(loaded.head.revision, 0);
    assert_eq!(loaded.resources, []);
    bench.store.ping().await.unwrap();
    // The epoch is that of the database, not of the process.
    let replica = bench.another().await;
    assert_eq!(replica.head().await.unwrap(), loaded.head);
    replica.close().await;
}

async fn full(store: &Arc<dyn Store>) -> State {
    let loaded = store.load().await.unwrap();
    assert_eq!(loaded.unreadable, []);
    let resources = loaded.resources.into_iter();
    resources
        .map(|stored| (stored.reference.clone(), stored))
        .collect()
}

fn apply(state: &mut State, changes: Changes) {
    for changed in changes.changed {
        match changed.current {
            Current::Put(stored) => drop(state.insert(stored.reference.clone(), stored)),
            Current::Removed(reference) => drop(state.remove(&reference)),
            Current::Unreadable(unreadable) => panic!("{unreadable:?}"),
        }
    }
}
