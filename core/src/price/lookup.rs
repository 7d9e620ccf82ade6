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
//! | 5 | on Bedrock, 1 to 4 again with the id inside an ARN, then without the region of an inference profile | [`Rule::Profile`] |
//!
//! A provider may be called `azure` or `gemini` and be something else; for such a name step 1 takes manual prices only, since
//! those of lists are the platform's.
//!
//! Step 2 looks at the platform because the same bare name can be somebody else's: `gemini-2.5-pro` is the price at
//! Vertex AI. A manual price that states no platform is meant for all. The platform is that of
//! [`ProviderKind::price_platform`].
//!
//! | platform | of | names of its models |
//! |---|---|---|
//! | `anthropic`, `openai` | the vendors themselves, and relays that are compatible with them | bare |
//! | `gemini` | the Gemini API | `gemini/MODEL`; the bare name is Vertex AI's |
//! | `vertex_ai` | Vertex AI | Gemini bare, Claude and others `vertex_ai/MODEL` |
//! | `azure` | Azure OpenAI | `azure/MODEL`, by the name that was asked for; a deployment called otherwise needs a redirect's name or a price of its own |
//! | `bedrock` | Bedrock | its ids, bare; `us.…`, `eu.…` and other inference profiles may cost more and have prices of their own |
//!
//! Step 4 takes one ending off: `-20251001`, `-2025-10-01`, `@20251001`, `-latest`, `@latest` or `@default`, where the
//! date has a year from 2000, a month and a day. A dated model that has its own price never gets there.

use super::{Price, PriceSource};
use crate::model::MAX_NAME;
use crate::provider::ProviderKind;

const BEDROCK: &str = "bedrock";
/// What stands before a model's name in a price list, and is no provider's name there.
const PLATFORMS: [&str; 8] = [
    "anthropic",
    "openai",
    "gemini",
    BEDROCK,
    "bedrock_mantle",
    "azure",
    "azure_ai",
    "vertex_ai",
];
/// Of inference profiles.
const REGIONS: [&str; 8] = ["us-gov.", "us.", "eu.", "apac.", "jp.", "au.", "ca.", "global."];

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
    /// The price is for the model that an inference profile or an ARN of Bedrock names.
    Profile,
}

impl Rule {
    pub const ALL: [Self; 5] = [
        Self::Provider,
        Self::Exact,
        Self::Platform,
        Self::Alias,
        Self::Profile,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Exact => "exact",
            Self::Platform => "platform",
            Self::Alias => "alias",
            Self::Profile => "profile",
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
    on_platform(kind.price_platform(), provider_name, model, &get)
}

fn on_platform<'p>(
    platform: &str,
    provider_name: &str,
    model: &str,
    get: impl Fn(&str) -> Option<&'p Price>,
) -> Option<Found<'p>> {
    let named = |model: &str| {
        by_name(platform, provider_name, model, &get).or_else(|| {
            let found = by_name(platform, provider_name, undated(model)?, &get)?;
            Some(Found {
                rule: Rule::Alias,
                ..found
            })
        })
    };
    named(model).or_else(|| {
        if platform != BEDROCK {
            return None;
        }
        let id = inside_arn(model);
        let within = if id == model { None } else { named(id) };
        let found = within.or_else(|| named(without_region(id)?))?;
        Some(Found {
            rule: Rule::Profile,
            ..found
        })
    })
}

/// `arn:aws:bedrock:us-east-1:…:inference-profile/us.anthropic.…` is what stands behind the last slash.
fn inside_arn(model: &str) -> &str {
    match model.starts_with("arn:") {
        true => model.rsplit_once('/').map_or(model, |(_, id)| id),
        false => model,
    }
}

/// The model of an inference profile.
fn without_region(model: &str) -> Option<&str> {
    let region = REGIONS.iter().find_map(|region| model.strip_prefix(region));
    region.and_then(some_text)
}

fn by_name<'p>(
    platform: &str,
    provider_name: &str,
    model: &str,
    get: impl Fn(&str) -> Option<&'p Price>,
) -> Option<Found<'p>> {
    let steps = [
        (Rule::Provider, format!("{provider_name}/{model}")),
        (Rule::Exact, model.to_owned()),
        (Rule::Platform, format!("{platform}/{model}")),
    ];
    steps.into_iter().find_map(|(rule, name)| {
        let price = get(&name)?;
        let holds = match rule {
            Rule::Exact => is_of(price, platform),
            // A provider may be called as a platform is, and be another one's.
            Rule::Provider => price.source == PriceSource::Manual || !PLATFORMS.contains(&provider_name),
            Rule::Platform | Rule::Alias | Rule::Profile => true,
        };
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
        .or_else(|| model.strip_suffix("@default"))
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
