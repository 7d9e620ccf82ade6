//! Resources and their references.

use penstock_core::invalid::Invalid;
use penstock_core::resource::{ImportSuffixSpec, Kind, ProviderSpec, Resource, ResourceRef, Spec};
use penstock_core::secret::Secret;
use penstock_core::setting::ImportSuffix;

use super::access::{user_from_wire, user_to_wire};
use super::credential;
use super::enums::{kind_from_wire, kind_to_wire};
use super::error_rule::{error_rule_from_wire, error_rule_to_wire};
use super::key::{key_from_wire, key_to_wire};
use super::price::{price_from_wire, price_to_wire};
use super::provider::{provider_from_wire, provider_to_wire};
use super::request_filter::{request_filter_from_wire, request_filter_to_wire};
use super::required;
use super::setting::{setting_from_wire, setting_to_wire};
use super::word_rule::{word_rule_from_wire, word_rule_to_wire};
use crate::config::v1 as wire;

/// Writes a reference.
pub fn reference_to_wire(reference: &ResourceRef) -> wire::ResourceRef {
    wire::ResourceRef {
        kind: kind_to_wire(reference.kind()),
        id: reference.id(),
    }
}

/// Reads a reference.
pub fn reference_from_wire(reference: &wire::ResourceRef) -> Result<ResourceRef, Invalid> {
    ResourceRef::parse(kind_from_wire("kind", reference.kind)?, &reference.id)
}

/// Writes a resource, with its secrets.
pub fn resource_to_wire(resource: &Resource) -> wire::Resource {
    use wire::resource::Spec as Wire;
    let spec = match &resource.spec {
        Spec::Provider(spec) => Wire::Provider(Box::new(wire::Provider {
            spec: Some(provider_to_wire(&spec.provider)),
            credential: credential::key_to_wire(spec.credential.as_ref()),
            other_credential: credential::other_to_wire(spec.credential.as_ref()),
            // To the node that will present it to the proxy.
            proxy_password: spec
                .proxy_password
                .as_ref()
                .map(|secret| secret.expose().to_owned()),
        })),
        Spec::User(user) => Wire::User(user_to_wire(user)),
        Spec::Key(key) => Wire::Key(key_to_wire(key)),
        Spec::Price(price) => Wire::Price(price_to_wire(price)),
        Spec::Setting(setting) => Wire::Setting(setting_to_wire(setting)),
        // To the node that will hash presented keys with it.
        Spec::ImportSuffix(suffix) => Wire::ImportSuffix(wire::ImportSuffix {
            secret: suffix.0.secret.expose().to_owned(),
        }),
        Spec::ErrorRule(rule) => Wire::ErrorRule(error_rule_to_wire(rule)),
        Spec::WordRule(rule) => Wire::WordRule(word_rule_to_wire(rule)),
        Spec::RequestFilter(filter) => Wire::RequestFilter(request_filter_to_wire(filter)),
    };
    wire::Resource {
        id: resource.reference.id(),
        version: resource.version,
        min_schema: resource.min_schema,
        spec: Some(spec),
    }
}

/// Reads a resource. A spec of a kind that this release does not know is absent on the wire, and refused.
pub fn resource_from_wire(resource: wire::Resource) -> Result<Resource, Invalid> {
    use wire::resource::Spec as Wire;
    let (kind, spec) = match required("spec", resource.spec)? {
        Wire::Provider(provider) => {
            let spec = ProviderSpec {
                provider: provider_from_wire(required("provider.spec", provider.spec)?)?,
                credential: credential::from_wire(provider.credential, provider.other_credential)?,
                proxy_password: provider.proxy_password.map(Secret::new),
            };
            (Kind::Provider, Spec::Provider(Box::new(spec)))
        }
        Wire::User(user) => (Kind::User, Spec::User(user_from_wire(user)?)),
        Wire::Key(key) => (Kind::Key, Spec::Key(Box::new(key_from_wire(key)?))),
        Wire::Price(price) => (Kind::Price, Spec::Price(Box::new(price_from_wire(price)?))),
        Wire::Setting(setting) => (Kind::Setting, Spec::Setting(setting_from_wire(setting)?)),
        Wire::ImportSuffix(suffix) => {
            let secret = Secret::new(suffix.secret);
            (
                Kind::ImportSuffix,
                Spec::ImportSuffix(ImportSuffixSpec(ImportSuffix { secret })),
            )
        }
        Wire::ErrorRule(rule) => {
            let rule = error_rule_from_wire(&resource.id, rule)?;
            (Kind::ErrorRule, Spec::ErrorRule(Box::new(rule)))
        }
        Wire::WordRule(rule) => {
            let rule = word_rule_from_wire(&resource.id, rule)?;
            (Kind::WordRule, Spec::WordRule(Box::new(rule)))
        }
        Wire::RequestFilter(filter) => {
            let filter = request_filter_from_wire(&resource.id, filter)?;
            (Kind::RequestFilter, Spec::RequestFilter(Box::new(filter)))
        }
    };
    let reference = ResourceRef::parse(kind, &resource.id)?;
    Ok(Resource {
        reference,
        version: resource.version,
        min_schema: resource.min_schema,
        spec,
    })
}
