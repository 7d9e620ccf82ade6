//! What a plan must know about the present, beyond what the history tells: keys' hashes, owners.

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::api_key::KeyHash;
use penstock_core::id::{KeyId, UserId};
use penstock_core::key::Key;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_store::{Change, LoggedSpec, Store};
use tonic::Status;

use super::Rules;
use crate::admin::{names, status};

/// The present as far as a plan needs it.
#[derive(Debug, Default)]
pub(super) struct Present {
    /// Keys that exist and are about to change.
    pub(super) keys: BTreeMap<KeyId, Key>,
    /// Hashes of deleted keys that may come back.
    pub(super) deleted: BTreeMap<KeyId, KeyHash>,
    /// Users that exist, or come back before their keys do.
    pub(super) users: BTreeSet<UserId>,
}

pub(super) async fn present(store: &dyn Store, changes: &[Change], rules: Rules) -> Result<Present, Status> {
    let mut present = Present::default();
    for change in changes.iter().filter(|change| change.after.is_some()) {
        match &change.reference {
            ResourceRef::User(id) => {
                if change.before.is_some() || rules.include_access {
                    present.users.insert(*id);
                }
            }
            ResourceRef::Key(id) if change.before.is_some() => {
                let stored = names::get(store, &change.reference).await?;
                present
                    .keys
                    .extend(stored.and_then(names::as_key).map(|found| (*id, found.value)));
            }
            ResourceRef::Key(id) if rules.include_access => {
                let hash = store.deleted_key_hash(*id).await.map_err(status::from_store)?;
                present.deleted.extend(hash.map(|hash| (*id, hash)));
                present.users.extend(existing_owner(store, change).await?);
            }
            ResourceRef::Key(_)
            | ResourceRef::Provider(_)
            | ResourceRef::Price(_)
            | ResourceRef::Setting(_)
            | ResourceRef::ImportSuffix(_)
            | ResourceRef::ErrorRule(_)
            | ResourceRef::WordRule(_)
            | ResourceRef::RequestFilter(_) => (),
        }
    }
    Ok(present)
}

async fn existing_owner(store: &dyn Store, key: &Change) -> Result<Option<UserId>, Status> {
    let then = key
        .after
        .as_ref()
        .and_then(|json| LoggedSpec::read(Kind::Key, json).ok());
    let Some(LoggedSpec::Key(then)) = then else {
        return Ok(None);
    };
    let owner = names::get(store, &ResourceRef::User(then.user_id)).await?;
    Ok(owner.map(|_| then.user_id))
}
