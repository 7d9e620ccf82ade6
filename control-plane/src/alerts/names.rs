//! Names of resources, for people.

use std::sync::Arc;

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::provider::Provider;
use penstock_core::resource::{Resource, ResourceRef, Spec};

use crate::index::Index;

/// None: it was deleted.
pub(super) fn provider(index: &Index, id: ProviderId) -> Option<Provider> {
    let resource = index.get(&ResourceRef::Provider(id))?;
    if let Spec::Provider(spec) = &resource.spec {
        return Some(spec.provider.clone());
    }
    None
}

pub(super) fn provider_name(index: &Index, id: ProviderId) -> String {
    provider(index, id).map_or_else(|| id.to_string(), |provider| provider.name)
}

pub(super) fn user_name(index: &Index, id: UserId) -> String {
    name(index.get(&ResourceRef::User(id)).as_ref()).unwrap_or_else(|| id.to_string())
}

pub(super) fn key_name(index: &Index, id: KeyId) -> String {
    name(index.get(&ResourceRef::Key(id)).as_ref()).unwrap_or_else(|| id.to_string())
}

fn name(resource: Option<&Arc<Resource>>) -> Option<String> {
    if let Spec::User(user) = &resource?.spec {
        return Some(user.name.clone());
    }
    if let Spec::Key(key) = &resource?.spec {
        return Some(key.name.clone());
    }
    None
}
