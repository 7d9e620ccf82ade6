//! Whether a model exists as far as this gateway knows: callers invent names, and no state is kept for those.

use penstock_core::model::ModelPattern;
use penstock_core::price::lookup::{self, Rule};
use penstock_core::snapshot::{ProviderEntry, Snapshot};

/// By its exact name: it has a price, or an operator named it in the provider's rules or redirects. What a rule merely
/// matches, or a date behind a known name, callers can make up without end.
pub(super) fn is_known(snapshot: &Snapshot, provider: &ProviderEntry, model: &str) -> bool {
    let provider = &provider.provider;
    let price = |name: &str| snapshot.price(name).map(|entry| &entry.price);
    let named = |pattern: &ModelPattern| matches!(pattern, ModelPattern::Exact(name) if name == model);
    provider.models.iter().any(named)
        || provider.redirects.iter().any(|redirect| named(&redirect.from))
        || lookup::resolve(provider.kind, &provider.name, model, price)
            .is_some_and(|found| found.rule != Rule::Alias)
}
