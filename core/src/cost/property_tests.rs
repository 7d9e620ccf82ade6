//! What holds for any price and any call.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::*;
use crate::money::PicoUsd;
use crate::price::shipped::tests::prices;
use crate::price::{Factor, ServiceTier};

const TIERS: [ServiceTier; 5] = [
    ServiceTier::Standard,
    ServiceTier::Batch,
    ServiceTier::Flex,
    ServiceTier::Priority,
    ServiceTier::Ultrafast,
];
const FACTORS: [&str; 4] = ["us", "fast", "regional_us", "regional_eu"];

/// Calls with up to `most` tokens of each class.
fn usages(most: u64) -> impl Strategy<Value = TokenUsage> {
    let names = FACTORS.map(str::to_owned).to_vec();
    let counts = proptest::array::uniform11(0..=most);
    (counts, any::<u32>(), select(&TIERS), subsequence(names, 0..=4)).prop_map(
        |(
            [
                input,
                output,
                cache_read,
                cache_write,
                cache_write_1h,
                cache_write_12h,
                reasoning,
                audio_input,
                image_input,
                audio_output,
                image_output,
            ],
            searches,
            tier,
            factors,
        )| {
            TokenUsage {
                input,
                output,
                cache_read,
                cache_write,
                cache_write_1h,
                cache_write_12h,
                reasoning,
                audio_input,
                image_input,
                audio_output,
                image_output,
                web_searches: searches % 1_000,
                tier,
                factors,
            }
        },
    )
}

fn any_price() -> impl Strategy<Value = Price> {
    let rate = (
        select(&TokenClass::ALL),
        select(&TIERS),
        select(&[0, 1, 200_000, u64::MAX]),
        any::<u64>(),
    )
        .prop_map(|(class, tier, above_tokens, pico_usd)| {
            let pico_usd = PicoUsd(pico_usd);
            Rate {
                class,
                tier,
                above_tokens,
                pico_usd,
            }
        });
    let factor = (select(&FACTORS), any::<u32>()).prop_map(|(name, millionths)| Factor {
        name: name.to_owned(),
        millionths: Millionths(millionths),
    });
    (vec(rate, 0..20), vec(factor, 0..40), any::<i64>()).prop_map(|(rates, factors, web_search)| Price {
        factors,
        web_search: NanoUsd(web_search),
        ..Price::of_rates("any", rates)
    })
}

fn shipped_price() -> impl Strategy<Value = &'static Price> {
    any::<Index>().prop_map(|index| {
        let all: Vec<&Price> = prices().values().collect();
        all[index.index(all.len())]
    })
}

fn count_of(usage: &mut TokenUsage, class: TokenClass) -> &mut u64 {
    match class {
        TokenClass::Input => &mut usage.input,
        TokenClass::Output => &mut usage.output,
        TokenClass::CacheRead => &mut usage.cache_read,
        TokenClass::CacheWrite => &mut usage.cache_write,
        TokenClass::CacheWrite1h => &mut usage.cache_write_1h,
        TokenClass::CacheWrite12h => &mut usage.cache_write_12h,
        TokenClass::Reasoning => &mut usage.reasoning,
        TokenClass::AudioInput => &mut usage.audio_input,
        TokenClass::ImageInput => &mut usage.image_input,
        TokenClass::AudioOutput => &mut usage.audio_output,
        TokenClass::ImageOutput => &mut usage.image_output,
    }
}

/// The rounded product of tokens and rate, in nano-USD, of one line.
fn line_nanos(line: &Line) -> i64 {
    let pico = u128::from(line.tokens) * u128::from(line.rate.unwrap().pico_usd.0);
    i64::try_from((pico + 500) / 1_000).unwrap()
}

proptest! {
    #[test]
    fn e03_no_price_and_no_usage_panics_or_costs_less_than_nothing(
        price in any_price(), usage in usages(u64::MAX), multiplier: u32,
    ) {
        prop_assert!(charge(&price, &usage, Millionths(multiplier)) >= NanoUsd(0));
    }

    #[test]
    fn e03_more_tokens_of_a_class_never_cost_less(
        price in shipped_price(), usage in usages(400_000), class in select(&TokenClass::ALL), more in 1..400_000_u64,
    ) {
        let mut larger = usage.clone();
        *count_of(&mut larger, class) += more;
        // A part of the whole, whose other tokens stay as many.
        if matches!(class, TokenClass::AudioInput | TokenClass::ImageInput) {
            larger.input += more;
        } else if class.is_media() {
            larger.output += more;
        }
        let cost = |usage| charge(price, usage, Millionths::ONE);
        prop_assert!(cost(&larger) >= cost(&usage));
    }

    #[test]
    fn e03_a_higher_multiplier_never_costs_less(
        price in any_price(), usage in usages(1_000_000), a: u32, b: u32,
    ) {
        let cost = |multiplier| charge(&price, &usage, Millionths(multiplier));
        prop_assert!(cost(a.min(b)) <= cost(a.max(b)));
    }

    #[test]
    fn e03_multiplier_one_changes_nothing(price in shipped_price(), usage in usages(1_000_000)) {
        let plain = TokenUsage { factors: Vec::new(), ..usage };
        let lines = breakdown(price, &plain);
        let pico: u128 = lines.iter().map(|l| u128::from(l.tokens) * u128::from(l.rate.unwrap().pico_usd.0)).sum();
        let searches = i64::from(plain.web_searches) * price.web_search.0;
        let expected = i64::try_from((pico + 500) / 1_000).unwrap() + searches;
        prop_assert_eq!(charge(price, &plain, Millionths::ONE), NanoUsd(expected));
    }

    #[test]
    fn e03_the_lines_add_up_to_the_cost_within_rounding(price in shipped_price(), usage in usages(1_000_000)) {
        let plain = TokenUsage { factors: Vec::new(), web_searches: 0, ..usage };
        let lines = breakdown(price, &plain);
        let sum: i64 = lines.iter().map(line_nanos).sum();
        let cost = charge(price, &plain, Millionths::ONE).0;
        prop_assert!((sum - cost).abs() <= i64::try_from(lines.len()).unwrap());
    }

    #[test]
    fn e03_the_lines_hold_every_token_of_the_call_once(price in shipped_price(), usage in usages(1_000_000)) {
        let counted: u64 = breakdown(price, &usage).iter().map(|line| line.tokens).sum();
        prop_assert_eq!(counted, usage.prompt() + usage.output);
    }
}
