//! Reads a file of prices that somebody else made: LiteLLM's own, a trimmed one, or one in the shape that ships.
//!
//! Told apart by their content. In the shape that ships (`control-plane/prices/README.md`) a file is taken whole or not at
//! all. LiteLLM's files hold much that is no price of ours: entries of other platforms and of modes without tokens,
//! fields that are no prices, classes that are not counted. What is left out is counted by its reason, and an entry with
//! a price that cannot be taken over exactly is left out whole: it would be a wrong price.
//!
//! Numbers are read as decimals from their text, never as floats.

mod decimal;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shipped::{self, ParseError};
use super::{Factor, Price, PriceSource, Rate, ServiceTier, TokenClass};
use crate::money::{Millionths, NanoUsd, PicoUsd};
use decimal::whole;

/// The largest file that is read, bytes.
pub const MAX_BYTES: usize = 16 << 20;

const CLASSES: [(&str, TokenClass); 11] = [
    (
        "cache_creation_input_token_cost_above_12hr",
        TokenClass::CacheWrite12h,
    ),
    (
        "cache_creation_input_token_cost_above_1hr",
        TokenClass::CacheWrite1h,
    ),
    ("cache_creation_input_token_cost", TokenClass::CacheWrite),
    ("cache_read_input_token_cost", TokenClass::CacheRead),
    ("output_cost_per_reasoning_token", TokenClass::Reasoning),
    ("input_cost_per_audio_token", TokenClass::AudioInput),
    ("input_cost_per_image_token", TokenClass::ImageInput),
    ("output_cost_per_audio_token", TokenClass::AudioOutput),
    ("output_cost_per_image_token", TokenClass::ImageOutput),
    ("output_cost_per_token", TokenClass::Output),
    ("input_cost_per_token", TokenClass::Input),
];
const TIERS: [(&str, ServiceTier); 5] = [
    ("", ServiceTier::Standard),
    ("_batches", ServiceTier::Batch),
    ("_flex", ServiceTier::Flex),
    ("_priority", ServiceTier::Priority),
    ("_ultrafast", ServiceTier::Ultrafast),
];
const PLATFORMS: [&str; 8] = [
    "anthropic",
    "openai",
    "gemini",
    "bedrock",
    "bedrock_mantle",
    "azure",
    "azure_ai",
    "vertex_ai",
];
const REGIONAL: [(&str, &str); 3] = [
    ("regional_processing_uplift_multiplier_us", "regional_us"),
    ("regional_processing_uplift_multiplier_eu", "regional_eu"),
    ("regional_endpoint_uplift_multiplier", "regional_endpoint"),
];

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// By name, each valid and marked as imported.
    pub prices: BTreeMap<String, Price>,
    /// How much was left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Entries that are in the file and were left out whole.
    pub left_names: BTreeSet<String>,
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

#[derive(Deserialize)]
struct Trimmed<'a> {
    #[serde(borrow)]
    models: BTreeMap<String, &'a RawValue>,
}

/// Reads a file. Fails when it is none of the three, or holds no price at all.
pub fn parse(text: &str) -> Result<Imported, ParseError> {
    // Some editors put it there.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let top: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
    if !top.contains_key("models") {
        return taken_over(top);
    }
    let trimmed: Trimmed<'_> = serde_json::from_str(text)?;
    let first = trimmed.models.values().next();
    let ours = first.is_some_and(|model| {
        serde_json::from_str::<Fields<'_>>(model.get()).is_ok_and(|fields| fields.contains_key("platform"))
    });
    if !ours {
        return taken_over(trimmed.models);
    }
    let imported = |(name, price): (String, Price)| {
        let source = PriceSource::Imported;
        (name, Price { source, ..price })
    };
    Ok(Imported {
        prices: shipped::parse(text)?.into_iter().map(imported).collect(),
        ..Imported::default()
    })
}

fn taken_over(models: BTreeMap<String, &RawValue>) -> Result<Imported, ParseError> {
    let mut imported = Imported::default();
    for (name, model) in models {
        // An example, and what a trimmed file says of itself.
        if name == "sample_spec" || name == "_meta" {
            continue;
        }
        let Ok(fields) = serde_json::from_str::<Fields<'_>>(model.get()) else {
            imported.leave_out_whole(name, "entries that are no object");
            continue;
        };
        let price = match price(&fields, &mut imported) {
            Ok(price) => price,
            Err(reason) => {
                imported.leave_out_whole(name, reason);
                continue;
            }
        };
        match price.validate(&name) {
            Ok(()) => drop(imported.prices.insert(name, price)),
            Err(_) => imported.leave_out_whole(name, "entries that are not valid prices"),
        }
    }
    match imported.prices.is_empty() {
        true => Err(ParseError::Nothing(imported.reasons())),
        false => Ok(imported),
    }
}

impl Imported {
    fn reasons(&self) -> String {
        let reasons = self
            .left_out
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"));
        match reasons.collect::<Vec<_>>() {
            none if none.is_empty() => String::new(),
            some => format!(": left out are {}", some.join(", ")),
        }
    }

    fn leave_out(&mut self, reason: &str) {
        *self.left_out.entry(reason.to_owned()).or_default() += 1;
    }

    fn leave_out_whole(&mut self, name: String, reason: &str) {
        self.leave_out(reason);
        self.left_names.insert(name);
    }
}

