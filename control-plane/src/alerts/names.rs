//! Names of resources, for people.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::provider::Provider;
use penstock_core::resource::{ResourceRef, Spec};

use crate::index::Index;

/// None: it was deleted.
pub(super) fn provider(index: &Index, id: ProviderId) -> Option<Provider> {
    match &index.get(&ResourceRef::Provider(id))?.spec {
        Spec::Provider(spec) => Some(spec.provider.clone()),
        _ => None,
    }
}

pub(super) fn provider_name(index: &Index, id: ProviderId) -> String {
    provider(index, id).map_or_else(|| id.to_string(), |provider| provider.name.to_string())
}

pub(super) fn user_name(index: &Index, id: UserId) -> String {
    let name = index
        .get(&ResourceRef::User(id))
        .and_then(|resource| match &resource.spec {
            Spec::User(user) => Some(user.name.to_string()),
            _ => None,
        });
    name.unwrap_or_else(|| id.to_string())
}

pub(super) fn key_name(index: &Index, id: KeyId) -> String {
    let name = index
        .get(&ResourceRef::Key(id))
        .and_then(|resource| match &resource.spec {
            Spec::Key(key) => Some(key.name.to_string()),
            _ => None,
        });
    name.unwrap_or_else(|| id.to_string())
}
