//! The unit of configuration: one provider, user, key, price, setting, import suffix, error rule, word
//! rule or request filter, with its version.
//!
//! One edit by an operator is usually one small resource. Resources point at each other by id only (a key names its
//! user), so each can change, be refused or be sent alone.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::credential::Credential;
use crate::error_rule::ErrorRule;
use crate::id::{KeyId, ProviderId, UserId};
use crate::invalid::Invalid;
use crate::key::Key;
use crate::name;
use crate::price::Price;
use crate::provider::Provider;
use crate::request_filter::RequestFilter;
use crate::secret::Secret;
use crate::setting::{ImportSuffix, Setting};
use crate::user::User;
use crate::word_rule::WordRule;

/// The newest schema of resources that this release understands. A resource that asks for more is refused whole, so
/// that a restriction is never ignored.
///
/// | schema | came with |
/// |---|---|
/// | 2 | limits of users, keys and providers |
/// | 3 | routing: several base URLs, redirects, active hours, …; settings `routing`, `model_fallbacks`; error rules |
/// | 4 | dialects, kinds of providers, translation, credentials, access rules, words and filters, fees of requests |
/// | 5 | settings of operations: `self_service`, `notifications`, `logging`, `http_debug`, `retention`, `observability`, `drained_nodes`; rates of sound and pictures |
pub const SCHEMA: u32 = 5;

/// Names a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum ResourceRef {
    Provider(ProviderId),
    User(UserId),
    Key(KeyId),
    /// By name: the model, perhaps behind its platform.
    Price(Arc<str>),
    /// By [`Setting::name`].
    Setting(Arc<str>),
    ImportSuffix(Arc<str>),
    /// By [`ErrorRule::name`].
    ErrorRule(Arc<str>),
    WordRule(Arc<str>),
    RequestFilter(Arc<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Provider,
    User,
    Key,
    Price,
    Setting,
    ImportSuffix,
    ErrorRule,
    WordRule,
    RequestFilter,
}

/// One resource at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub reference: ResourceRef,
    /// Counts this resource's changes, from 1.
    pub version: u64,
    /// The lowest [`SCHEMA`] that understands every restriction in the spec.
    pub min_schema: u32,
    pub spec: Spec,
}

/// What a resource says. The variant agrees with that of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    Provider(Box<ProviderSpec>),
    User(User),
    Key(Box<Key>),
    Price(Box<Price>),
    Setting(Setting),
    ImportSuffix(ImportSuffixSpec),
    ErrorRule(Box<ErrorRule>),
    WordRule(Box<WordRule>),
    RequestFilter(Box<RequestFilter>),
}

/// A provider with what it takes to call it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderSpec {
    pub provider: Provider,
    /// None: not a candidate.
    pub credential: Option<Credential>,
    /// Of the proxy's user.
    pub proxy_password: Option<Secret>,
}

/// Wraps the secret so that [`Spec`] can be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportSuffixSpec(pub ImportSuffix);

impl fmt::Debug for ProviderSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderSpec")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ImportSuffixSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportSuffixSpec").finish_non_exhaustive()
    }
}

impl ResourceRef {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Provider(_) => Kind::Provider,
            Self::User(_) => Kind::User,
            Self::Key(_) => Kind::Key,
            Self::Price(_) => Kind::Price,
            Self::Setting(_) => Kind::Setting,
            Self::ImportSuffix(_) => Kind::ImportSuffix,
            Self::ErrorRule(_) => Kind::ErrorRule,
            Self::WordRule(_) => Kind::WordRule,
            Self::RequestFilter(_) => Kind::RequestFilter,
        }
    }

    /// The id or name alone.
    pub fn id(&self) -> String {
        match self {
            Self::Provider(id) => id.to_string(),
            Self::User(id) => id.to_string(),
            Self::Key(id) => id.to_string(),
            Self::Price(name)
            | Self::Setting(name)
            | Self::ImportSuffix(name)
            | Self::ErrorRule(name)
            | Self::WordRule(name)
            | Self::RequestFilter(name) => name.to_string(),
        }
    }

    /// Fails for an id that is not of the kind's form.
    pub fn parse(kind: Kind, id: &str) -> Result<Self, Invalid> {
        let bad = |_| Invalid::new("id", format!("{id:?} is not an id"));
        Ok(match kind {
            Kind::Provider => Self::Provider(id.parse().map_err(bad)?),
            Kind::User => Self::User(id.parse().map_err(bad)?),
            Kind::Key => Self::Key(id.parse().map_err(bad)?),
            Kind::Price => Self::Price(id.into()),
            Kind::Setting => Self::Setting(id.into()),
            Kind::ImportSuffix => Self::ImportSuffix(id.into()),
            Kind::ErrorRule => Self::ErrorRule(id.into()),
            Kind::WordRule => Self::WordRule(id.into()),
            Kind::RequestFilter => Self::RequestFilter(id.into()),
        })
    }
}

