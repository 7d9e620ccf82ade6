//! Options that take one of a few words, so that `--help` and completions list them.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use penstock_core::alert::{Preset, Rule};
use penstock_core::dialect::Dialect;
use penstock_core::error_rule::ErrorField;
use penstock_core::failure::Class;
use penstock_core::limits::{Budget, Dimension};
use penstock_core::operator::Role;
use penstock_core::provider::ProviderKind;
use penstock_core::resource::Kind as Resource;
use penstock_core::setting::{Degraded, UnpricedAction};
use penstock_core::usage::Outcome;

/// A kind of resource.
pub(crate) fn kind() -> impl TypedValueParser<Value = Resource> {
    words(&Resource::ALL, Resource::as_str)
}

/// A provider's kind.
pub(crate) fn provider_kind() -> impl TypedValueParser<Value = ProviderKind> {
    words(&ProviderKind::ALL, ProviderKind::as_str)
}

/// What an operator may do.
pub(crate) fn role() -> impl TypedValueParser<Value = Role> {
    words(&Role::ALL, Role::as_str)
}

/// Whose form a webhook's messages have.
pub(crate) fn preset() -> impl TypedValueParser<Value = Preset> {
    words(&Preset::ALL, Preset::as_str)
}

/// What operators are told of.
pub(crate) fn rule() -> impl TypedValueParser<Value = Rule> {
    words(&Rule::ALL, Rule::as_str)
}

/// A client API.
pub(crate) fn dialect() -> impl TypedValueParser<Value = Dialect> {
    words(&Dialect::ALL, Dialect::as_str)
}

/// What happens to a model without a price.
pub(crate) fn unpriced_action() -> impl TypedValueParser<Value = UnpricedAction> {
    words(&UnpricedAction::ALL, UnpricedAction::as_str)
}

/// How a call ended.
pub(crate) fn outcome() -> impl TypedValueParser<Value = Outcome> {
    words(&Outcome::ALL, Outcome::as_str)
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

/// What a failure means.
pub(crate) fn failure_class() -> impl TypedValueParser<Value = Class> {
    words(&Class::ALL, Class::as_str)
}

/// Where an error rule looks for its text.
pub(crate) fn error_field() -> impl TypedValueParser<Value = ErrorField> {
    const ALL: [ErrorField; 4] = [
        ErrorField::Any,
        ErrorField::Code,
        ErrorField::Type,
        ErrorField::Message,
    ];
    words(&ALL, field_name)
}

/// How it is written.
pub(crate) fn field_name(field: ErrorField) -> &'static str {
    match field {
        ErrorField::Any => "any",
        ErrorField::Code => "code",
        ErrorField::Type => "type",
        ErrorField::Message => "message",
    }
}

/// A provider's kind in an option that may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(pub(crate) ProviderKind);

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = ProviderKind::ALL.into_iter().find(|kind| kind.as_str() == text);
        let names = ProviderKind::ALL.map(ProviderKind::as_str).join(", ");
        found.map(Self).ok_or_else(|| format!("is not one of {names}"))
    }
}

/// A client API in a list that may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Api(pub(crate) Dialect);

impl std::str::FromStr for Api {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == text);
        let names = Dialect::ALL.map(Dialect::as_str).join(", ");
        found.map(Self).ok_or_else(|| format!("is not one of {names}"))
    }
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
