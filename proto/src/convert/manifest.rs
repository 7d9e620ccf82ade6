//! Resources as files declare them.

use penstock_core::api_key::KeyHash;
use penstock_core::error_rule::ErrorRule;
use penstock_core::id::UserId;
use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::price::Price;
use penstock_core::provider::Provider;
use penstock_core::request_filter::RequestFilter;
use penstock_core::resource::Kind;
use penstock_core::setting::Setting;
use penstock_core::user::User;
use penstock_core::{name, word_rule::WordRule};

use super::{
    error_rule_from_wire, key_spec_from_wire, price_from_wire, provider_from_wire, request_filter_from_wire,
    required, setting_from_wire, user_from_wire, word_rule_from_wire,
};
use crate::admin::v1::Manifest;
use crate::admin::v1::manifest::Spec;
use crate::config::v1 as config;

/// What a manifest declares, apart from its secrets. Valid in itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    Provider(Box<Provider>),
    User(User),
    /// Without its owner and its secret: both stand for nobody's.
    Key(Box<Key>),
    /// Always manual.
    Price(Box<Price>),
    Setting(Setting),
    ImportSuffix,
    ErrorRule(Box<ErrorRule>),
    WordRule(Box<WordRule>),
    RequestFilter(Box<RequestFilter>),
}

/// Which kind a manifest is of; None: it has no spec, or one of a newer release.
pub fn manifest_kind(manifest: &Manifest) -> Option<Kind> {
    Some(match manifest.spec.as_ref()? {
        Spec::Provider(_) => Kind::Provider,
        Spec::User(_) => Kind::User,
        Spec::Key(_) => Kind::Key,
        Spec::Price(_) => Kind::Price,
        Spec::Setting(_) => Kind::Setting,
        Spec::ImportSuffix(_) => Kind::ImportSuffix,
        Spec::ErrorRule(_) => Kind::ErrorRule,
        Spec::WordRule(_) => Kind::WordRule,
        Spec::RequestFilter(_) => Kind::RequestFilter,
    })
}

/// Reads and validates a manifest. Fields are named by their path below its spec; the name is `name`.
pub fn declared_from_wire(manifest: &Manifest) -> Result<Declared, Invalid> {
    let name = manifest.name.as_str();
    Ok(match required("spec", manifest.spec.as_ref())? {
        Spec::Provider(given) => provider(name, given.spec.clone())?,
        Spec::User(user) => {
            let user = user_from_wire(config::User {
                name: name.to_owned(),
                ..config::User::clone(user)
            })?;
            user.validate()?;
            Declared::User(user)
        }
        Spec::Key(given) => key(name, given.spec.clone())?,
        Spec::Price(price) => {
            let price = price_from_wire(config::Price {
                source: config::PriceSource::Manual.into(),
                ..price.clone()
            })?;
            price.validate(name)?;
            Declared::Price(Box::new(price))
        }
        Spec::Setting(setting) => {
            let read = setting_from_wire(setting.clone());
            let valid = read.and_then(|setting| setting.validate().map(|()| setting));
            let setting = valid.map_err(|invalid| Invalid {
                field: invalid
                    .field
                    .replacen("model_fallbacks[", "model_fallbacks.fallbacks[", 1),
                ..invalid
            })?;
            if setting.name() != name {
                let problem = format!("{name:?} is not the name of its value, {:?}", setting.name());
                return Err(Invalid::new("name", problem));
            }
            Declared::Setting(setting)
        }
        Spec::ImportSuffix(_) => {
            name::check("name", name)?;
            Declared::ImportSuffix
        }
        Spec::ErrorRule(rule) => {
            let rule = error_rule_from_wire(name, rule.clone())?;
            rule.validate()?;
            Declared::ErrorRule(Box::new(rule))
        }
        Spec::WordRule(rule) => {
            let rule = word_rule_from_wire(name, rule.clone())?;
            rule.validate()?;
            Declared::WordRule(Box::new(rule))
        }
        Spec::RequestFilter(filter) => {
            let filter = request_filter_from_wire(name, filter.clone())?;
            filter.validate()?;
            Declared::RequestFilter(Box::new(filter))
        }
    })
}

fn provider(name: &str, spec: Option<config::ProviderSpec>) -> Result<Declared, Invalid> {
    let spec = config::ProviderSpec {
        name: name.to_owned(),
        ..required("spec", spec)?
    };
    let read = provider_from_wire(spec).and_then(|provider| provider.validate().map(|()| provider));
    let provider = read.map_err(|invalid| inside(invalid, "spec"))?;
    Ok(Declared::Provider(Box::new(provider)))
}

fn key(name: &str, spec: Option<config::KeySpec>) -> Result<Declared, Invalid> {
    let spec = config::KeySpec {
        name: name.to_owned(),
        user_id: UserId(uuid::Uuid::nil()).to_string(),
        hint: String::new(),
        ..required("spec", spec)?
    };
    let read = key_spec_from_wire(spec, KeyHash([0; 32])).and_then(|key| key.validate().map(|()| key));
    let key = read.map_err(|invalid| inside(invalid, "spec"))?;
    Ok(Declared::Key(Box::new(key)))
}

/// A manifest's name stands outside its spec.
fn inside(invalid: Invalid, spec: &str) -> Invalid {
    match invalid.field.as_str() {
        "name" => invalid,
        _ => invalid.within(spec),
    }
}