/// The reason why it is left out is the error.
fn price(fields: &Fields<'_>, imported: &mut Imported) -> Result<Price, &'static str> {
    let platform = platform(fields).ok_or("entries of other platforms")?;
    let mode = text(fields, "mode").unwrap_or_else(|| "chat".to_owned());
    let embedding = mode == "embedding";
    if !embedding && !["chat", "responses", "completion"].contains(&mode.as_str()) {
        return Err("entries of modes without tokens");
    }
    let mut price = Price {
        source: PriceSource::Imported,
        ..Price::of_rates(&platform, Vec::new())
    };
    for (field, value) in fields {
        take(&mut price, field, value.get(), imported)?;
    }
    if embedding && !price.rates.iter().any(|rate| rate.class == TokenClass::Output) {
        price.rates.push(Rate {
            class: TokenClass::Output,
            tier: ServiceTier::Standard,
            above_tokens: 0,
            pico_usd: PicoUsd(0),
        });
    }
    price
        .rates
        .sort_by_key(|rate| (rate.tier, rate.above_tokens, rate.class));
    price.factors.sort_by(|a, b| a.name.cmp(&b.name));
    match price.rates.is_empty() {
        true => Err("entries without prices of tokens"),
        false => Ok(price),
    }
}

fn take(price: &mut Price, field: &str, value: &str, imported: &mut Imported) -> Result<(), &'static str> {
    const INEXACT: &str = "entries with a price that is no whole number of pico-USD";
    if value == "null" {
        return Ok(());
    }
    if let Some((class, tier, above_tokens)) = rate_field(field) {
        price.rates.push(Rate {
            class,
            tier,
            above_tokens,
            pico_usd: PicoUsd(whole(value, 12).ok_or(INEXACT)?),
        });
        return Ok(());
    }
    if let Some((_, name)) = REGIONAL.iter().find(|(known, _)| *known == field) {
        return factor(price, name, value);
    }
    match field {
        "input_cost_per_request" => {
            let fee = whole(value, 9).and_then(|fee| i64::try_from(fee).ok());
            price.request = NanoUsd(fee.ok_or("entries with a fee that is no whole number of nano-USD")?);
        }
        "provider_specific_entry" => {
            let named: BTreeMap<String, &RawValue> = serde_json::from_str(value).unwrap_or_default();
            for (name, value) in named {
                factor(price, &name, value.get())?;
            }
        }
        "search_context_cost_per_query" => {
            price.web_search = search(value)
                .ok_or("entries with a price of web searches that is no whole number of nano-USD")?;
        }
        "max_input_tokens" => price.max_input_tokens = whole(value, 0),
        "max_output_tokens" => price.max_output_tokens = whole(value, 0),
        "deprecation_date" => {
            price.deprecation_date = serde_json::from_str(value).unwrap_or_default();
        }
        priced if priced.contains("cost") => imported.leave_out(reason(priced)),
        _ => {}
    }
    Ok(())
}

/// The price of a web search: of medium size, or the highest that is stated. None: it cannot be taken over exactly.
fn search(value: &str) -> Option<NanoUsd> {
    let sizes: Fields<'_> = serde_json::from_str(value).ok()?;
    let mut highest = NanoUsd(0);
    for (size, value) in sizes.iter().filter(|(_, value)| value.get() != "null") {
        let fee = NanoUsd(i64::try_from(whole(value.get(), 9)?).ok()?);
        if size == "search_context_size_medium" {
            return Some(fee);
        }
        highest = highest.max(fee);
    }
    Some(highest)
}

/// What kind of price has no place here.
fn reason(field: &str) -> &'static str {
    match field {
        field if field.contains("audio") => "prices of audio",
        field if field.contains("image") || field.contains("pixel") => "prices of images",
        field if field.contains("video") || field.contains("second") => "prices of video and time",
        field if field.contains("character") => "prices of characters",
        _ => "other prices",
    }
}

fn factor(price: &mut Price, name: &str, value: &str) -> Result<(), &'static str> {
    let millionths = whole(value, 6).and_then(|factor| u32::try_from(factor).ok());
    price.factors.push(Factor {
        name: name.to_owned(),
        millionths: Millionths(millionths.ok_or("entries with a factor that cannot be")?),
    });
    Ok(())
}

/// `CLASS[_above_Nk_tokens][TIER]`.
fn rate_field(field: &str) -> Option<(TokenClass, ServiceTier, u64)> {
    let (rest, class) = CLASSES
        .iter()
        .find_map(|(name, class)| Some((field.strip_prefix(name)?, *class)))?;
    let tier_of = |text: &str| {
        TIERS
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, tier)| *tier)
    };
    let Some(above) = rest.strip_prefix("_above_") else {
        return Some((class, tier_of(rest)?, 0));
    };
    let (thousands, tier) = above.split_once("k_tokens")?;
    let thousands: u64 = thousands.parse().ok()?;
    Some((class, tier_of(tier)?, thousands.checked_mul(1_000)?))
}

/// `bedrock_converse` is Bedrock; `vertex_ai-anthropic_models` is Vertex AI.
fn platform(fields: &Fields<'_>) -> Option<String> {
    let provider = text(fields, "litellm_provider")?;
    let name = provider.split('-').next().unwrap_or_default();
    let name = if name == "bedrock_converse" {
        "bedrock"
    } else {
        name
    };
    PLATFORMS.contains(&name).then(|| name.to_owned())
}

fn text(fields: &Fields<'_>, name: &str) -> Option<String> {
    serde_json::from_str(fields.get(name)?.get()).ok()
}

#[cfg(test)]
mod tests;
