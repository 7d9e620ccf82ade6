//! The price of a model that has none: the dearest of its platform, until the operator states a default.
//!
//! Per class the highest rate that any price of the platform states at the standard tier for prompts of any length.
//! Long-context rates, other tiers, factors and web searches are left out, so the result reads as one plain list that
//! can be shown. A class that no price of the platform states is left out too and falls back as in [`crate::cost`].
//! The classes may come from different models: together they are a ceiling, not a price that somebody charges.

use std::collections::BTreeMap;

use super::{Price, Rate, ServiceTier, TokenClass};

/// Rates by class, in the order of [`TokenClass`]. Empty when the platform has no price at all: then a call has no
/// default either, and the caller of this function must refuse it.
pub fn dearest<'p>(platform: &str, prices: impl IntoIterator<Item = &'p Price>) -> Vec<Rate> {
    let mut by_class: BTreeMap<TokenClass, Rate> = BTreeMap::new();
    let of_platform = prices.into_iter().filter(|price| price.platform == platform);
    for rate in of_platform.flat_map(|price| &price.rates) {
        if rate.tier != ServiceTier::Standard || rate.above_tokens > 0 {
            continue;
        }
        let highest = by_class.entry(rate.class).or_insert(*rate);
        if rate.pico_usd > highest.pico_usd {
            *highest = *rate;
        }
    }
    by_class.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::super::shipped::tests::prices;
    use super::*;
    use crate::money::PicoUsd;

    fn rate(class: TokenClass, tier: ServiceTier, above_tokens: u64, pico_usd: u64) -> Rate {
        let pico_usd = PicoUsd(pico_usd);
        Rate {
            class,
            tier,
            above_tokens,
            pico_usd,
        }
    }

    #[test]
    fn e03_the_dearest_is_taken_class_by_class() {
        let base = |class, pico_usd| rate(class, ServiceTier::Standard, 0, pico_usd);
        let a = Price::of_rates("x", vec![base(TokenClass::Input, 3), base(TokenClass::Output, 5)]);
        let b = Price::of_rates("x", vec![base(TokenClass::Output, 9), base(TokenClass::Input, 2)]);
        let other = Price::of_rates("y", vec![base(TokenClass::Input, 100)]);
        let found = dearest("x", [&a, &b, &other]);
        assert_eq!(found, [base(TokenClass::Input, 3), base(TokenClass::Output, 9)]);
    }

    #[test]
    fn e03_long_context_and_priority_do_not_count() {
        let base = rate(TokenClass::Input, ServiceTier::Standard, 0, 1);
        let long = rate(TokenClass::Input, ServiceTier::Standard, 200_000, 2);
        let fast = rate(TokenClass::Input, ServiceTier::Priority, 0, 3);
        assert_eq!(
            dearest("x", [&Price::of_rates("x", vec![long, fast, base])]),
            [base]
        );
    }

    #[test]
    fn e03_a_platform_without_prices_has_no_default() {
        assert_eq!(dearest("nowhere", prices().values()), []);
    }

    #[test]
    fn e03_the_shipped_prices_have_a_valid_default_for_every_platform() {
        for price in prices().values() {
            let rates = dearest(&price.platform, prices().values());
            assert_eq!(
                Price::of_rates(&price.platform, rates).validate("default"),
                Ok(())
            );
        }
    }
}
