//! Whether a model exists as far as this gateway knows: callers invent names, and no state is kept for those.

use penstock_core::price::lookup;
use penstock_core::snapshot::{ProviderEntry, Snapshot};

/// To the price table, or to the provider's own model rules.
pub(super) fn is_known(snapshot: &Snapshot, provider: &ProviderEntry, model: &str) -> bool {
    let provider = &provider.provider;
    let price = |name: &str| snapshot.price(name).map(|entry| &entry.price);
    provider.models.iter().any(|pattern| pattern.matches(model))
        || lookup::resolve(provider.kind, &provider.name, model, price).is_some()
}
