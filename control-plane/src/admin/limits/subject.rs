//! A user, a key or a provider, as something that has limits.

use std::sync::Arc;

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::key::Key;
use penstock_core::limits::{Level, Limits};
use penstock_core::provider::Provider;
use penstock_core::user::User;
use penstock_proto::admin::v1::LimitSubject;
use penstock_proto::admin::v1::limit_subject::Subject;
use penstock_store::{CredentialChange, Expect, NewSpec, Put, Store};
use tonic::Status;

use super::super::names::{self, Found, FoundProvider};
use super::super::scope::Scope;
use super::super::status::required;

/// One subject as it is now.
pub(super) enum Held {
    Key {
        found: Box<Found<KeyId, Key>>,
        /// `user/key`.
        name: String,
    },
    User(Box<Found<UserId, User>>),
    Provider(Box<Found<ProviderId, FoundProvider>>),
}

/// Finds it by name or id, among what the caller may see.
pub(super) async fn find(store: &dyn Store, scope: Scope, subject: &LimitSubject) -> Result<Held, Status> {
    match required("subject", subject.subject.as_ref())? {
        Subject::Key(name) => {
            let found = Box::new(scope.key(store, name).await?);
            let owner = names::user_name(store, found.value.user_id).await?;
            let name = format!("{owner}/{}", found.value.name);
            Ok(Held::Key { found, name })
        }
        Subject::User(name) => scope.user(store, name).await.map(Box::new).map(Held::User),
        Subject::Provider(name) => {
            scope.refuse("providers")?;
            let found = names::provider(store, name).await?;
            Ok(Held::Provider(Box::new(found)))
        }
    }
}

impl Held {
    /// The user behind a key.
    pub(super) async fn owner(&self, store: &dyn Store) -> Result<Option<Self>, Status> {
        match self {
            Self::Key { found, .. } => {
                let owner = names::user(store, &found.value.user_id.to_string()).await?;
                Ok(Some(Self::User(Box::new(owner))))
            }
            Self::User(_) | Self::Provider(_) => Ok(None),
        }
    }

    pub(super) fn level(&self) -> Level {
        match self {
            Self::Key { .. } => Level::Key,
            Self::User(_) => Level::User,
            Self::Provider(_) => Level::Provider,
        }
    }

    pub(super) fn id(&self) -> String {
        match self {
            Self::Key { found, .. } => found.id.to_string(),
            Self::User(found) => found.id.to_string(),
            Self::Provider(found) => found.id.to_string(),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Key { name, .. } => name,
            Self::User(found) => &found.value.name,
            Self::Provider(found) => &found.value.provider.name,
        }
    }

    /// As messages call it.
    pub(super) fn label(&self) -> String {
        format!("{} {:?}", self.level().as_str(), self.name())
    }

    pub(super) fn limits(&self) -> &Limits {
        match self {
            Self::Key { found, .. } => &found.value.limits,
            Self::User(found) => &found.value.limits,
            Self::Provider(found) => &found.value.provider.limits,
        }
    }

    /// The same with other limits, to be written while it is as it was read.
    pub(super) fn with_limits(&self, limits: Arc<Limits>) -> Put {
        let (stored, spec) = match self {
            Self::Key { found, .. } => {
                let key = Key {
                    limits,
                    ..found.value.clone()
                };
                (&found.stored, NewSpec::Key(Box::new(key)))
            }
            Self::User(found) => {
                let user = User {
                    limits,
                    ..found.value.clone()
                };
                (&found.stored, NewSpec::User(user))
            }
            Self::Provider(found) => {
                let provider = Provider {
                    limits,
                    ..found.value.provider.clone()
                };
                let spec = NewSpec::Provider {
                    provider: Box::new(provider),
                    credential: CredentialChange::Keep,
                    proxy_password: CredentialChange::Keep,
                };
                (&found.stored, spec)
            }
        };
        Put::new(stored.reference.clone(), spec).expecting(Expect::Version(stored.version))
    }
}
