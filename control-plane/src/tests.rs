//! A control plane in a test's memory: a fake store, the shared parts, and commits in one line.

mod api_page;
pub(crate) mod fake_accounts;
mod fake_alerts;
mod fake_archive;
mod fake_ledger;
pub(crate) mod fake_store;
mod fake_upkeep;
pub(crate) mod plane;
pub(crate) mod token_endpoint;

use std::sync::Arc;

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::key::Key;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_store::{Commit, CredentialChange, Expect, NewSpec, Op, Put, Sealed, Store};
use tokio::time::Instant;

use crate::access::operators::Operators;
use crate::context::Context;
use crate::credentials::{Field, MasterKey, Sealer};
use crate::index::Index;
use crate::metrics::Metrics;
use crate::nodes::{Identity, NodeRegistry};
use crate::tests::fake_store::FakeStore;
use crate::tokens::Tokens;

pub(crate) fn sealer() -> Arc<Sealer> {
    Arc::new(Sealer::new(&MasterKey::from_bytes([1; 32])).ok().unwrap())
}

/// All shared parts over a fake store.
pub(crate) async fn context(store: &Arc<FakeStore>) -> Context {
    context_over(Arc::clone(store) as Arc<dyn Store>, sealer()).await
}

/// Over any store, under any master key.
pub(crate) async fn context_over(store: Arc<dyn Store>, sealer: Arc<Sealer>) -> Context {
    let metrics = Arc::new(Metrics::default());
    let index = Index::load(&*store, Arc::clone(&sealer), Arc::clone(&metrics))
        .await
        .unwrap();
    Context {
        store: Arc::clone(&store),
        index: Arc::new(index),
        sealer,
        nodes: Arc::new(NodeRegistry::new("cp-1".into())),
        fleet_states: Arc::default(),
        tokens: Arc::new(Tokens::new("cp-1", &["127.0.0.1".to_owned()]).unwrap()),
        trusted_hosts: Arc::default(),
        setup: Arc::default(),
        operators: Arc::new(Operators::new(store)),
        metrics,
        name: "cp-1".into(),
        started: Instant::now(),
    }
}

pub(crate) fn user_ref(n: u8) -> ResourceRef {
    ResourceRef::User(UserId::from_parts(n.into(), &[n; 10]))
}

pub(crate) fn key_ref(n: u8) -> ResourceRef {
    ResourceRef::Key(KeyId::from_parts(n.into(), &[n; 10]))
}

pub(crate) fn provider_ref(n: u8) -> ResourceRef {
    ResourceRef::Provider(ProviderId::from_parts(n.into(), &[n; 10]))
}

pub(crate) fn put_user(n: u8) -> Op {
    let user = User {
        limits: penstock_core::limits::Limits::none(),
        name: format!("user-{n}"),
        access: Access::default(),
    };
    Put::new(user_ref(n), NewSpec::User(user)).into()
}

pub(crate) fn delete(reference: ResourceRef) -> Op {
    Op::delete(reference, Expect::Any)
}

/// A key that was imported with a suffixed hash.
pub(crate) fn put_imported_key(n: u8) -> Op {
    let key = Key {
        limits: penstock_core::limits::Limits::none(),
        name: "imported".to_owned(),
        user_id: UserId::from_parts(1, &[1; 10]),
        access: Access::default(),
        hint: String::new(),
        hash: KeyHash([n; 32]),
        import_suffix: Some("old-relay".to_owned()),
        previous: None,
    };
    Put::new(key_ref(n), NewSpec::Key(Box::new(key))).into()
}

pub(crate) fn seal(reference: &ResourceRef, secret: &str) -> Sealed {
    sealer()
        .seal(reference, Field::Credential, &Secret::new(secret))
        .unwrap()
}

pub(crate) fn put_provider(n: u8, credential: CredentialChange) -> Op {
    let provider = penstock_core::provider::Provider::new(
        format!("provider-{n}"),
        penstock_core::provider::ProviderKind::Anthropic,
        "https://api.anthropic.com",
    );
    Put::new(
        provider_ref(n),
        NewSpec::Provider {
            provider: Box::new(provider),
            credential,
            proxy_password: CredentialChange::Keep,
        },
    )
    .into()
}

/// Commits one operation. The revision that it made.
pub(crate) async fn commit(store: &FakeStore, op: Op) -> u64 {
    store
        .commit(Commit::new("test", "", UnixMs(1)).with(op))
        .await
        .unwrap()
        .head
        .revision
}

pub(crate) async fn commit_many(store: &FakeStore, ops: impl Iterator<Item = Op>) {
    let mut commit = Commit::new("test", "", UnixMs(1));
    commit.ops.extend(ops);
    store.commit(commit).await.unwrap();
}

/// A user of some 200 bytes.
pub(crate) fn put_large_user(n: u64) -> Op {
    let access = Access {
        tags: vec!["x".repeat(60), "y".repeat(60)],
        ..Access::default()
    };
    let user = User {
        limits: penstock_core::limits::Limits::none(),
        name: format!("user-{n}"),
        access,
    };
    Put::new(
        ResourceRef::User(UserId::from_parts(n, &[0; 10])),
        NewSpec::User(user),
    )
    .into()
}

/// A node that calls itself so.
pub(crate) fn identity(id: &str) -> Identity {
    Identity {
        id: id.into(),
        version: "0.1.0".to_owned(),
        zone: String::new(),
        schema: 1,
    }
}
