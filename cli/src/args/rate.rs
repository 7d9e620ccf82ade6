//! Rates of a price: `input=3` is 3 USD for a million input tokens.
//!
//! The whole form is `CLASS[:TIER][:ABOVE]=USD`: `output:batch=7.5`, `input:standard:200000=6` for prompts of more than
//! 200 000 tokens. Prices are given in USD for a million tokens, as vendors state them; a millionth of a dollar for a
//! million tokens is one pico-dollar for one token, the smallest unit that is kept.

use std::str::FromStr;

use penstock_core::money::{NanoUsd, PicoUsd};
use penstock_core::price::{Rate, ServiceTier, TokenClass};

/// A rate as written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateArg(pub Rate);

/// Text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotARate {
    #[error("{0:?} is not a rate; write CLASS[:TIER][:ABOVE]=USD per million tokens, for example input=3")]
    Form(String),
    #[error("{0:?} is not a class of tokens; the classes are {classes}", classes = words(&TokenClass::ALL, TokenClass::as_str))]
    Class(String),
    #[error("{0:?} is not a service tier; the tiers are standard, batch, flex, priority, ultrafast")]
    Tier(String),
    #[error("{0:?} is not a price in USD for a million tokens with at most 6 decimal places")]
    Usd(String),
}

/// Every tier, in the order of [`ServiceTier`].
const TIERS: [(&str, ServiceTier); 5] = [
    ("standard", ServiceTier::Standard),
    ("batch", ServiceTier::Batch),
    ("flex", ServiceTier::Flex),
    ("priority", ServiceTier::Priority),
    ("ultrafast", ServiceTier::Ultrafast),
];

impl FromStr for RateArg {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || NotARate::Form(text.to_owned());
        let (what, usd) = text.split_once('=').ok_or_else(form)?;
        let mut parts = what.split(':');
        let class = class(parts.next().unwrap_or_default())?;
        let (mut tier, mut above_tokens) = (ServiceTier::Standard, 0);
        for part in parts {
            if part.bytes().all(|b| b.is_ascii_digit()) {
                above_tokens = part.parse().map_err(|_| form())?;
            } else {
                tier = read_tier(part)?;
            }
        }
        Ok(Self(Rate {
            class,
            tier,
            above_tokens,
            pico_usd: per_million(usd)?,
        }))
    }
}

fn class(text: &str) -> Result<TokenClass, NotARate> {
    let found = TokenClass::ALL.into_iter().find(|class| class.as_str() == text);
    found.ok_or_else(|| NotARate::Class(text.to_owned()))
}

fn read_tier(text: &str) -> Result<ServiceTier, NotARate> {
    let found = TIERS.into_iter().find(|(name, _)| *name == text);
    found
        .map(|(_, tier)| tier)
        .ok_or_else(|| NotARate::Tier(text.to_owned()))
}

/// USD for a million tokens.
pub(crate) fn per_million(text: &str) -> Result<PicoUsd, NotARate> {
    let bad = || NotARate::Usd(text.to_owned());
    let nano: NanoUsd = text.parse().map_err(|_| bad())?;
    let nano = u64::try_from(nano.0).map_err(|_| bad())?;
    if !nano.is_multiple_of(1_000) {
        return Err(bad());
    }
    Ok(PicoUsd(nano / 1_000))
}

/// USD for a million tokens, as [`RateArg`] reads it.
pub(crate) fn write_usd(price: PicoUsd) -> String {
    let nano = price
        .0
        .checked_mul(1_000)
        .and_then(|nano| i64::try_from(nano).ok());
    NanoUsd(nano.unwrap_or(i64::MAX)).to_string()
}

/// The tier's word.
pub(crate) fn tier_name(tier: ServiceTier) -> &'static str {
    let found = TIERS.iter().find(|(_, t)| *t == tier);
    found.map_or("standard", |(name, _)| name)
}

/// Puts the rates into the list: each replaces the one of its class, tier and threshold.
pub(crate) fn merge(rates: &mut Vec<Rate>, given: &[RateArg]) {
    for RateArg(rate) in given {
        let place = |r: &Rate| (r.class, r.tier, r.above_tokens);
        match rates.iter_mut().find(|old| place(old) == place(rate)) {
            Some(old) => *old = *rate,
            None => rates.push(*rate),
        }
    }
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> String {
    let names: Vec<_> = all.iter().map(|value| word(*value)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Rate {
        text.parse::<RateArg>().unwrap().0
    }

    #[test]
    fn a_rate_is_usd_for_a_million_tokens() {
        let rate = read("input=3");
        assert_eq!(
            (rate.class, rate.tier, rate.above_tokens),
            (TokenClass::Input, ServiceTier::Standard, 0)
        );
        assert_eq!(rate.pico_usd, PicoUsd(3_000_000));
        assert_eq!(read("cache_read=0.000001").pico_usd, PicoUsd(1));
        assert_eq!(write_usd(PicoUsd(1_250_000)), "1.25");
    }

    #[test]
    fn tier_and_threshold_may_follow_the_class() {
        let rate = read("output:priority:200000=7.5");
        assert_eq!((rate.tier, rate.above_tokens), (ServiceTier::Priority, 200_000));
        assert_eq!(read("input:200000=1").above_tokens, 200_000);
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_refused() {
        assert!(matches!(
            "input=0.0000001".parse::<RateArg>(),
            Err(NotARate::Usd(_))
        ));
        assert!(matches!("input=-1".parse::<RateArg>(), Err(NotARate::Usd(_))));
        assert!(matches!("audio=1".parse::<RateArg>(), Err(NotARate::Class(_))));
        assert!(matches!(
            "input:night=1".parse::<RateArg>(),
            Err(NotARate::Tier(_))
        ));
        assert!(matches!("input".parse::<RateArg>(), Err(NotARate::Form(_))));
    }

    #[test]
    fn a_given_rate_replaces_its_like_and_leaves_the_others() {
        let mut rates = vec![read("input=1"), read("output=2")];
        merge(
            &mut rates,
            &["input=3".parse().unwrap(), "input:batch=4".parse().unwrap()],
        );
        assert_eq!(rates, [read("input=3"), read("output=2"), read("input:batch=4")]);
    }
}
