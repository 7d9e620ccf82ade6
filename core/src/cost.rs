//! What a call costs.
//!
//! For each class of tokens one rate is chosen, tokens are multiplied by it, and the sum is multiplied by the factors
//! that the answer named; web searches and the fee of an answered call are added after the factors; the whole is multiplied by the provider's
//! multiplier. All of it is exact, and rounded once, half up, to nano-USD. A cost beyond what an `i64` of nano-USD
//! holds is the highest that it holds; nothing panics.
//!
//! ## Which rate a class pays
//! 1. Of the thresholds that the whole prompt ([`TokenUsage::prompt`]) exceeds, the highest one counts, and it counts
//!    for every class, output too. A prompt of exactly the threshold does not exceed it.
//! 2. At that threshold the rate of the class at the call's tier is taken, else the class's standard rate.
//! 3. A class without either is charged as another: a cache read as input, a cache write as input, a 1 h or 12 h cache
//!    write as a cache write, sound and pictures as input or output, reasoning as output (again at the tier first, then standard). Reasoning is output that
//!    was counted apart, so it prefers the output rate of the call's tier to its own standard rate.
//! 4. Only when the threshold has none of these, the next lower one that was exceeded is asked, down to the rates that
//!    always hold.
//!
//! A rate of 0 is a rate: the class is free. A class that finds no rate at all costs nothing; [`Price::validate`]
//! refuses prices where that can happen.
//!
//! Reasoning tokens are a part of the output tokens, tokens of sound and pictures of the input or the output; more of a part
//! than of the whole is taken as all that is left of it, sound first, then pictures, then reasoning.
//! A factor that the answer names twice counts once; one that the price does not know counts as 1.

pub mod bound;
mod rate;
mod wide;

use crate::money::{Millionths, NanoUsd};
use crate::price::{Price, Rate, TokenClass};
use crate::usage::TokenUsage;
use wide::Wide;

/// The tokens of one class in one call, and the rate that they pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub class: TokenClass,
    /// Of input and output: without their parts that are classes of their own.
    pub tokens: u64,
    /// Of another class when this one has no rate of its own. None: no rate was found, the tokens cost nothing.
    pub rate: Option<Rate>,
}

const MILLION: u64 = 1_000_000;
const PICO_PER_NANO: u64 = 1_000;

/// The cost of a call, in nano-USD.
pub fn charge(price: &Price, usage: &TokenUsage, multiplier: Millionths) -> NanoUsd {
    let mut tokens = Wide::from(0);
    for line in lines(price, usage) {
        let pico_usd = line.rate.map_or(0, |rate| rate.pico_usd.0);
        tokens = tokens.plus(Wide::from(line.tokens).times(pico_usd));
    }
    let one_search = u64::try_from(price.web_search.0).unwrap_or(0);
    let mut searches = Wide::from(u64::from(usage.web_searches))
        .times(one_search)
        .plus(Wide::from(fee(price, usage)))
        .times(PICO_PER_NANO);

    // Both sums are kept in units of 1e-6 to the power of `millions`, until the one division at the end.
    let mut millions = 1;
    for factor in price
        .factors
        .iter()
        .filter(|factor| usage.factors.contains(&factor.name))
    {
        tokens = tokens.times(u64::from(factor.millionths.0));
        searches = searches.times(MILLION);
        millions += 1;
    }
    let mut doubled = tokens.plus(searches).times(u64::from(multiplier.0)).times(2);
    for _ in 0..millions {
        doubled = doubled.over(MILLION);
    }
    // Half up: floor(x + 1/2) is floor((floor(2x) + 1) / 2).
    let nanos = doubled.over(PICO_PER_NANO).plus(Wide::from(1)).over(2);
    NanoUsd(nanos.saturating_i64())
}

/// For the call itself, in nano-USD. A call that used nothing was not answered.
pub fn fee(price: &Price, usage: &TokenUsage) -> u64 {
    match usage.is_empty() {
        true => 0,
        false => u64::try_from(price.request.0).unwrap_or(0),
    }
}

/// What each class of tokens pays before factors and multiplier, for the classes that the call used.
pub fn breakdown(price: &Price, usage: &TokenUsage) -> Vec<Line> {
    lines(price, usage).collect()
}

fn lines(price: &Price, usage: &TokenUsage) -> impl Iterator<Item = Line> {
    let prompt = usage.prompt();
    let used = TokenClass::ALL.map(|class| (class, tokens(usage, class)));
    used.into_iter()
        .filter(|(_, tokens)| *tokens > 0)
        .map(move |(class, tokens)| Line {
            class,
            tokens,
            rate: rate::of(&price.rates, class, usage.tier, prompt).copied(),
        })
}

fn tokens(usage: &TokenUsage, class: TokenClass) -> u64 {
    // More of a part than of the whole is taken as all that is left of it.
    let audio_input = usage.audio_input.min(usage.input);
    let image_input = usage.image_input.min(usage.input - audio_input);
    let audio_output = usage.audio_output.min(usage.output);
    let image_output = usage.image_output.min(usage.output - audio_output);
    let words = usage.output - audio_output - image_output;
    match class {
        TokenClass::Input => usage.input - audio_input - image_input,
        TokenClass::Output => words.saturating_sub(usage.reasoning),
        TokenClass::CacheRead => usage.cache_read,
        TokenClass::CacheWrite => usage.cache_write,
        TokenClass::CacheWrite1h => usage.cache_write_1h,
        TokenClass::CacheWrite12h => usage.cache_write_12h,
        TokenClass::Reasoning => usage.reasoning.min(words),
        TokenClass::AudioInput => audio_input,
        TokenClass::ImageInput => image_input,
        TokenClass::AudioOutput => audio_output,
        TokenClass::ImageOutput => image_output,
    }
}

#[cfg(test)]
mod fee_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
