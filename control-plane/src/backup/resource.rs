//! A resource as a row, and back.
//!
//! The spec is the domain's own form, as the history keeps it, except that a key stands with its hashes. Secrets are
//! beside it.

use std::collections::BTreeMap;

use penstock_core::backup::BackupKind;
use penstock_core::error_rule::ErrorRule;
use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::price::Price;
use penstock_core::provider::Provider;
use penstock_core::request_filter::RequestFilter;
use penstock_core::resource::{Kind, ResourceRef, SCHEMA};
use penstock_core::setting::Setting;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_core::word_rule::WordRule;
use penstock_store::{Sealed, Stored, StoredSpec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secret::{Opened, Place, SecretRow};
use crate::credentials::{Field, Sealer, UnsealError};

const CREDENTIAL: &str = "credential";
const PROXY_PASSWORD: &str = "proxy_password";
const SUFFIX: &str = "suffix";

/// One line of the configuration.
#[derive(Serialize, Deserialize)]
pub(super) struct ResourceRow {
    id: String,
    min_schema: u32,
    created_at: UnixMs,
    spec: Value,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    secrets: BTreeMap<String, SecretRow>,
}

/// A resource of a backup, whole and valid.
pub(super) struct Item {
    pub(super) reference: ResourceRef,
    pub(super) created_at: UnixMs,
    pub(super) spec: ItemSpec,
}

pub(super) enum ItemSpec {
    Provider {
        provider: Box<Provider>,
        credential: Option<Opened>,
        proxy_password: Option<Opened>,
    },
    ImportSuffix(Opened),
    User(User),
    Key(Box<Key>),
    Price(Box<Price>),
    Setting(Setting),
    ErrorRule(Box<ErrorRule>),
    WordRule(Box<WordRule>),
    RequestFilter(Box<RequestFilter>),
}

impl ResourceRow {
    pub(super) fn of(sealer: &Sealer, stored: &Stored, kind: BackupKind) -> Result<Self, UnsealError> {
        let mut secrets = BTreeMap::new();
        let mut add = |name: &str, field, sealed: &Sealed| -> Result<(), UnsealError> {
            let row = SecretRow::of(sealer, Place::Resource(&stored.reference, field), sealed, kind)?;
            secrets.extend(row.map(|row| (name.to_owned(), row)));
            Ok(())
        };
        match &stored.spec {
            StoredSpec::Provider(spec) => {
                if let Some(credential) = &spec.credential {
                    add(CREDENTIAL, Field::Credential, &credential.sealed)?;
                }
                if let Some(password) = &spec.proxy_password {
                    add(PROXY_PASSWORD, Field::ProxyPassword, &password.sealed)?;
                }
            }
            StoredSpec::ImportSuffix(sealed) => add(SUFFIX, Field::Suffix, sealed)?,
            StoredSpec::User(_)
            | StoredSpec::Key(_)
            | StoredSpec::Price(_)
            | StoredSpec::Setting(_)
            | StoredSpec::ErrorRule(_)
            | StoredSpec::WordRule(_)
            | StoredSpec::RequestFilter(_) => {}
        }
        Ok(Self {
            id: stored.reference.id(),
            min_schema: stored.min_schema,
            created_at: stored.created_at,
            spec: spec(&stored.spec),
            secrets,
        })
    }

    /// What is wrong with it names the resource.
    pub(super) fn read(self, kind: Kind, sealer: &Sealer) -> Result<Item, Invalid> {
        let reference = ResourceRef::parse(kind, &self.id)?;
        let label = reference.to_string();
        let (created_at, schema) = (self.created_at, self.min_schema);
        if schema > SCHEMA {
            let problem =
                format!("needs schema {schema}, and this release knows {SCHEMA}: use a newer release");
            return Err(Invalid::new(label, problem));
        }
        let spec = self.read_spec(&reference, sealer)?;
        spec.validate(&reference)
            .map_err(|invalid| Invalid::new(label, invalid.to_string()))?;
        Ok(Item {
            reference,
            created_at,
            spec,
        })
    }

    fn read_spec(mut self, reference: &ResourceRef, sealer: &Sealer) -> Result<ItemSpec, Invalid> {
        let mut secret = |name, field| match self.secrets.remove(name) {
            None => Ok(None),
            Some(row) => {
                let opened = row.open(sealer, Place::Resource(reference, field));
                let bad = |error| Invalid::new(format!("the {name} of {reference}"), format!("{error}"));
                opened.map(Some).map_err(bad)
            }
        };
        let value = std::mem::take(&mut self.spec);
        Ok(match reference.kind() {
            Kind::Provider => ItemSpec::Provider {
                credential: secret(CREDENTIAL, Field::Credential)?,
                proxy_password: secret(PROXY_PASSWORD, Field::ProxyPassword)?,
                provider: boxed(reference, value)?,
            },
            Kind::ImportSuffix => {
                let missing = || Invalid::new(reference.to_string(), "has no secret");
                ItemSpec::ImportSuffix(secret(SUFFIX, Field::Suffix)?.ok_or_else(missing)?)
            }
            Kind::User => ItemSpec::User(*boxed(reference, value)?),
            Kind::Key => ItemSpec::Key(boxed(reference, value)?),
            Kind::Price => ItemSpec::Price(boxed(reference, value)?),
            Kind::Setting => ItemSpec::Setting(*boxed(reference, value)?),
            Kind::ErrorRule => ItemSpec::ErrorRule(boxed(reference, value)?),
            Kind::WordRule => ItemSpec::WordRule(boxed(reference, value)?),
            Kind::RequestFilter => ItemSpec::RequestFilter(boxed(reference, value)?),
        })
    }
}

impl ItemSpec {
    fn validate(&self, reference: &ResourceRef) -> Result<(), Invalid> {
        let name = reference.id();
        let same = |given: &str| match given == name {
            true => Ok(()),
            false => Err(Invalid::new("name", "is another than the id")),
        };
        match self {
            Self::Provider { provider, .. } => provider.validate(),
            Self::ImportSuffix(_) => penstock_core::name::check("name", &name),
            Self::User(user) => user.validate(),
            Self::Key(key) => key.validate(),
            Self::Price(price) => price.validate(&name),
            Self::Setting(setting) => same(setting.name()).and_then(|()| setting.validate()),
            Self::ErrorRule(rule) => same(&rule.name).and_then(|()| rule.validate()),
            Self::WordRule(rule) => same(&rule.name).and_then(|()| rule.validate()),
            Self::RequestFilter(rule) => same(&rule.name).and_then(|()| rule.validate()),
        }
    }
}

fn boxed<T: DeserializeOwned>(reference: &ResourceRef, value: Value) -> Result<Box<T>, Invalid> {
    // The parser's own words could quote a hash.
    let bad = |_| {
        Invalid::new(
            reference.to_string(),
            "is in a form that this release does not know",
        )
    };
    serde_json::from_value(value).map(Box::new).map_err(bad)
}

/// Plain data always has a form.
fn spec(spec: &StoredSpec) -> Value {
    let value = match spec {
        StoredSpec::Provider(stored) => serde_json::to_value(&stored.provider),
        StoredSpec::User(user) => serde_json::to_value(user),
        StoredSpec::Key(key) => serde_json::to_value(key),
        StoredSpec::Price(price) => serde_json::to_value(price),
        StoredSpec::Setting(setting) => serde_json::to_value(setting),
        StoredSpec::ErrorRule(rule) => serde_json::to_value(rule),
        StoredSpec::WordRule(rule) => serde_json::to_value(rule),
        StoredSpec::RequestFilter(filter) => serde_json::to_value(filter),
        StoredSpec::ImportSuffix(_) => Ok(Value::Null),
    };
    value.unwrap_or_default()
}
