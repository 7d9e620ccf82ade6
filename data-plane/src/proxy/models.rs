//! `/v1/models`, answered from the snapshot.
//!
//! A model is listed when a provider that the caller may use serves it by name: the provider's exact patterns, and the
//! priced models of its platform that its patterns match (without patterns: all of them). What the key or its user may
//! not use is left out. Sorted by name.
//!
//! Prices stand under names such as `gpt-5.5`, `anthropic/x` or `PROVIDER/x`; what is before the slash is taken off
//! where it is the platform or this provider.

use std::collections::BTreeSet;

use penstock_core::dialect::Dialect;
use penstock_core::model::ModelPattern;
use penstock_core::provider::Request;
use penstock_core::snapshot::{Caller, PriceEntry, ProviderEntry, Snapshot};

/// Names of all models that the caller may use.
pub(super) fn list<'a>(snapshot: &'a Snapshot, caller: &Caller, dialect: Dialect) -> BTreeSet<&'a str> {
    let mut models = BTreeSet::new();
    for entry in snapshot.providers() {
        if is_usable(entry, caller) {
            let named = exact(entry).chain(snapshot.prices().filter_map(|price| priced(entry, price)));
            models.extend(named.filter(|model| is_served(entry, dialect, model)));
        }
    }
    models.retain(|model| may_use(caller, model));
    models
}

/// Whether the caller may use this model by this name.
pub(super) fn has(snapshot: &Snapshot, caller: &Caller, dialect: Dialect, model: &str) -> bool {
    may_use(caller, model) && list(snapshot, caller, dialect).contains(model)
}

fn may_use(caller: &Caller, model: &str) -> bool {
    caller.key.key.access.allows_model(model) && caller.user.user.access.allows_model(model)
}

fn is_usable(entry: &ProviderEntry, caller: &Caller) -> bool {
    let in_groups = |groups: &[String]| {
        groups.is_empty() || groups.iter().any(|group| entry.provider.groups.contains(group))
    };
    entry.provider.enabled
        && entry.credential.is_some()
        && in_groups(&caller.user.user.access.groups)
        && in_groups(&caller.key.key.access.groups)
}

/// OpenAI's APIs have one list.
fn is_served(entry: &ProviderEntry, dialect: Dialect, model: &str) -> bool {
    let served = |dialect| entry.provider.speech(Request::answer(dialect), model).is_some();
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => {
            served(Dialect::OpenaiChat)
                || served(Dialect::OpenaiResponses)
                || served(Dialect::OpenaiEmbeddings)
        }
        Dialect::Anthropic | Dialect::Gemini => served(dialect),
    }
}

fn exact(entry: &ProviderEntry) -> impl Iterator<Item = &str> {
    entry.provider.models.iter().filter_map(|pattern| match pattern {
        ModelPattern::Exact(name) => Some(name.as_str()),
        ModelPattern::Prefix(_)
        | ModelPattern::Suffix(_)
        | ModelPattern::Contains(_)
        | ModelPattern::Regex(_) => None,
    })
}

/// The model that a price is for, if the provider serves it.
fn priced<'a>(entry: &ProviderEntry, price: &'a PriceEntry) -> Option<&'a str> {
    let platform = entry.provider.kind.price_platform();
    let name: &str = &price.name;
    let own = |prefix: &str| name.strip_prefix(prefix)?.strip_prefix('/');
    let model = match own(&entry.provider.name) {
        Some(model) => model,
        None if price.price.platform != platform => return None,
        None => own(platform).unwrap_or(name),
    };
    let patterns = &entry.provider.models;
    let served = patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(model));
    served.then_some(model)
}
