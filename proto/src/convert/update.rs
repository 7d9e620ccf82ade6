//! Parts of an update, and refusals.

use penstock_core::invalid::Invalid;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::snapshot::{Refusal, Upsert};

use super::required;
use super::resource::{reference_from_wire, reference_to_wire, resource_from_wire};
use crate::config::v1 as wire;
use crate::sync::v1 as sync;

/// Reads one resource of an update. One that cannot be read, but can be named, becomes a refusal; one that cannot
/// even be named is an error of the stream.
pub fn upsert_from_wire(resource: wire::Resource) -> Result<Upsert, Invalid> {
    let version = resource.version;
    let reference = name_of(&resource);
    match resource_from_wire(resource) {
        Ok(resource) => Ok(Upsert::Resource(resource)),
        Err(invalid) => {
            let reference = reference.map_err(|_| invalid.clone())?;
            Ok(Upsert::Unreadable(Refusal {
                reference,
                version,
                reason: invalid.to_string(),
            }))
        }
    }
}

/// Writes a refusal.
pub fn nack_to_wire(refusal: &Refusal) -> sync::Nack {
    sync::Nack {
        resource: Some(reference_to_wire(&refusal.reference)),
        version: refusal.version,
        reason: refusal.reason.clone(),
    }
}

/// Reads a refusal.
pub fn nack_from_wire(nack: sync::Nack) -> Result<Refusal, Invalid> {
    let reference = reference_from_wire(&required("resource", nack.resource)?)?;
    Ok(Refusal {
        reference,
        version: nack.version,
        reason: nack.reason,
    })
}

fn name_of(resource: &wire::Resource) -> Result<ResourceRef, Invalid> {
    use wire::resource::Spec;
    let kind = match resource.spec {
        Some(Spec::Provider(_)) => Kind::Provider,
        Some(Spec::User(_)) => Kind::User,
        Some(Spec::Key(_)) => Kind::Key,
        Some(Spec::Price(_)) => Kind::Price,
        Some(Spec::Setting(_)) => Kind::Setting,
        Some(Spec::ImportSuffix(_)) => Kind::ImportSuffix,
        Some(Spec::ErrorRule(_)) => Kind::ErrorRule,
        Some(Spec::WordRule(_)) => Kind::WordRule,
        Some(Spec::RequestFilter(_)) => Kind::RequestFilter,
        None => return Err(Invalid::new("spec", "is missing")),
    };
    ResourceRef::parse(kind, &resource.id)
}
