//! The history of the configuration: who changed what, when and why.
//!
//! The log holds each resource before and after a change as JSON: the domain's own form without secrets. A credential
//! or a proxy's password appears as the version that set it, a key without its hashes, an import suffix not at all.

use std::sync::Arc;

use penstock_core::access::Access;
use penstock_core::error_rule::ErrorRule;
use penstock_core::id::{Epoch, UserId};
use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::limits::Limits;
use penstock_core::price::Price;
use penstock_core::provider::Provider;
use penstock_core::request_filter::RequestFilter;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::setting::Setting;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_core::word_rule::WordRule;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::stored::StoredSpec;

/// Which revisions are meant. The default: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevisionFilter {
    /// Only those below.
    pub before: Option<u64>,
    /// Only those of this actor.
    pub actor: Option<String>,
    /// Only those that changed the resource that has this name or id, or once had it.
    pub resource: Option<(Kind, String)>,
}

/// One commit as the log tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    pub revision: u64,
    pub epoch: Epoch,
    pub at: UnixMs,
    pub actor: String,
    pub reason: String,
    /// All that it changed; `changes` may hold fewer.
    pub change_count: u32,
    /// In the order in which they were made.
    pub changes: Vec<Change>,
}

/// One resource in one revision, or between two revisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub reference: ResourceRef,
    /// For people, as it was called then: `provider "main"`, `key "alice/laptop"`.
    pub label: String,
    pub action: Action,
    /// Of the resource after the change; in [`Differences`] after the last change of the span. A deletion has one too.
    pub version: u64,
    /// What [`LoggedSpec::read`] takes. None: did not exist.
    pub before: Option<Value>,
    pub after: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Created,
    Updated,
    Deleted,
}

/// What lies between two revisions, each resource once. `before` is the state at `from`, `after` that at `to`, also
/// when `from` is the later one. Resources that are the same at both are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    pub from: u64,
    pub to: u64,
    /// Ordered by kind and id.
    pub changes: Vec<Change>,
}

/// A resource as the log remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedSpec {
    Provider(Box<LoggedProvider>),
    User(User),
    Key(Box<LoggedKey>),
    Price(Box<Price>),
    Setting(Setting),
    ImportSuffix,
    ErrorRule(Box<ErrorRule>),
    WordRule(Box<WordRule>),
    RequestFilter(Box<RequestFilter>),
}

/// A provider and whether it had a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedProvider {
    #[serde(flatten)]
    pub provider: Provider,
    /// None: it had none.
    pub credential_version: Option<u64>,
    /// None: the proxy had no password, or there was none.
    #[serde(default)]
    pub proxy_password_version: Option<u64>,
}

/// A key without its hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedKey {
    pub name: String,
    pub user_id: UserId,
    pub access: Access,
    /// Keys from before there were limits had none.
    #[serde(default = "Limits::none")]
    pub limits: Arc<Limits>,
    pub hint: String,
    pub import_suffix: Option<String>,
    /// Until when the secret before the last rotation works.
    pub previous_valid_until: Option<UnixMs>,
}

/// All that is said of an import suffix.
#[derive(Serialize)]
struct Nothing {}

impl LoggedSpec {
    /// Reads what the log holds. Fails for a form that this release does not know.
    pub fn read(kind: Kind, json: &Value) -> Result<Self, Invalid> {
        let read = match kind {
            Kind::Provider => LoggedProvider::deserialize(json).map(|p| Self::Provider(Box::new(p))),
            Kind::User => User::deserialize(json).map(Self::User),
            Kind::Key => LoggedKey::deserialize(json).map(|k| Self::Key(Box::new(k))),
            Kind::Price => Price::deserialize(json).map(|p| Self::Price(Box::new(p))),
            Kind::Setting => Setting::deserialize(json).map(Self::Setting),
            Kind::ImportSuffix => Ok(Self::ImportSuffix),
            Kind::ErrorRule => ErrorRule::deserialize(json).map(|r| Self::ErrorRule(Box::new(r))),
            Kind::WordRule => WordRule::deserialize(json).map(|r| Self::WordRule(Box::new(r))),
            Kind::RequestFilter => RequestFilter::deserialize(json).map(|r| Self::RequestFilter(Box::new(r))),
        };
        read.map_err(|e| Invalid::new("log", format!("an old {} cannot be read: {e}", kind.as_str())))
    }

    /// What the log holds of it.
    pub fn write(&self) -> Result<Value, Invalid> {
        let written = match self {
            Self::Provider(provider) => serde_json::to_value(provider),
            Self::User(user) => serde_json::to_value(user),
            Self::Key(key) => serde_json::to_value(key),
            Self::Price(price) => serde_json::to_value(price),
            Self::Setting(setting) => serde_json::to_value(setting),
            Self::ImportSuffix => serde_json::to_value(Nothing {}),
            Self::ErrorRule(rule) => serde_json::to_value(rule),
            Self::WordRule(rule) => serde_json::to_value(rule),
            Self::RequestFilter(rule) => serde_json::to_value(rule),
        };
        written.map_err(|e| Invalid::new("spec", e.to_string()))
    }
}

impl From<&StoredSpec> for LoggedSpec {
    fn from(spec: &StoredSpec) -> Self {
        match spec {
            StoredSpec::Provider(stored) => Self::Provider(Box::new(LoggedProvider {
                provider: stored.provider.clone(),
                credential_version: stored.credential.as_ref().map(|c| c.version),
                proxy_password_version: stored.proxy_password.as_ref().map(|c| c.version),
            })),
            StoredSpec::User(user) => Self::User(user.clone()),
            StoredSpec::Key(key) => Self::Key(Box::new(LoggedKey::from(&**key))),
            StoredSpec::Price(price) => Self::Price(price.clone()),
            StoredSpec::Setting(setting) => Self::Setting(setting.clone()),
            StoredSpec::ImportSuffix(_) => Self::ImportSuffix,
            StoredSpec::ErrorRule(rule) => Self::ErrorRule(rule.clone()),
            StoredSpec::WordRule(rule) => Self::WordRule(rule.clone()),
            StoredSpec::RequestFilter(rule) => Self::RequestFilter(rule.clone()),
        }
    }
}

impl From<&Key> for LoggedKey {
    fn from(key: &Key) -> Self {
        Self {
            name: key.name.clone(),
            user_id: key.user_id,
            access: key.access.clone(),
            limits: Arc::clone(&key.limits),
            hint: key.hint.clone(),
            import_suffix: key.import_suffix.clone(),
            previous_valid_until: key.previous.map(|previous| previous.valid_until),
        }
    }
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}
