//! The most that a call can cost, before it is known what it uses.
//!
//! For strict budgets: whatever the answer reports within the bound of tokens, [`super::charge`] of it is at most the
//! sum of the parts stated here. So each part takes the dearest rate that the call could pay:
//!
//! - of all classes that prompt tokens can fall into (input of any kind, cache reads, cache writes of any life), and of
//!   output of any kind and reasoning;
//! - of the standard tier, which every provider may fall back to, and of the tiers that the body can trigger;
//! - of all thresholds that a prompt within the bound can exceed;
//! - times the dearest factors that an answer can name, as many as it can name at once; a factor below 1 is not
//!   counted on.
//!
//! Each part is rounded up, so their sum is at least the cost, which is rounded half up once. Prices are taken as
//! validated: a factor's name stands once.

use super::wide::Wide;
use super::{MILLION, PICO_PER_NANO};
use crate::money::{Millionths, NanoUsd};
use crate::price::{Price, Rate, ServiceTier, TokenClass};

/// The factor that Anthropic's answers name for `speed: "fast"`.
const FAST: &str = "fast";

/// What decides about a call's rates beside its tokens, as far as its body can trigger it. The standard tier is always
/// possible; the batch tier never, since a batch is no call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Triggers {
    pub flex: bool,
    pub priority: bool,
    pub ultrafast: bool,
    /// The answer may name a speed: one factor, `fast` among them.
    pub speed: bool,
    /// The answer may name where it was made: one factor.
    pub geography: bool,
}

/// The most that tokens and searches of one call can cost. Without rates everything is free.
#[derive(Clone, Copy, Debug)]
pub struct MostOf {
    /// Of one token, pico-USD.
    input: u64,
    output: u64,
    /// Of one search, nano-USD.
    search: u64,
    /// Of the call itself, nano-USD.
    request: u64,
    /// In units of 1e-6 to the power of `millions`.
    factors: Wide,
    millions: u32,
    multiplier: u64,
}

impl Triggers {
    /// Whatever a provider may do on its own.
    pub const ALL: Self = Self {
        flex: true,
        priority: true,
        ultrafast: true,
        speed: true,
        geography: true,
    };

    fn can_be(self, tier: ServiceTier) -> bool {
        match tier {
            ServiceTier::Standard => true,
            ServiceTier::Batch => false,
            ServiceTier::Flex => self.flex,
            ServiceTier::Priority => self.priority,
            ServiceTier::Ultrafast => self.ultrafast,
        }
    }

    /// How many factors an answer can name.
    fn names(self) -> usize {
        usize::from(self.speed) + usize::from(self.geography)
    }
}

impl MostOf {
    /// For a call whose whole prompt has at most `prompt` tokens, at a provider with this multiplier.
    pub fn new(price: &Price, triggers: Triggers, prompt: u64, multiplier: Millionths) -> Self {
        let possible = |rate: &&Rate| {
            triggers.can_be(rate.tier) && (rate.above_tokens == 0 || rate.above_tokens < prompt)
        };
        let dearest = |of: fn(TokenClass) -> bool| {
            let rates = price.rates.iter().filter(possible).filter(|rate| of(rate.class));
            rates.map(|rate| rate.pico_usd.0).max().unwrap_or(0)
        };
        let mut factors: Vec<u32> = price
            .factors
            .iter()
            .filter(|factor| triggers.speed || factor.name != FAST)
            .map(|factor| factor.millionths.0)
            .filter(|millionths| *millionths > Millionths::ONE.0)
            .collect();
        factors.sort_unstable_by(|a, b| b.cmp(a));
        factors.truncate(triggers.names());
        Self {
            input: dearest(is_prompt),
            output: dearest(|class| !is_prompt(class)),
            search: u64::try_from(price.web_search.0).unwrap_or(0),
            request: u64::try_from(price.request.0).unwrap_or(0),
            millions: u32::try_from(factors.len()).unwrap_or(u32::MAX),
            factors: factors
                .into_iter()
                .fold(Wide::from(1), |product, one| product.times(u64::from(one))),
            multiplier: u64::from(multiplier.0),
        }
    }

    /// For a call that is charged nothing.
    pub fn free() -> Self {
        Self {
            input: 0,
            output: 0,
            search: 0,
            request: 0,
            factors: Wide::from(1),
            millions: 0,
            multiplier: 0,
        }
    }

    /// Of so many tokens of prompt, cached or not.
    pub fn input(&self, tokens: u64) -> NanoUsd {
        self.tokens(tokens, self.input)
    }

    /// Of so many tokens of output, reasoning among them.
    pub fn output(&self, tokens: u64) -> NanoUsd {
        self.tokens(tokens, self.output)
    }

    /// Of so many web searches, and of the call itself. Factors do not hold for them.
    pub fn searches(&self, count: u64) -> NanoUsd {
        let searches = Wide::from(count).times(self.search);
        let nanos = searches.plus(Wide::from(self.request)).times(self.multiplier);
        NanoUsd(nanos.over_up(MILLION).saturating_i64())
    }

    fn tokens(&self, tokens: u64, pico_usd: u64) -> NanoUsd {
        let mut cost = self.factors.times(tokens).times(pico_usd).times(self.multiplier);
        // One for the multiplier.
        for _ in 0..=self.millions {
            cost = cost.over_up(MILLION);
        }
        NanoUsd(cost.over_up(PICO_PER_NANO).saturating_i64())
    }
}

fn is_prompt(class: TokenClass) -> bool {
    match class {
        TokenClass::Input
        | TokenClass::CacheRead
        | TokenClass::CacheWrite
        | TokenClass::CacheWrite1h
        | TokenClass::CacheWrite12h
        | TokenClass::AudioInput
        | TokenClass::ImageInput => true,
        TokenClass::Output | TokenClass::Reasoning | TokenClass::AudioOutput | TokenClass::ImageOutput => {
            false
        }
    }
}

#[cfg(test)]
mod tests;
