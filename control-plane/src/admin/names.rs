//! Finding resources by what operators call them: an id, or a name.
//!
//! Names cannot look like ids, so one text means one thing. A key is `user/key`, where the user may be an id too, or
//! its bare name while only one user has a key of that name; otherwise the candidates are listed.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::provider::Provider;
use penstock_core::resource::ResourceRef;
use penstock_core::user::User;
use penstock_store::{Credential, Lookup, Store, Stored, StoredSpec};
use tonic::Status;

use super::status;

/// A resource of a known kind, with what the store says about it.
#[derive(Clone, Debug)]
pub(super) struct Found<I, T> {
    pub(super) id: I,
    pub(super) value: T,
    pub(super) stored: Stored,
}

/// A provider and its sealed secrets.
#[derive(Clone, Debug)]
pub(super) struct FoundProvider {
    pub(super) provider: Provider,
    pub(super) credential: Option<Credential>,
    pub(super) proxy_password: Option<Credential>,
}

/// Finds a provider.
pub(super) async fn provider(
    store: &dyn Store,
    name: &str,
) -> Result<Found<ProviderId, FoundProvider>, Status> {
    let stored = match given("provider", name)?.parse() {
        Ok(id) => get(store, &ResourceRef::Provider(id)).await?,
        Err(_) => first(store, Lookup::Provider { name }).await?,
    };
    stored
        .and_then(as_provider)
        .ok_or_else(|| missing("provider", name))
}

/// Finds a user.
pub(super) async fn user(store: &dyn Store, name: &str) -> Result<Found<UserId, User>, Status> {
    let stored = match given("user", name)?.parse() {
        Ok(id) => get(store, &ResourceRef::User(id)).await?,
        Err(_) => first(store, Lookup::User { name }).await?,
    };
    stored.and_then(as_user).ok_or_else(|| missing("user", name))
}

/// Finds a key.
pub(super) async fn key(store: &dyn Store, name: &str) -> Result<Found<KeyId, Key>, Status> {
    let found = if let Ok(id) = given("key", name)?.parse() {
        get(store, &ResourceRef::Key(id)).await?
    } else if let Some((owner, name)) = name.split_once('/') {
        let owner = user(store, owner).await?;
        first(store, Lookup::KeyOfUser { user: owner.id, name }).await?
    } else {
        let mut keys = store
            .find(Lookup::Key { name })
            .await
            .map_err(status::from_store)?;
        if keys.len() > 1 {
            return Err(ambiguous(store, name, keys).await?);
        }
        keys.pop()
    };
    found.and_then(as_key).ok_or_else(|| missing("key", name))
}

/// The name of a key's owner; the id when the owner is gone.
pub(super) async fn user_name(store: &dyn Store, id: UserId) -> Result<String, Status> {
    let stored = get(store, &ResourceRef::User(id)).await?;
    Ok(stored
        .and_then(as_user)
        .map_or_else(|| id.to_string(), |user| user.value.name))
}

pub(super) fn as_provider(stored: Stored) -> Option<Found<ProviderId, FoundProvider>> {
    let (ResourceRef::Provider(id), StoredSpec::Provider(spec)) = (&stored.reference, &stored.spec) else {
        return None;
    };
    let value = FoundProvider {
        provider: spec.provider.clone(),
        credential: spec.credential.clone(),
        proxy_password: spec.proxy_password.clone(),
    };
    Some(Found {
        id: *id,
        value,
        stored,
    })
}

pub(super) fn as_user(stored: Stored) -> Option<Found<UserId, User>> {
    let (ResourceRef::User(id), StoredSpec::User(user)) = (&stored.reference, &stored.spec) else {
        return None;
    };
    Some(Found {
        id: *id,
        value: user.clone(),
        stored,
    })
}

pub(super) fn as_key(stored: Stored) -> Option<Found<KeyId, Key>> {
    let (ResourceRef::Key(id), StoredSpec::Key(key)) = (&stored.reference, &stored.spec) else {
        return None;
    };
    Some(Found {
        id: *id,
        value: key.as_ref().clone(),
        stored,
    })
}

/// One resource by its reference.
pub(super) async fn get(store: &dyn Store, reference: &ResourceRef) -> Result<Option<Stored>, Status> {
    store.get(reference).await.map_err(status::from_store)
}

async fn first(store: &dyn Store, lookup: Lookup<'_>) -> Result<Option<Stored>, Status> {
    let found = store.find(lookup).await.map_err(status::from_store)?;
    Ok(found.into_iter().next())
}

async fn ambiguous(store: &dyn Store, name: &str, keys: Vec<Stored>) -> Result<Status, Status> {
    let mut candidates = Vec::with_capacity(keys.len());
    for key in keys.into_iter().filter_map(as_key) {
        let owner = user_name(store, key.value.user_id).await?;
        candidates.push(format!("{owner}/{}", key.value.name));
    }
    candidates.sort();
    let candidates = candidates.join(", ");
    Ok(Status::failed_precondition(format!(
        "several users have a key {name:?}; say which one: {candidates}"
    )))
}

fn given<'a>(field: &str, name: &'a str) -> Result<&'a str, Status> {
    if name.is_empty() {
        return Err(status::invalid(&Invalid::new(
            field,
            "is missing; give a name or an id",
        )));
    }
    Ok(name)
}

fn missing(kind: &str, name: &str) -> Status {
    status::not_found(&format!("{kind} {name:?}"))
}
