//! From one snapshot to the next.

use std::sync::Arc;

use super::{KeyEntry, PriceEntry, ProviderEntry, RefusedVersion, Snapshot, SuffixEntry, UserEntry};
use crate::id::{Epoch, KeyId, UserId};
use crate::resource::{ProviderSpec, Resource, ResourceRef, Spec};

/// A full state, or the changes on top of another revision.
#[derive(Clone, Debug)]
pub struct Update {
    pub epoch: Epoch,
    /// The upserts are everything; what is not among them is gone.
    pub full: bool,
    /// Of a delta: what it goes on top of.
    pub from_revision: u64,
    pub to_revision: u64,
    pub upserts: Vec<Upsert>,
    pub removals: Vec<ResourceRef>,
}

/// A resource as it arrived.
#[derive(Clone, Debug)]
pub enum Upsert {
    Resource(Resource),
    /// Could not even be read.
    Unreadable(Refusal),
}

/// A version of a resource that is not in force here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reference: ResourceRef,
    pub version: u64,
    pub reason: String,
}

/// An update that cannot go on top of this snapshot. The stream is out of step; ask anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    #[error("a delta from revision {from} does not go on top of revision {held}")]
    Gap { from: u64, held: u64 },
    #[error("revision {to} is older than revision {held}, which is in force")]
    Regress { to: u64, held: u64 },
    #[error("a delta of epoch {update} does not go on top of epoch {held:?}")]
    Epoch { update: Epoch, held: Option<Epoch> },
}

impl Snapshot {
    /// The next snapshot, and what of the update was refused.
    pub fn apply(&self, update: Update) -> Result<(Self, Vec<Refusal>), UpdateError> {
        self.check(&update)?;
        let mut next = if update.full {
            Self::default()
        } else {
            self.clone()
        };
        next.epoch = Some(update.epoch);
        next.revision = update.to_revision;
        for reference in &update.removals {
            next.remove(reference);
        }
        let mut refused = Vec::new();
        let mut providers = false;
        for upsert in update.upserts {
            match upsert {
                Upsert::Resource(resource) => match resource.validate() {
                    Ok(()) => {
                        providers |= matches!(resource.spec, Spec::Provider(_));
                        next.put(resource);
                    }
                    Err(invalid) => {
                        let refusal = Refusal::new(&resource, invalid.to_string());
                        providers |= next.refuse(self, &refusal, Some(&resource.spec));
                        refused.push(refusal);
                    }
                },
                Upsert::Unreadable(refusal) => {
                    providers |= next.refuse(self, &refusal, None);
                    refused.push(refusal);
                }
            }
        }
        if providers {
            next.providers.sort_by(|a, b| {
                (a.provider.priority, &a.provider.name, a.id).cmp(&(
                    b.provider.priority,
                    &b.provider.name,
                    b.id,
                ))
            });
        }
        next.read_settings();
        next.read_rules(self);
        Ok((next, refused))
    }

    fn check(&self, update: &Update) -> Result<(), UpdateError> {
        let same_epoch = self.epoch == Some(update.epoch);
        if !update.full && !same_epoch {
            return Err(UpdateError::Epoch {
                update: update.epoch,
                held: self.epoch,
            });
        }
        if !update.full && update.from_revision != self.revision {
            return Err(UpdateError::Gap {
                from: update.from_revision,
                held: self.revision,
            });
        }
        if same_epoch && update.to_revision < self.revision {
            return Err(UpdateError::Regress {
                to: update.to_revision,
                held: self.revision,
            });
        }
        Ok(())
    }

    /// A spec under another kind's reference was refused by `validate` and does not come here.
    fn put(&mut self, resource: Resource) {
        let Resource {
            reference,
            version,
            spec,
            ..
        } = resource;
        self.refused.remove(&reference);
        match reference {
            ResourceRef::Provider(id) => {
                if let Spec::Provider(spec) = spec {
                    let ProviderSpec {
                        provider,
                        credential,
                        proxy_password,
                    } = *spec;
                    self.put_provider(ProviderEntry {
                        id,
                        version,
                        provider,
                        credential,
                        proxy_password,
                    });
                }
            }
            ResourceRef::User(id) => {
                if let Spec::User(user) = spec {
                    self.users.insert(id, Arc::new(UserEntry { id, version, user }));
                }
            }
            ResourceRef::Key(id) => {
                if let Spec::Key(key) = spec {
                    self.put_key(KeyEntry {
                        id,
                        version,
                        key: *key,
                    });
                }
            }
            ResourceRef::Price(name) => {
                if let Spec::Price(price) = spec {
                    let entry = PriceEntry {
                        name: Arc::clone(&name),
                        version,
                        price: *price,
                    };
                    self.prices.insert(name, Arc::new(entry));
                }
            }
            ResourceRef::Setting(name) => {
                if let Spec::Setting(setting) = spec {
                    self.settings.insert(name, (version, setting));
                }
            }
            ResourceRef::ImportSuffix(name) => {
                if let Spec::ImportSuffix(suffix) = spec {
                    self.suffixes.insert(
                        name,
                        SuffixEntry {
                            version,
                            secret: suffix.0.secret,
                        },
                    );
                }
            }
            ResourceRef::ErrorRule(name) => {
                if let Spec::ErrorRule(rule) = spec {
                    self.rules.insert(name, (version, Arc::from(rule)));
                }
            }
            ResourceRef::WordRule(name) => {
                if let Spec::WordRule(rule) = spec {
                    self.word_rules.insert(name, (version, Arc::from(rule)));
                }
            }
            ResourceRef::RequestFilter(name) => {
                if let Spec::RequestFilter(filter) = spec {
                    self.filters.insert(name, (version, Arc::from(filter)));
                }
            }
        }
    }

