//! What people call a resource that is known by its id.
//!
//! Taken from the index, where a lookup costs nothing; a name that changed a moment ago may still be the old one. Where
//! a resource is gone, its id stands for it.

use penstock_core::id::UserId;
use penstock_core::resource::{ResourceRef, Spec};

use crate::index::Index;

/// The bare name: `main`, `alice/laptop`. None when the resource is gone.
pub(super) fn name(index: &Index, reference: &ResourceRef) -> Option<String> {
    let resource = index.get(reference)?;
    Some(match &resource.spec {
        Spec::Provider(spec) => spec.provider.name.clone(),
        Spec::User(user) => user.name.clone(),
        Spec::Key(key) => format!("{}/{}", user_name(index, key.user_id), key.name),
        Spec::Price(_)
        | Spec::Setting(_)
        | Spec::ImportSuffix(_)
        | Spec::ErrorRule(_)
        | Spec::WordRule(_)
        | Spec::RequestFilter(_) => reference.id(),
    })
}

/// The name of a user, else its id.
pub(super) fn user_name(index: &Index, id: UserId) -> String {
    name(index, &ResourceRef::User(id)).unwrap_or_else(|| id.to_string())
}

/// With its kind: `provider "main"`.
pub(super) fn label(index: &Index, reference: &ResourceRef) -> String {
    let name = name(index, reference).unwrap_or_else(|| reference.id());
    format!("{} {name:?}", reference.kind().as_str())
}
