//! Which price a call pays.
//!
//! Prices are found by exact name only; a name that merely looks like another finds nothing, because a wrong price is
//! worse than a missing one, which is a visible condition with a policy. The names are tried in this order:
//!
//! | # | name | rule |
//! |---|---|---|
//! | 1 | `PROVIDER/MODEL`, PROVIDER being the provider's own name | [`Rule::Provider`] |
//! | 2 | `MODEL`, when its price is of the provider's platform | [`Rule::Exact`] |
//! | 3 | `PLATFORM/MODEL` | [`Rule::Platform`] |
//! | 4 | 1 to 3 again with MODEL without its date or `latest` | [`Rule::Alias`] |
//!
//! Step 2 looks at the platform because the same bare name can be somebody else's: `gemini-2.5-pro` is the price at
//! Vertex AI. A manual price that states no platform is meant for all. The platform is that of
//! [`ProviderKind::price_platform`].
//!
//! Step 4 takes one ending off: `-20251001`, `-2025-10-01`, `@20251001`, `-latest` or `@latest`, where the date has a
//! year from 2000, a month and a day. A dated model that has its own price never gets there.

use super::{Price, PriceSource};
use crate::model::MAX_NAME;
use crate::provider::ProviderKind;

/// A price that was found, and why it is the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'p> {
    /// The name that the price stands under.
    pub name: String,
    pub rule: Rule,
    pub price: &'p Price,
}

/// The rule that found a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The price is for this one provider.
    Provider,
    /// The price has the model's name, and its platform is the provider's.
    Exact,
    /// The price has the model's name behind the platform's.
    Platform,
    /// The price is for the model without its date or `latest`.
    Alias,
}

impl Rule {
    pub const ALL: [Self; 4] = [Self::Provider, Self::Exact, Self::Platform, Self::Alias];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Exact => "exact",
            Self::Platform => "platform",
            Self::Alias => "alias",
        }
    }
}

/// Finds the price of `model` at a provider; `get` gives the price of exactly that name.
///
/// None: the model has no price there. A model name longer than [`MAX_NAME`] has none.
pub fn resolve<'p>(
    kind: ProviderKind,
    provider_name: &str,
    model: &str,
    get: impl Fn(&str) -> Option<&'p Price>,
) -> Option<Found<'p>> {
    if model.is_empty() || model.len() > MAX_NAME {
        return None;
    }
    by_name(kind, provider_name, model, &get).or_else(|| {
        let found = by_name(kind, provider_name, undated(model)?, &get)?;
        Some(Found {
            rule: Rule::Alias,
            ..found
        })
    })
}

fn by_name<'p>(
    kind: ProviderKind,
    provider_name: &str,
    model: &str,
    get: impl Fn(&str) -> Option<&'p Price>,
) -> Option<Found<'p>> {
    let platform = kind.price_platform();
    let steps = [
        (Rule::Provider, format!("{provider_name}/{model}")),
        (Rule::Exact, model.to_owned()),
        (Rule::Platform, format!("{platform}/{model}")),
    ];
    steps.into_iter().find_map(|(rule, name)| {
        let price = get(&name)?;
        let holds = rule != Rule::Exact || is_of(price, platform);
        holds.then_some(Found { name, rule, price })
    })
}

fn is_of(price: &Price, platform: &str) -> bool {
    price.platform == platform || (price.source == PriceSource::Manual && price.platform.is_empty())
}

/// The model without its date or `latest`; None when it has neither.
fn undated(model: &str) -> Option<&str> {
    if let Some(rest) = model
        .strip_suffix("-latest")
        .or_else(|| model.strip_suffix("@latest"))
    {
        return some_text(rest);
    }
    if let Some((rest, date)) = model.rsplit_once(['-', '@'])
        && let Some((month, day)) = eight_digits(date)
        && is_date(month, day)
    {
        return some_text(rest);
    }
    let (rest, day) = model.rsplit_once('-')?;
    let (rest, month) = rest.rsplit_once('-')?;
    let (rest, year) = rest.rsplit_once('-')?;
    let dashed = is_year(year) && is_date(number(month, 2)?, number(day, 2)?);
    if dashed { some_text(rest) } else { None }
}

fn some_text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Month and day of `YYYYMMDD`.
fn eight_digits(text: &str) -> Option<(u32, u32)> {
    let digits = number(text, 8)?;
    text.starts_with("20")
        .then_some((digits / 100 % 100, digits % 100))
}

fn is_year(text: &str) -> bool {
    text.starts_with("20") && number(text, 4).is_some()
}

fn is_date(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// A number of exactly that many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
