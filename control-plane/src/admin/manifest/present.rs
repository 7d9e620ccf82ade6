//! The whole configuration as it is, found by kind and name.

use std::collections::BTreeMap;

use penstock_core::id::UserId;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_store::{Store, Stored, StoredSpec, Unreadable};
use tonic::Status;

use crate::admin::status;

/// Read in one consistent read.
pub(super) struct Present {
    pub(super) head: u64,
    /// A key's name is `user/key`.
    stored: BTreeMap<(Kind, String), Stored>,
    pub(super) unreadable: Vec<Unreadable>,
}

impl Present {
    pub(super) async fn read(store: &dyn Store) -> Result<Self, Status> {
        let loaded = store.load().await.map_err(status::from_store)?;
        let mut users = BTreeMap::new();
        for stored in &loaded.resources {
            if let (ResourceRef::User(id), StoredSpec::User(user)) = (&stored.reference, &stored.spec) {
                users.insert(*id, user.name.clone());
            }
        }
        let named = |stored: Stored| ((stored.reference.kind(), name_of(&stored, &users)), stored);
        Ok(Self {
            head: loaded.head.revision,
            stored: loaded.resources.into_iter().map(named).collect(),
            unreadable: loaded.unreadable,
        })
    }

    pub(super) fn get(&self, kind: Kind, name: &str) -> Option<&Stored> {
        self.stored.get(&(kind, name.to_owned()))
    }

    /// All of a kind, by name.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &Stored)> {
        let all = self.stored.range((kind, String::new())..);
        all.take_while(move |((of, _), _)| *of == kind)
            .map(|((_, name), stored)| (name.as_str(), stored))
    }

    /// The id of a user that exists.
    pub(super) fn user(&self, name: &str) -> Option<UserId> {
        let ResourceRef::User(id) = self.get(Kind::User, name)?.reference else {
            return None;
        };
        Some(id)
    }
}

/// As manifests call it; a key whose owner is gone by the owner's id.
fn name_of(stored: &Stored, users: &BTreeMap<UserId, String>) -> String {
    match &stored.spec {
        StoredSpec::Provider(spec) => spec.provider.name.clone(),
        StoredSpec::User(user) => user.name.clone(),
        StoredSpec::Key(key) => {
            let owner = users.get(&key.user_id);
            let owner = owner.cloned().unwrap_or_else(|| key.user_id.to_string());
            format!("{owner}/{}", key.name)
        }
        StoredSpec::Price(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ImportSuffix(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => stored.reference.id(),
    }
}

/// As the history calls it.
pub(in crate::admin) fn label(kind: Kind, name: &str) -> String {
    let kind = kind.as_str().replace('_', " ");
    format!("{kind} {name:?}")
}
