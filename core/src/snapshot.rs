//! All resources at one revision, indexed for the request path.
//!
//! A snapshot is immutable. [`Snapshot::apply`] makes the next one from an update: its large indexes are sharded and
//! copied on write, so a change costs its own size and not the number of keys. A request loads one snapshot when it
//! begins and keeps it to its end.
//!
//! What does not validate is refused alone: a provider, price, setting, error rule, word rule or request filter keeps its last good version; a user or key
//! is denied, for the refused version may have taken a right away. Refusals are remembered until the resource
//! changes, so that operators see them and a reconnecting node can name them.

mod apply;
mod authenticate;
mod derived;
mod held;
mod sharded;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use apply::{Refusal, Update, UpdateError, Upsert};
pub use authenticate::Caller;
use sharded::Sharded;

use crate::api_key::KeyHash;
use crate::credential::Credential;
use crate::error_rule::ErrorRule;
use crate::failure::ErrorRules;
use crate::id::{Epoch, KeyId, ProviderId, UserId};
use crate::key::Key;
use crate::price::Price;
use crate::provider::Provider;
use crate::request_filter::{RequestFilter, RequestFilters};
use crate::resource::ResourceRef;
use crate::secret::Secret;
use crate::setting::{
    HttpDebug, LimitsPolicy, LoggingPolicy, ModelFallback, ObservabilityPolicy, RoutingPolicy, Setting,
    UnpricedPolicy,
};
use crate::user::User;
use crate::word_rule::{WordRule, Words};

/// The state of the configuration that a data plane acts on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    epoch: Option<Epoch>,
    revision: u64,
    /// By priority, then name: the order in which routing looks at them.
    providers: Vec<Arc<ProviderEntry>>,
    users: Sharded<UserId, Arc<UserEntry>>,
    keys: Sharded<KeyId, Arc<KeyEntry>>,
    by_hash: Sharded<KeyHash, KeyId>,
    prices: Sharded<Arc<str>, Arc<PriceEntry>>,
    settings: BTreeMap<Arc<str>, (u64, Setting)>,
    suffixes: BTreeMap<Arc<str>, SuffixEntry>,
    rules: BTreeMap<Arc<str>, (u64, Arc<ErrorRule>)>,
    word_rules: BTreeMap<Arc<str>, (u64, Arc<WordRule>)>,
    filters: BTreeMap<Arc<str>, (u64, Arc<RequestFilter>)>,
    /// The enabled ones of `rules`, in their order.
    error_rules: Arc<ErrorRules>,
    /// The enabled ones of `word_rules`, compiled.
    words: Arc<Words>,
    /// The enabled ones of `filters`, in their order, compiled.
    request_filters: Arc<RequestFilters>,
    unpriced: UnpricedPolicy,
    explain_refusals: bool,
    limits: LimitsPolicy,
    routing: RoutingPolicy,
    fallbacks: Vec<ModelFallback>,
    logging: LoggingPolicy,
    http_debug: HttpDebug,
    drained_nodes: Vec<String>,
    observability: ObservabilityPolicy,
    refused: BTreeMap<ResourceRef, RefusedVersion>,
}

/// A provider in force.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderEntry {
    pub id: ProviderId,
    pub version: u64,
    pub provider: Provider,
    /// None: not a candidate.
    pub credential: Option<Credential>,
    /// Of the proxy's user.
    pub proxy_password: Option<Secret>,
}

/// A user in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEntry {
    pub id: UserId,
    pub version: u64,
    pub user: User,
}

/// A key in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    pub id: KeyId,
    pub version: u64,
    pub key: Key,
}

/// A price in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceEntry {
    pub name: Arc<str>,
    pub version: u64,
    pub price: Price,
}

/// The version of a resource that was refused last, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedVersion {
    pub version: u64,
    pub reason: String,
}

#[derive(Clone, PartialEq, Eq)]
struct SuffixEntry {
    version: u64,
    secret: Secret,
}

impl Snapshot {
    /// None until something has been applied.
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// By priority, then name.
    pub fn providers(&self) -> &[Arc<ProviderEntry>] {
        &self.providers
    }

    pub fn provider(&self, id: ProviderId) -> Option<&Arc<ProviderEntry>> {
        self.providers.iter().find(|entry| entry.id == id)
    }

    pub fn user(&self, id: UserId) -> Option<&Arc<UserEntry>> {
        self.users.get(&id)
    }

    pub fn key(&self, id: KeyId) -> Option<&Arc<KeyEntry>> {
        self.keys.get(&id)
    }

    pub fn price(&self, name: &str) -> Option<&Arc<PriceEntry>> {
        self.prices.get(name)
    }

    pub fn prices(&self) -> impl Iterator<Item = &Arc<PriceEntry>> {
        self.prices.values()
    }

    pub fn unpriced(&self) -> &UnpricedPolicy {
        &self.unpriced
    }

    pub fn explain_refusals(&self) -> bool {
        self.explain_refusals
    }

    /// Whether an operator took this data plane out of service.
    pub fn is_drained(&self, node: &str) -> bool {
        self.drained_nodes.iter().any(|drained| drained == node)
    }

    /// How limits are enforced as a whole.
    pub fn limits(&self) -> LimitsPolicy {
        self.limits
    }

    /// The operators' rules on upstream errors.
    pub fn error_rules(&self) -> &Arc<ErrorRules> {
        &self.error_rules
    }

    /// What requests must not contain.
    pub fn words(&self) -> &Arc<Words> {
        &self.words
    }

    /// What is changed in requests.
    pub fn request_filters(&self) -> &Arc<RequestFilters> {
        &self.request_filters
    }

    /// What is logged.
    pub fn logging(&self) -> &LoggingPolicy {
        &self.logging
    }

    /// Which HTTP traffic is written out. None: of nobody, which is nearly always so.
    pub fn http_debug(&self) -> Option<&HttpDebug> {
        (!self.http_debug.windows.is_empty()).then_some(&self.http_debug)
    }

    /// What is observed beyond what costs nothing.
    pub fn observability(&self) -> ObservabilityPolicy {
        self.observability
    }

    /// How providers are tried.
    pub fn routing(&self) -> RoutingPolicy {
        self.routing
    }

    /// What may be asked for instead when nobody serves the model, in this order (behaviour B14).
    pub fn model_fallbacks(&self, model: &str) -> &[String] {
        let found = self
            .fallbacks
            .iter()
            .find(|fallback| fallback.model.matches(model));
        found.map_or(&[], |fallback| &fallback.substitutes)
    }

    /// Everything that is refused now.
    pub fn refused(&self) -> impl Iterator<Item = (&ResourceRef, &RefusedVersion)> {
        self.refused.iter()
    }

    pub fn counts(&self) -> Counts {
        Counts {
            providers: self.providers.len(),
            users: self.users.len(),
            keys: self.keys.len(),
            prices: self.prices.len(),
        }
    }
}

/// How much a snapshot holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub providers: usize,
    pub users: usize,
    pub keys: usize,
    pub prices: usize,
}

impl std::fmt::Debug for ProviderEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderEntry")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SuffixEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SuffixEntry")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