/// `provider 0198…`, `price claude-opus-4-8`.
impl fmt::Display for ResourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind().as_str(), self.id())
    }
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Provider,
        Self::User,
        Self::Key,
        Self::Price,
        Self::Setting,
        Self::ImportSuffix,
        Self::ErrorRule,
        Self::WordRule,
        Self::RequestFilter,
    ];

    /// The [`SCHEMA`] that the kind came with: older nodes cannot even name it.
    pub fn schema(self) -> u32 {
        match self {
            Self::Provider | Self::User | Self::Key | Self::Price | Self::Setting | Self::ImportSuffix => 1,
            Self::ErrorRule => ErrorRule::SCHEMA,
            Self::WordRule => WordRule::SCHEMA,
            Self::RequestFilter => RequestFilter::SCHEMA,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::User => "user",
            Self::Key => "key",
            Self::Price => "price",
            Self::Setting => "setting",
            Self::ImportSuffix => "import_suffix",
            Self::ErrorRule => "error_rule",
            Self::WordRule => "word_rule",
            Self::RequestFilter => "request_filter",
        }
    }
}

impl Resource {
    /// Whether this release can act on the whole resource.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.min_schema > SCHEMA {
            let problem = format!(
                "needs schema {}, this node understands {SCHEMA}: upgrade it",
                self.min_schema
            );
            return Err(Invalid::new("min_schema", problem));
        }
        match (&self.spec, &self.reference) {
            (Spec::Provider(spec), ResourceRef::Provider(_)) => spec.provider.validate(),
            (Spec::User(user), ResourceRef::User(_)) => user.validate(),
            (Spec::Key(key), ResourceRef::Key(_)) => key.validate(),
            (Spec::Price(price), ResourceRef::Price(name)) => price.validate(name),
            (Spec::Setting(setting), ResourceRef::Setting(name)) if setting.name() == &**name => {
                setting.validate()
            }
            (Spec::ImportSuffix(_), ResourceRef::ImportSuffix(name)) => name::check("name", name),
            (Spec::ErrorRule(rule), ResourceRef::ErrorRule(name)) if rule.name == **name => rule.validate(),
            (Spec::WordRule(rule), ResourceRef::WordRule(name)) if rule.name == **name => rule.validate(),
            (Spec::RequestFilter(rule), ResourceRef::RequestFilter(name)) if rule.name == **name => {
                rule.validate()
            }
            (spec, reference) => Err(Invalid::new(
                "spec",
                format!(
                    "is of kind {}, but the id is that of {reference}",
                    spec.kind_name()
                ),
            )),
        }
    }
}

impl Spec {
    /// The lowest [`SCHEMA`] that understands every restriction in it.
    pub fn required_schema(&self) -> u32 {
        match self {
            Self::Provider(spec) => {
                let credential = spec.credential.as_ref().map_or(1, Credential::required_schema);
                spec.provider.required_schema().max(credential)
            }
            Self::User(user) => user.limits.required_schema().max(user.access.required_schema()),
            Self::Key(key) => key.limits.required_schema().max(key.access.required_schema()),
            Self::Setting(setting) => setting.required_schema(),
            Self::ErrorRule(_) => ErrorRule::SCHEMA,
            Self::WordRule(_) => WordRule::SCHEMA,
            Self::RequestFilter(_) => RequestFilter::SCHEMA,
            Self::Price(price) => price.required_schema(),
            Self::ImportSuffix(_) => 1,
        }
    }

    fn kind_name(&self) -> &'static str {
        match self {
            Self::Provider(_) => "provider",
            Self::User(_) => "user",
            Self::Key(_) => "key",
            Self::Price(_) => "price",
            Self::Setting(setting) => setting.name(),
            Self::ImportSuffix(_) => "import_suffix",
            Self::ErrorRule(_) => "error_rule",
            Self::WordRule(_) => "word_rule",
            Self::RequestFilter(_) => "request_filter",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::tests::provider;

    fn resource() -> Resource {
        Resource {
            reference: ResourceRef::Provider(ProviderId::from_parts(1, &[1; 10])),
            version: 1,
            min_schema: 1,
            spec: Spec::Provider(Box::new(ProviderSpec {
                provider: provider("main"),
                credential: Some(Credential::ApiKey(Secret::new("sk-hidden"))),
                proxy_password: Some(Secret::new("pw-hidden")),
            })),
        }
    }

    #[test]
    fn a_newer_schema_is_refused_instead_of_half_understood() {
        let newer = Resource {
            min_schema: SCHEMA + 1,
            ..resource()
        };
        assert!(newer.validate().unwrap_err().problem.contains("upgrade"));
        assert_eq!(resource().validate(), Ok(()));
    }

    #[test]
    fn a_spec_under_another_kinds_id_is_refused() {
        let mixed = Resource {
            reference: ResourceRef::Price("x".into()),
            ..resource()
        };
        assert_eq!(mixed.validate().unwrap_err().field, "spec");
    }

    #[test]
    fn f01_printing_a_resource_shows_no_credential() {
        assert!(!format!("{:?}", resource()).contains("hidden"));
    }

    #[test]
    fn references_read_back_from_kind_and_id() {
        for reference in [resource().reference, ResourceRef::Price("gemini/x".into())] {
            assert_eq!(
                ResourceRef::parse(reference.kind(), &reference.id()),
                Ok(reference)
            );
        }
        assert!(ResourceRef::parse(Kind::Key, "x").is_err());
    }
}
