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
use crate::credentials::{Field, Sealer};

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
    pub(super) fn of(sealer: &Sealer, stored: &Stored, kind: BackupKind) -> Self {
        let secrets = secrets(&stored.spec)
            .into_iter()
            .filter_map(|(name, field, sealed)| {
                let place = Place::Resource(&stored.reference, field);
                let row = SecretRow::of(sealer, place, sealed, kind)?;
                Some((name.to_owned(), row))
            });
        Self {
            id: stored.reference.id(),
            min_schema: stored.min_schema,
            created_at: stored.created_at,
            spec: spec(&stored.spec),
            secrets: secrets.collect(),
        }
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

impl Item {
    /// Of its secrets that nobody could open.
    pub(super) fn remarks(&self) -> impl Iterator<Item = String> {
        let remarks = match &self.spec {
            ItemSpec::Provider {
                provider,
                credential,
                proxy_password,
            } => [(CREDENTIAL, credential), (PROXY_PASSWORD, proxy_password)].map(|(name, opened)| {
                let what = format!("the {} of provider {:?}", name.replace('_', " "), provider.name);
                opened.as_ref().and_then(|opened| opened.remark(&what))
            }),
            ItemSpec::ImportSuffix(opened) => {
                let what = format!("the secret of import suffix {:?}", self.reference.id());
                [opened.remark(&what), None]
            }
            ItemSpec::User(_)
            | ItemSpec::Key(_)
            | ItemSpec::Price(_)
            | ItemSpec::Setting(_)
            | ItemSpec::ErrorRule(_)
            | ItemSpec::WordRule(_)
            | ItemSpec::RequestFilter(_) => [None, None],
        };
        remarks.into_iter().flatten()
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

/// As a row names them, and what they are bound to beside the resource.
pub(super) fn secrets(spec: &StoredSpec) -> Vec<(&'static str, Field, &Sealed)> {
    match spec {
        StoredSpec::Provider(stored) => {
            let credential = stored.credential.iter();
            let credential = credential.map(|secret| (CREDENTIAL, Field::Credential, &secret.sealed));
            let password = stored.proxy_password.iter();
            let password = password.map(|secret| (PROXY_PASSWORD, Field::ProxyPassword, &secret.sealed));
            credential.chain(password).collect()
        }
        StoredSpec::ImportSuffix(sealed) => vec![(SUFFIX, Field::Suffix, sealed)],
        StoredSpec::User(_)
        | StoredSpec::Key(_)
        | StoredSpec::Price(_)
        | StoredSpec::Setting(_)
        | StoredSpec::ErrorRule(_)
        | StoredSpec::WordRule(_)
        | StoredSpec::RequestFilter(_) => Vec::new(),
    }
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