    fn put_provider(&mut self, entry: ProviderEntry) {
        match self.providers.iter_mut().find(|old| old.id == entry.id) {
            Some(old) => *old = Arc::new(entry),
            None => self.providers.push(Arc::new(entry)),
        }
    }

    fn put_key(&mut self, entry: KeyEntry) {
        self.remove_key(entry.id);
        let id = entry.id;
        self.by_hash.insert(entry.key.hash, id);
        if let Some(previous) = &entry.key.previous {
            self.by_hash.insert(previous.hash, id);
        }
        self.keys.insert(id, Arc::new(entry));
    }

    fn remove_key(&mut self, id: KeyId) {
        let Some(entry) = self.keys.remove(&id) else {
            return;
        };
        let hashes = [
            Some(entry.key.hash),
            entry.key.previous.map(|previous| previous.hash),
        ];
        for hash in hashes.into_iter().flatten() {
            if self.by_hash.get(&hash) == Some(&id) {
                self.by_hash.remove(&hash);
            }
        }
    }

    fn remove(&mut self, reference: &ResourceRef) {
        self.refused.remove(reference);
        match reference {
            ResourceRef::Provider(id) => self.providers.retain(|entry| entry.id != *id),
            ResourceRef::User(id) => {
                self.users.remove(id);
            }
            ResourceRef::Key(id) => self.remove_key(*id),
            ResourceRef::Price(name) => {
                self.prices.remove(name);
            }
            ResourceRef::Setting(name) => {
                self.settings.remove(name);
            }
            ResourceRef::ImportSuffix(name) => {
                self.suffixes.remove(name);
            }
            ResourceRef::ErrorRule(name) => {
                self.rules.remove(name);
            }
            ResourceRef::WordRule(name) => {
                self.word_rules.remove(name);
            }
            ResourceRef::RequestFilter(name) => {
                self.filters.remove(name);
            }
        }
    }

    /// Keeps the last good version or denies, and remembers the refusal. `held` is the snapshot before the update,
    /// which has the last good versions also when the update is a full one. True when the providers changed.
    fn refuse(&mut self, held: &Self, refusal: &Refusal, spec: Option<&Spec>) -> bool {
        let version = RefusedVersion {
            version: refusal.version,
            reason: refusal.reason.clone(),
        };
        match &refusal.reference {
            ResourceRef::User(id) => self.deny_user(held, *id, spec),
            ResourceRef::Key(id) => self.deny_key(held, *id, spec),
            kept @ (ResourceRef::Provider(_)
            | ResourceRef::Price(_)
            | ResourceRef::Setting(_)
            | ResourceRef::ImportSuffix(_)
            | ResourceRef::ErrorRule(_)
            | ResourceRef::WordRule(_)
            | ResourceRef::RequestFilter(_)) => {
                if let Some(resource) = held.resource(kept) {
                    self.put(resource);
                }
            }
        }
        self.refused.insert(refusal.reference.clone(), version);
        matches!(refusal.reference, ResourceRef::Provider(_))
    }

    fn deny_user(&mut self, held: &Self, id: UserId, spec: Option<&Spec>) {
        let known = held.users.get(&id).map(|entry| entry.user.clone());
        let new = spec.and_then(|spec| {
            if let Spec::User(user) = spec {
                Some(user.clone())
            } else {
                None
            }
        });
        match new.or(known) {
            Some(mut user) => {
                user.access.enabled = false;
                self.users
                    .insert(id, Arc::new(UserEntry { id, version: 0, user }));
            }
            None => drop(self.users.remove(&id)),
        }
    }

    fn deny_key(&mut self, held: &Self, id: KeyId, spec: Option<&Spec>) {
        let known = held.keys.get(&id).map(|entry| entry.key.clone());
        let new = spec.and_then(|spec| {
            if let Spec::Key(key) = spec {
                Some(key.as_ref().clone())
            } else {
                None
            }
        });
        match new.or(known) {
            Some(mut key) => {
                key.access.enabled = false;
                self.put_key(KeyEntry { id, version: 0, key });
            }
            None => self.remove_key(id),
        }
    }
}

impl Refusal {
    pub fn new(resource: &Resource, reason: String) -> Self {
        Self {
            reference: resource.reference.clone(),
            version: resource.version,
            reason,
        }
    }
}
