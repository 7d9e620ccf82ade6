//! What is there, and what earlier items of the same import make.

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::api_key::KeyHash;
use penstock_core::id::{ProviderId, UserId};
use penstock_core::key::Key;
use penstock_core::provider::Provider;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::secret::Secret;
use penstock_core::user::User;
use penstock_store::{Stored, StoredSpec};
use tonic::Status;

use crate::admin::{random, status};
use crate::context::Context;
use crate::credentials::Field;

/// By what things are found again.
#[derive(Default)]
pub(super) struct Known {
    pub(super) users: BTreeMap<String, (UserId, User)>,
    pub(super) keys: BTreeMap<KeyHash, Key>,
    /// Of a user's keys, by name.
    pub(super) key_names: BTreeMap<(UserId, String), KeyHash>,
    pub(super) providers: BTreeMap<String, KnownProvider>,
    /// None: it cannot be read.
    pub(super) suffixes: BTreeMap<String, Option<Secret>>,
    /// Everything that is known by a name alone.
    pub(super) named: BTreeMap<ResourceRef, KnownNamed>,
    /// What earlier items of this import make, by the names that the answer tells.
    pub(super) made: BTreeSet<(Kind, String)>,
}

/// Something that is known by a name alone.
pub(super) struct KnownNamed {
    pub(super) spec: StoredSpec,
    /// 0: an earlier item of this import makes it.
    pub(super) version: u64,
}

/// A provider, and the text of its credential.
pub(super) struct KnownProvider {
    pub(super) provider: Provider,
    pub(super) credential: Option<Secret>,
}

impl Known {
    pub(super) async fn read(context: &Context) -> Result<Self, Status> {
        let loaded = context.store.load().await.map_err(status::from_store)?;
        let mut known = Self::default();
        for stored in loaded.resources {
            known.add(stored, context);
        }
        Ok(known)
    }

    fn add(&mut self, stored: Stored, context: &Context) {
        match (&stored.reference, &stored.spec) {
            (ResourceRef::User(id), StoredSpec::User(user)) => {
                self.users.insert(user.name.clone(), (*id, user.clone()));
            }
            (ResourceRef::Key(_), StoredSpec::Key(key)) => self.add_key((**key).clone()),
            (ResourceRef::Provider(_), StoredSpec::Provider(spec)) => {
                let open = |sealed| {
                    context
                        .sealer
                        .unseal(&stored.reference, Field::Credential, sealed)
                        .ok()
                };
                let credential = spec.credential.as_ref();
                let known = KnownProvider {
                    credential: credential.and_then(|credential| open(&credential.sealed)),
                    provider: spec.provider.clone(),
                };
                self.providers.insert(spec.provider.name.clone(), known);
            }
            (ResourceRef::ImportSuffix(name), StoredSpec::ImportSuffix(sealed)) => {
                let secret = context.sealer.unseal(&stored.reference, Field::Suffix, sealed);
                self.suffixes.insert(name.to_string(), secret.ok());
            }
            (_, _) => {
                let known = KnownNamed {
                    spec: stored.spec,
                    version: stored.version,
                };
                self.named.insert(stored.reference, known);
            }
        }
    }

    pub(super) fn add_key(&mut self, key: Key) {
        self.key_names.insert((key.user_id, key.name.clone()), key.hash);
        self.keys.insert(key.hash, key);
    }

    /// By name or id.
    pub(super) fn user(&self, name: &str) -> Option<UserId> {
        let by_id = name.parse::<UserId>().ok();
        let by_id = by_id.filter(|id| self.users.values().any(|(known, _)| known == id));
        by_id.or_else(|| self.users.get(name).map(|(id, _)| *id))
    }
}

/// A new id.
pub(super) fn user_id() -> Result<UserId, Status> {
    random::id_parts().map(|(ms, unique)| UserId::from_parts(ms, &unique))
}

/// A new id.
pub(super) fn provider_id() -> Result<ProviderId, Status> {
    random::id_parts().map(|(ms, unique)| ProviderId::from_parts(ms, &unique))
}
