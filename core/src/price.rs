//! Prices: what one token of each class costs at a platform.
//!
//! A price is a list of rates. A rate holds for one class of tokens, one service tier, and prompts longer than
//! `above_tokens`. Which rate a call pays is decided in [`crate::cost`], which price it pays in [`lookup`].
//!
//! Every price has standard rates of input and output that always hold, so no class of tokens is silently free: each
//! class falls back to one of these two. A class that is free says so with a rate of 0.

pub mod changes;
pub mod dearest;
pub mod import;
pub mod lookup;
pub mod shipped;

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::money::{Millionths, NanoUsd, PicoUsd};

/// What one model costs at one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub source: PriceSource,
    /// The platform that charges it: anthropic, openai, gemini, bedrock, azure, `vertex_ai`, …
    pub platform: String,
    pub rates: Vec<Rate>,
    /// For one web search made by the provider.
    pub web_search: NanoUsd,
    /// For one answered call, whatever it used.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub request: NanoUsd,
    /// Factors that an answer can name.
    pub factors: Vec<Factor>,
    pub max_input_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    /// ISO 8601; empty when the vendor has not said.
    pub deprecation_date: String,
}

/// Where a price came from. A manual price is never replaced by another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    Shipped,
    Manual,
    /// From a file or URL that an operator named; the next import replaces it, a start does not.
    Imported,
}

/// The price of one token of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub class: TokenClass,
    #[serde(default)]
    pub tier: ServiceTier,
    /// The rate holds when the whole prompt has more tokens than this; 0: always.
    #[serde(default)]
    pub above_tokens: u64,
    pub pico_usd: PicoUsd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenClass {
    Input,
    Output,
    CacheRead,
    CacheWrite,
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    #[serde(rename = "cache_write_12h")]
    CacheWrite12h,
    Reasoning,
    /// Of the input, where it has a price of its own.
    AudioInput,
    ImageInput,
    /// Of the output.
    AudioOutput,
    ImageOutput,
}

/// The service class that the provider says it served the call in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTier {
    #[default]
    Standard,
    Batch,
    Flex,
    Priority,
    Ultrafast,
}

/// Multiplies the whole cost when the answer names it: geography, speed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    pub name: String,
    pub millionths: Millionths,
}

impl TokenClass {
    /// Sound or pictures.
    pub fn is_media(self) -> bool {
        match self {
            Self::AudioInput | Self::ImageInput | Self::AudioOutput | Self::ImageOutput => true,
            Self::Input
            | Self::Output
            | Self::CacheRead
            | Self::CacheWrite
            | Self::CacheWrite1h
            | Self::CacheWrite12h
            | Self::Reasoning => false,
        }
    }

    pub const ALL: [Self; 11] = [
        Self::Input,
        Self::Output,
        Self::CacheRead,
        Self::CacheWrite,
        Self::CacheWrite1h,
        Self::CacheWrite12h,
        Self::Reasoning,
        Self::AudioInput,
        Self::ImageInput,
        Self::AudioOutput,
        Self::ImageOutput,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::CacheWrite1h => "cache_write_1h",
            Self::CacheWrite12h => "cache_write_12h",
            Self::Reasoning => "reasoning",
            Self::AudioInput => "audio_input",
            Self::ImageInput => "image_input",
            Self::AudioOutput => "audio_output",
            Self::ImageOutput => "image_output",
        }
    }
}

const MAX_RATES: usize = 128;
const MAX_FACTORS: usize = 16;
const MAX_NAME: usize = 256;
/// Nano-USD for one search or one call.
const MAX_FEE: i64 = 1_000_000_000_000_000;
/// 1 USD a token: a thousand times the dearest known price.
const MAX_PICO_USD: u64 = 1_000_000_000_000;

impl Price {
    /// A manual price of nothing but rates, such as the operator's default for models without a price.
    pub fn of_rates(platform: &str, rates: Vec<Rate>) -> Self {
        Self {
            source: PriceSource::Manual,
            platform: platform.to_owned(),
            rates,
            web_search: NanoUsd(0),
            request: NanoUsd(0),
            factors: Vec::new(),
            max_input_tokens: None,
            max_output_tokens: None,
            deprecation_date: String::new(),
        }
    }

