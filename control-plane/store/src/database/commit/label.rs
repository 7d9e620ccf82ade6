//! What resources are called in messages and in the history: `provider "main"`, `key "alice/laptop"`.

use penstock_core::id::UserId;
use penstock_core::resource::{Kind, ResourceRef};

use super::Work;
use crate::api::stored::{Stored, StoredSpec};
use crate::rows::Existing;
use crate::sql::query::sql;

/// The label of anything but a key, whose owner's name belongs to it.
pub(in crate::database) fn plain(kind: Kind, name: &str) -> String {
    let kind = match kind {
        Kind::ImportSuffix => "import suffix",
        Kind::ErrorRule => "error rule",
        Kind::WordRule => "word rule",
        Kind::RequestFilter => "request filter",
        Kind::Provider | Kind::User | Kind::Key | Kind::Price | Kind::Setting => kind.as_str(),
    };
    format!("{kind} {name:?}")
}

impl Work {
    pub(super) async fn label(&mut self, stored: &Stored) -> Result<String, sqlx::Error> {
        let name = match &stored.spec {
            StoredSpec::Key(key) => return self.key_label(key.user_id, &key.name).await,
            StoredSpec::Provider(spec) => spec.provider.name.as_str(),
            StoredSpec::User(user) => user.name.as_str(),
            StoredSpec::Price(_)
            | StoredSpec::Setting(_)
            | StoredSpec::ImportSuffix(_)
            | StoredSpec::ErrorRule(_)
            | StoredSpec::WordRule(_)
            | StoredSpec::RequestFilter(_) => "",
        };
        Ok(match &stored.reference {
            ResourceRef::Price(id)
            | ResourceRef::Setting(id)
            | ResourceRef::ImportSuffix(id)
            | ResourceRef::ErrorRule(id)
            | ResourceRef::WordRule(id)
            | ResourceRef::RequestFilter(id) => plain(stored.reference.kind(), id),
            ResourceRef::Provider(_) | ResourceRef::User(_) | ResourceRef::Key(_) => {
                plain(stored.reference.kind(), name)
            }
        })
    }

    /// Also of what cannot be read.
    pub(super) async fn label_of(&mut self, existing: &Existing) -> Result<String, sqlx::Error> {
        match &existing.stored {
            Ok(stored) => self.label(stored).await,
            Err(unreadable) => Ok(plain(unreadable.reference.kind(), &existing.name)),
        }
    }

    async fn key_label(&mut self, user: UserId, name: &str) -> Result<String, sqlx::Error> {
        let owner = self.owner(user).await?.unwrap_or_else(|| user.to_string());
        Ok(format!("key \"{owner}/{name}\""))
    }

    /// The user's name; None when there is no such user.
    pub(super) async fn owner(&mut self, user: UserId) -> Result<Option<String>, sqlx::Error> {
        if let Some(name) = self.owners.get(&user) {
            return Ok(Some(name.clone()));
        }
        let query = sql("SELECT name FROM users WHERE id = $1").bind(user.0);
        let found: Option<(String,)> = self.tx.fetch_optional(query).await?;
        if let Some((name,)) = &found {
            self.owners.insert(user, name.clone());
        }
        Ok(found.map(|(name,)| name))
    }

    /// The user's name is no longer what it was.
    pub(super) fn forget_owner(&mut self, reference: &ResourceRef) {
        if let ResourceRef::User(user) = reference {
            self.owners.remove(user);
        }
    }
}
