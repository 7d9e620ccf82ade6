//! What a snapshot holds, as resources again: for the last known good file and for keeping a last good version.

use std::sync::Arc;

use super::Snapshot;
use crate::resource::{ImportSuffixSpec, ProviderSpec, Resource, ResourceRef, SCHEMA, Spec};
use crate::setting::ImportSuffix;

impl Snapshot {
    /// One resource that is in force.
    pub fn resource(&self, reference: &ResourceRef) -> Option<Resource> {
        let (version, spec) = match reference {
            ResourceRef::Provider(id) => {
                let entry = self.provider(*id)?;
                let spec = ProviderSpec {
                    provider: entry.provider.clone(),
                    credential: entry.credential.clone(),
                    proxy_password: entry.proxy_password.clone(),
                };
                (entry.version, Spec::Provider(Box::new(spec)))
            }
            ResourceRef::User(id) => {
                let entry = self.user(*id)?;
                (entry.version, Spec::User(entry.user.clone()))
            }
            ResourceRef::Key(id) => {
                let entry = self.key(*id)?;
                (entry.version, Spec::Key(Box::new(entry.key.clone())))
            }
            ResourceRef::Price(name) => {
                let entry = self.price(name)?;
                (entry.version, Spec::Price(Box::new(entry.price.clone())))
            }
            ResourceRef::Setting(name) => {
                let (version, setting) = self.settings.get(name)?;
                (*version, Spec::Setting(setting.clone()))
            }
            ResourceRef::ImportSuffix(name) => {
                let entry = self.suffixes.get(name)?;
                let suffix = ImportSuffix {
                    secret: entry.secret.clone(),
                };
                (entry.version, Spec::ImportSuffix(ImportSuffixSpec(suffix)))
            }
            ResourceRef::ErrorRule(name) => {
                let (version, rule) = self.rules.get(name)?;
                (*version, Spec::ErrorRule(Box::new(rule.as_ref().clone())))
            }
            ResourceRef::WordRule(name) => {
                let (version, rule) = self.word_rules.get(name)?;
                (*version, Spec::WordRule(Box::new(rule.as_ref().clone())))
            }
            ResourceRef::RequestFilter(name) => {
                let (version, filter) = self.filters.get(name)?;
                (*version, Spec::RequestFilter(Box::new(filter.as_ref().clone())))
            }
        };
        Some(Resource {
            reference: reference.clone(),
            version,
            min_schema: SCHEMA,
            spec,
        })
    }

    /// Everything in force, in no particular order inside a kind.
    pub fn resources(&self) -> impl Iterator<Item = Resource> {
        let providers = self.providers.iter().map(|entry| ResourceRef::Provider(entry.id));
        let users = self.users.values().map(|entry| ResourceRef::User(entry.id));
        let keys = self.keys.values().map(|entry| ResourceRef::Key(entry.id));
        let prices = self
            .prices
            .values()
            .map(|entry| ResourceRef::Price(Arc::clone(&entry.name)));
        let settings = self
            .settings
            .keys()
            .map(|name| ResourceRef::Setting(Arc::clone(name)));
        let suffixes = self
            .suffixes
            .keys()
            .map(|name| ResourceRef::ImportSuffix(Arc::clone(name)));
        let rules = self
            .rules
            .keys()
            .map(|name| ResourceRef::ErrorRule(Arc::clone(name)));
        let words = self
            .word_rules
            .keys()
            .map(|name| ResourceRef::WordRule(Arc::clone(name)));
        let filters = self
            .filters
            .keys()
            .map(|name| ResourceRef::RequestFilter(Arc::clone(name)));
        let references = providers
            .chain(users)
            .chain(keys)
            .chain(prices)
            .chain(settings)
            .chain(suffixes)
            .chain(rules)
            .chain(words)
            .chain(filters);
        references.filter_map(|reference| self.resource(&reference))
    }
}