    /// Checks the price and its name, which is a model's id, perhaps behind a platform and a slash.
    pub fn validate(&self, name: &str) -> Result<(), Invalid> {
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Invalid::new(
                "name",
                "must be 1 to 256 printable characters without spaces",
            ));
        }
        if self.rates.is_empty() {
            return Err(Invalid::new(
                "rates",
                "must not be empty; a free model has rates of 0",
            ));
        }
        if self.factors.len() > MAX_FACTORS {
            return Err(Invalid::new(
                "factors",
                format!("has more than {MAX_FACTORS} entries"),
            ));
        }
        for (i, factor) in self.factors.iter().enumerate() {
            if factor.name.is_empty() || self.factors.iter().take(i).any(|other| other.name == factor.name) {
                return Err(Invalid::new(
                    format!("factors[{i}].name"),
                    "must not be empty or stand twice",
                ));
            }
        }
        for (field, fee) in [("web_search", self.web_search), ("request", self.request)] {
            if !(0..=MAX_FEE).contains(&fee.0) {
                return Err(Invalid::new(field, "must be from 0 to 1 000 000 USD"));
            }
        }
        Rate::validate_all("rates", &self.rates)
    }
}

impl Price {
    /// The lowest [`SCHEMA`](crate::resource::SCHEMA) that understands all of it.
    pub fn required_schema(&self) -> u32 {
        let has_media = self.rates.iter().any(|rate| rate.class.is_media());
        match self.source == PriceSource::Imported || self.request.0 != 0 {
            _ if has_media => 5,
            true => 4,
            false => 1,
        }
    }
}

fn is_zero(amount: &NanoUsd) -> bool {
    amount.0 == 0
}

impl Rate {
    /// Checks each rate, that none stands twice, and that a list that is not empty prices every call.
    pub fn validate_all(field: &str, rates: &[Self]) -> Result<(), Invalid> {
        if rates.len() > MAX_RATES {
            return Err(Invalid::new(field, format!("has more than {MAX_RATES} entries")));
        }
        for (i, rate) in rates.iter().enumerate() {
            if rate.pico_usd.0 > MAX_PICO_USD {
                return Err(Invalid::new(
                    format!("{field}[{i}]"),
                    "costs more than 1 USD a token",
                ));
            }
            let same = |other: &Self| other.key() == rate.key();
            if rates.iter().take(i).any(same) {
                return Err(Invalid::new(
                    format!("{field}[{i}]"),
                    "repeats the class, tier and threshold of another",
                ));
            }
        }
        for class in [TokenClass::Input, TokenClass::Output] {
            let always = (class, ServiceTier::Standard, 0);
            if !rates.is_empty() && !rates.iter().any(|rate| rate.key() == always) {
                let problem = format!(
                    "needs a standard {} rate with above_tokens 0, for calls of any length; free is a rate of 0",
                    class.as_str()
                );
                return Err(Invalid::new(field, problem));
            }
        }
        Ok(())
    }

    pub(crate) fn key(&self) -> (TokenClass, ServiceTier, u64) {
        (self.class, self.tier, self.above_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(class: TokenClass, pico_usd: u64) -> Rate {
        Rate {
            class,
            tier: ServiceTier::Standard,
            above_tokens: 0,
            pico_usd: PicoUsd(pico_usd),
        }
    }

    #[test]
    fn a_rate_stands_once() {
        let twice = [
            rate(TokenClass::Input, 1),
            rate(TokenClass::Output, 1),
            rate(TokenClass::Input, 2),
        ];
        assert_eq!(Rate::validate_all("rates", &twice).unwrap_err().field, "rates[2]");
    }

    #[test]
    fn e03_no_price_leaves_input_or_output_silently_free() {
        assert!(Rate::validate_all("rates", &[rate(TokenClass::Input, 1)]).is_err());
        let long_only = Rate {
            above_tokens: 200_000,
            ..rate(TokenClass::Output, 1)
        };
        assert!(Rate::validate_all("rates", &[rate(TokenClass::Input, 1), long_only]).is_err());
        let free = [rate(TokenClass::Input, 0), rate(TokenClass::Output, 0)];
        assert_eq!(Rate::validate_all("rates", &free), Ok(()));
    }

    #[test]
    fn a_factor_has_a_name_of_its_own() {
        let factor = |name: &str| Factor {
            name: name.to_owned(),
            millionths: Millionths::ONE,
        };
        let mut price = Price::of_rates(
            "openai",
            vec![rate(TokenClass::Input, 1), rate(TokenClass::Output, 1)],
        );
        assert_eq!(price.validate("m"), Ok(()));
        price.factors = vec![factor("us"), factor("us")];
        assert_eq!(price.validate("m").unwrap_err().field, "factors[1].name");
        price.factors = vec![factor("")];
        assert!(price.validate("m").is_err());
    }

    #[test]
    fn a_class_is_written_as_it_is_called() {
        for class in TokenClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
    }

    #[test]
    fn a_price_in_the_wrong_unit_is_noticed() {
        let per_million = [rate(TokenClass::Input, 3_000_000_000_000)];
        assert!(Rate::validate_all("rates", &per_million).is_err());
    }
}
