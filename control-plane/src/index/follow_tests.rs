//! The follower against a store that goes away, loses notifications, is damaged and is restored.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::resource::Spec;
use penstock_store::CredentialChange;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Index, follow};
use crate::context::Context;
use crate::credentials::{MasterKey, Sealer};
use crate::metrics::Metrics;
use crate::tests::fake_store::FakeStore;
use crate::tests::{
    commit, context, delete, key_ref, provider_ref, put_imported_key, put_provider, put_user, seal, user_ref,
};

struct Following {
    store: Arc<FakeStore>,
    context: Context,
    _stop: DropGuard,
    _task: JoinHandle<()>,
}

#[expect(clippy::disallowed_methods, reason = "the runtime of the test ends it")]
async fn following(store: Arc<FakeStore>) -> Following {
    let context = context(&store).await;
    let stop = CancellationToken::new();
    let task = tokio::spawn(follow(
        Arc::clone(&context.index),
        Arc::clone(&context.store),
        stop.clone(),
    ));
    Following {
        store,
        context,
        _stop: stop.drop_guard(),
        _task: task,
    }
}

impl Following {
    /// Waits until the index is at the revision, and says how long that took.
    async fn reached(&self, revision: u64) -> Duration {
        let start = Instant::now();
        let mut head = self.context.index.watch();
        let reached = head.wait_for(|head| head.revision >= revision);
        tokio::time::timeout(Duration::from_secs(60), reached)
            .await
            .unwrap()
            .unwrap();
        start.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn a08_a_commit_is_in_the_index_at_once() {
    let it = following(FakeStore::new()).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let revision = commit(&it.store, put_user(1)).await;
    assert_eq!(it.reached(revision).await, Duration::ZERO);
    assert!(it.context.index.get(&user_ref(1)).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lost_notification_costs_a_second() {
    let it = following(FakeStore::new()).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    it.store.lose_notifications();
    let revision = commit(&it.store, put_user(1)).await;
    assert!(it.reached(revision).await <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn g03_while_the_store_is_away_the_index_stays_and_then_catches_up() {
    let it = following(FakeStore::new()).await;
    let first = commit(&it.store, put_user(1)).await;
    it.reached(first).await;
    it.store.set_away(true);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!it.context.index.contact().ok);
    assert!(it.context.index.get(&user_ref(1)).is_some());
    it.store.set_away(false);
    let second = commit(&it.store, delete(user_ref(1))).await;
    it.reached(second).await;
    assert!(it.context.index.contact().ok);
    assert!(it.context.index.get(&user_ref(1)).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_store_restored_beneath_the_index_begins_a_new_epoch() {
    let it = following(FakeStore::new()).await;
    let kept = commit(&it.store, put_user(1)).await;
    let restore = it.store.backup();
    let lost = commit(&it.store, put_user(2)).await;
    it.reached(lost).await;
    let before = it.context.index.head();
    restore(&it.store);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = it.context.index.head();
    assert_ne!(after.epoch, before.epoch);
    assert_eq!(after.revision, kept + 1);
    assert!(it.context.index.get(&user_ref(2)).is_none());
    assert!(
        it.context.index.delta(before).is_none(),
        "only the full state can answer"
    );
    assert_eq!(it.context.metrics.restored.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn g02_a_damaged_row_does_not_hold_up_a_revocation() {
    let it = following(FakeStore::new()).await;
    for op in [
        put_provider(1, CredentialChange::Keep),
        put_user(1),
        put_imported_key(2),
    ] {
        commit(&it.store, op).await;
    }
    it.store.damage(&provider_ref(1));
    it.store.damage(&key_ref(2));
    let revision = commit(&it.store, delete(user_ref(1))).await;
    it.reached(revision).await;
    let index = &it.context.index;
    assert!(
        index.get(&provider_ref(1)).is_some(),
        "keeps its last good version"
    );
    assert!(index.get(&key_ref(2)).is_none(), "is denied");
    assert!(index.get(&user_ref(1)).is_none(), "is revoked");
}

#[tokio::test]
async fn f01_credentials_are_unsealed_in_memory_only_and_one_bad_one_stays_alone() {
    let store = FakeStore::new();
    let credential = |place| CredentialChange::Set(seal(&provider_ref(place), "sk-upstream"));
    commit(&store, put_provider(1, credential(1))).await;
    // Moved in the database from provider 1 to provider 2.
    commit(&store, put_provider(2, credential(1))).await;
    let context = context(&store).await;
    let has_credential = |n| {
        let resource = context.index.get(&provider_ref(n)).unwrap();
        let Spec::Provider(spec) = &resource.spec else {
            panic!("{resource:?}");
        };
        spec.credential
            .as_ref()
            .is_some_and(|credential| credential.presented() == "sk-upstream")
    };
    assert!(has_credential(1));
    assert!(!has_credential(2));
    assert_eq!(context.metrics.unsealable.get(), 1);
}

#[tokio::test]
async fn another_master_key_opens_nothing_but_keys_still_work() {
    let store = FakeStore::new();
    commit(
        &store,
        put_provider(1, CredentialChange::Set(seal(&provider_ref(1), "sk-upstream"))),
    )
    .await;
    commit(&store, put_imported_key(3)).await;
    let other = Arc::new(Sealer::new(&MasterKey::from_bytes([9; 32])).ok().unwrap());
    let index = Index::load(&*store, other, Arc::new(Metrics::default()))
        .await
        .unwrap();
    assert!(
        matches!(&index.get(&provider_ref(1)).unwrap().spec, Spec::Provider(spec) if spec.credential.is_none())
    );
    assert!(index.get(&key_ref(3)).is_some());
}

#[tokio::test]
async fn streams_that_ask_at_one_revision_share_one_list() {
    let store = FakeStore::new();
    commit(&store, put_user(1)).await;
    let context = context(&store).await;
    let (a, b) = (context.index.full(), context.index.full());
    assert!(Arc::ptr_eq(&a, &b));
    assert_eq!(a.resources.len(), 1);
}
