//! Options that take one of a few words, so that `--help` and completions list them.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use penstock_core::dialect::Dialect;
use penstock_core::limits::{Budget, Dimension};
use penstock_core::provider::ProviderKind;
use penstock_core::setting::{Degraded, UnpricedAction};

/// A provider's kind.
pub(crate) fn provider_kind() -> impl TypedValueParser<Value = ProviderKind> {
    words(&ProviderKind::ALL, ProviderKind::as_str)
}

/// A client API.
pub(crate) fn dialect() -> impl TypedValueParser<Value = Dialect> {
    words(&Dialect::ALL, Dialect::as_str)
}

/// What happens to a model without a price.
pub(crate) fn unpriced_action() -> impl TypedValueParser<Value = UnpricedAction> {
    words(&UnpricedAction::ALL, UnpricedAction::as_str)
}

/// How a budget is held.
pub(crate) fn budget() -> impl TypedValueParser<Value = Budget> {
    words(&Budget::ALL, Budget::as_str)
}

/// What holds while Redis is away.
pub(crate) fn degraded() -> impl TypedValueParser<Value = Degraded> {
    words(&Degraded::ALL, Degraded::as_str)
}

/// What a limit counts.
pub(crate) fn dimension() -> impl TypedValueParser<Value = Dimension> {
    words(&Dimension::ALL, Dimension::as_str)
}

fn words<T>(all: &'static [T], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let names = all.iter().map(|value| word(*value));
    PossibleValuesParser::new(names).try_map(move |text: String| {
        let found = all.iter().find(|value| word(**value) == text);
        found.copied().ok_or("is not one of the possible values")
    })
}
