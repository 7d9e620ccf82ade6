//! What a caller may see: everything, or (the role `user`) one user and what is its.
//!
//! The gate has decided that the RPC is open to the caller; here it is decided for which of the things that the call names.
//! Services whose RPCs are open to the role `user` find users and keys through a [`Scope`] and not by themselves. What
//! belongs to others is answered as what does not exist, in the same words, so that nobody learns who else is there.

use penstock_core::id::{KeyId, UserId};
use penstock_core::key::Key;
use penstock_core::operator::Role;
use penstock_core::resource::ResourceRef;
use penstock_core::setting::Setting;
use penstock_core::user::User;
use penstock_store::{Store, StoredSpec};
use tonic::{Code, Request, Status};

use super::names::{self, Found};
use super::status;
use crate::access::Actor;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope(Option<UserId>);

impl Scope {
    /// Of the authenticated caller.
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        match request.extensions().get::<Actor>() {
            // Without a user there is nothing to see; no user has this id.
            Some(actor) if actor.role == Role::User => {
                Self(Some(actor.user.unwrap_or(UserId(uuid::Uuid::nil()))))
            }
            Some(_) | None => Self(None),
        }
    }

    /// Of who may see everything.
    pub(super) fn everything() -> Self {
        Self(None)
    }

    /// The one user that is seen. None: all are.
    pub(super) fn own(self) -> Option<UserId> {
        self.0
    }

    /// Finds a user.
    pub(super) async fn user(self, store: &dyn Store, name: &str) -> Result<Found<UserId, User>, Status> {
        let found = names::user(store, name).await?;
        match self.0 {
            Some(own) if own != found.id => Err(missing("user", name)),
            Some(_) | None => Ok(found),
        }
    }

    /// Finds a key. A bare name is one of the caller's own.
    pub(super) async fn key(self, store: &dyn Store, name: &str) -> Result<Found<KeyId, Key>, Status> {
        let Some(own) = self.0 else {
            return names::key(store, name).await;
        };
        if name.is_empty() || name.parse::<KeyId>().is_ok() {
            let found = names::key(store, name).await?;
            return match found.value.user_id == own {
                true => Ok(found),
                false => Err(missing("key", name)),
            };
        }
        let bare = match name.split_once('/') {
            Some((owner, bare)) => {
                self.user(store, owner).await?;
                bare
            }
            None => name,
        };
        let found = names::key(store, &format!("{own}/{bare}")).await;
        found.map_err(|status| match status.code() == Code::NotFound {
            true => missing("key", name),
            false => status,
        })
    }

    /// Refuses what only those may ask who see everything.
    pub(super) fn refuse(self, what: &str) -> Result<(), Status> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(Status::permission_denied(format!(
                "{what} are not shown to the role user"
            ))),
        }
    }

    /// Whether this caller may change keys: always, or while self-service is on.
    pub(super) async fn may_change(self, store: &dyn Store) -> Result<(), Status> {
        if self.0.is_none() || self_service(store).await? {
            return Ok(());
        }
        Err(Status::permission_denied(
            "self-service is off, so users cannot create, rotate or delete keys; an operator can switch it on: \
             penstock setting set self_service true",
        ))
    }
}

/// Whether self-service is on, as the store has it now.
pub(super) async fn self_service(store: &dyn Store) -> Result<bool, Status> {
    let reference = ResourceRef::Setting(Setting::SelfService(true).name().into());
    let stored = names::get(store, &reference).await?;
    Ok(stored.is_some_and(|stored| stored.spec == StoredSpec::Setting(Setting::SelfService(true))))
}

fn missing(kind: &str, name: &str) -> Status {
    status::not_found(&format!("{kind} {name:?}"))
}
