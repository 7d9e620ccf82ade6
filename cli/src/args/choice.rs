//! Options that take one of a few words, so that `--help` and completions list them.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use penstock_core::provider::ProviderKind;
use penstock_core::setting::UnpricedAction;

/// What a limit counts.
pub(crate) fn dimension() -> impl TypedValueParser<Value = penstock_core::limits::Dimension> {
    use penstock_core::limits::Dimension;
    words(&Dimension::ALL, Dimension::as_str)
}

/// A provider's kind.
pub(crate) fn provider_kind() -> impl TypedValueParser<Value = ProviderKind> {
    words(&ProviderKind::ALL, ProviderKind::as_str)
}

/// What happens to a model without a price.
pub(crate) fn unpriced_action() -> impl TypedValueParser<Value = UnpricedAction> {
    words(&UnpricedAction::ALL, UnpricedAction::as_str)
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
