//! The bound holds for everything within it, and is not needlessly high.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::*;
use crate::cost::charge;
use crate::money::PicoUsd;
use crate::price::Factor;
use crate::price::shipped::tests::prices;
use crate::usage::TokenUsage;

const TIERS: [ServiceTier; 4] = [
    ServiceTier::Standard,
    ServiceTier::Flex,
    ServiceTier::Priority,
    ServiceTier::Ultrafast,
];
const FACTORS: [&str; 4] = ["us", FAST, "regional_us", "regional_eu"];

fn any_price() -> impl Strategy<Value = Price> {
    let rate = (
        select(&TokenClass::ALL),
        select(&[
            ServiceTier::Standard,
            ServiceTier::Batch,
            ServiceTier::Flex,
            ServiceTier::Priority,
            ServiceTier::Ultrafast,
        ]),
        select(&[0, 1, 1_000, 200_000, u64::MAX]),
        0..=1_000_000_000_000_u64,
    )
        .prop_map(|(class, tier, above_tokens, pico_usd)| Rate {
            class,
            tier,
            above_tokens,
            pico_usd: PicoUsd(pico_usd),
        });
    let factors = subsequence(&FACTORS, 0..=4)
        .prop_flat_map(|names| (vec(any::<u32>(), names.len()), Just(names)))
        .prop_map(|(millionths, names)| {
            let pairs = names.into_iter().zip(millionths);
            let factor = |(name, millionths): (&str, u32)| Factor {
                name: name.to_owned(),
                millionths: Millionths(millionths),
            };
            pairs.map(factor).collect::<Vec<_>>()
        });
    (vec(rate, 0..20), factors, any::<i64>()).prop_map(|(rates, factors, web_search)| Price {
        factors,
        web_search: NanoUsd(web_search),
        ..Price::of_rates("any", rates)
    })
}

fn shipped_price() -> impl Strategy<Value = Price> {
    any::<Index>().prop_map(|index| {
        let all: Vec<&Price> = prices().values().collect();
        all[index.index(all.len())].clone()
    })
}

/// Any call, and triggers that allow what it says.
fn calls() -> impl Strategy<Value = (TokenUsage, Triggers)> {
    let counts = proptest::array::uniform11(prop_oneof![0..3_u64, 0..=400_000_u64]);
    let geography = prop::option::of(select(&["us", "regional_us", "regional_eu"]));
    (counts, 0..1_000_u32, select(&TIERS), any::<bool>(), geography).prop_map(
        |(
            [
                input,
                output,
                cache_read,
                cache_write,
                hour,
                half_day,
                reasoning,
                ai,
                ii,
                ao,
                io,
            ],
            searches,
            tier,
            fast,
            geography,
        )| {
            let factors = fast
                .then_some(FAST)
                .into_iter()
                .chain(geography)
                .map(str::to_owned);
            let usage = TokenUsage {
                input,
                output,
                cache_read,
                cache_write,
                cache_write_1h: hour,
                cache_write_12h: half_day,
                reasoning,
                audio_input: ai,
                image_input: ii,
                audio_output: ao,
                image_output: io,
                web_searches: searches,
                tier,
                factors: factors.collect(),
            };
            let triggers = Triggers {
                flex: tier == ServiceTier::Flex,
                priority: tier == ServiceTier::Priority,
                ultrafast: tier == ServiceTier::Ultrafast,
                speed: fast,
                geography: geography.is_some(),
            };
            (usage, triggers)
        },
    )
}

fn most(price: &Price, triggers: Triggers, bound: &TokenUsage, multiplier: Millionths) -> NanoUsd {
    let most = MostOf::new(price, triggers, bound.prompt(), multiplier);
    most.input(bound.prompt()) + most.output(bound.output) + most.searches(u64::from(bound.web_searches))
}

proptest! {
    #[test]
    fn d04_no_call_within_the_bound_costs_more(
        price in prop_oneof![any_price(), shipped_price()],
        (used, triggers) in calls(),
        more in 0..1_000_000_u64,
        multiplier in prop_oneof![Just(1_000_000_u32), any::<u32>()],
    ) {
        let multiplier = Millionths(multiplier);
        let cost = charge(&price, &used, multiplier);
        prop_assert!(cost <= most(&price, triggers, &used, multiplier));
        prop_assert!(cost <= most(&price, Triggers::ALL, &used, multiplier));
        let wider = TokenUsage { input: used.input + more, output: used.output + more, ..used };
        prop_assert!(cost <= most(&price, triggers, &wider, multiplier));
    }

    #[test]
    fn no_price_and_no_bound_panics(price in any_price(), tokens: u64, multiplier: u32) {
        let most = MostOf::new(&price, Triggers::ALL, tokens, Millionths(multiplier));
        for amount in [most.input(tokens), most.output(tokens), most.searches(tokens)] {
            prop_assert!(amount >= NanoUsd(0));
        }
    }
}

fn rate(class: TokenClass, tier: ServiceTier, above_tokens: u64, nano_usd: u64) -> Rate {
    Rate {
        class,
        tier,
        above_tokens,
        pico_usd: PicoUsd(nano_usd * 1_000),
    }
}

fn of_one_token(rates: &[Rate], triggers: Triggers, prompt: u64) -> (i64, i64) {
    let most = MostOf::new(
        &Price::of_rates("x", rates.to_vec()),
        triggers,
        prompt,
        Millionths::ONE,
    );
    (most.input(1).0, most.output(1).0)
}

#[test]
fn d04_only_what_the_body_can_trigger_counts() {
    let rates = [
        rate(TokenClass::Input, ServiceTier::Standard, 0, 1),
        rate(TokenClass::CacheWrite1h, ServiceTier::Standard, 0, 2),
        rate(TokenClass::Output, ServiceTier::Standard, 0, 5),
        rate(TokenClass::Output, ServiceTier::Batch, 0, 99),
        rate(TokenClass::Input, ServiceTier::Standard, 200_000, 7),
        rate(TokenClass::Output, ServiceTier::Priority, 0, 11),
    ];
    let (plain, priority) = (
        Triggers::default(),
        Triggers {
            priority: true,
            ..Triggers::default()
        },
    );
    assert_eq!(of_one_token(&rates, plain, 200_000), (2, 5));
    assert_eq!(of_one_token(&rates, plain, 200_001), (7, 5));
    assert_eq!(of_one_token(&rates, priority, 10), (2, 11));
}

#[test]
fn d04_the_factor_of_fast_answers_counts_only_where_speed_was_asked() {
    let factor = |name: &str, millionths| Factor {
        name: name.to_owned(),
        millionths: Millionths(millionths),
    };
    let price = Price {
        factors: vec![
            factor("us", 1_100_000),
            factor(FAST, 6_000_000),
            factor("eu", 900_000),
        ],
        ..Price::of_rates("x", vec![rate(TokenClass::Output, ServiceTier::Standard, 0, 10)])
    };
    let of = |speed, geography| {
        let triggers = Triggers {
            speed,
            geography,
            ..Triggers::default()
        };
        MostOf::new(&price, triggers, 0, Millionths::ONE).output(1).0
    };
    assert_eq!((of(false, false), of(false, true)), (10, 11));
    assert_eq!((of(true, false), of(true, true)), (60, 66));
}

#[test]
fn d04_parts_are_rounded_up() {
    let price = Price::of_rates(
        "x",
        vec![Rate {
            pico_usd: PicoUsd(1),
            ..rate(TokenClass::Input, ServiceTier::Standard, 0, 0)
        }],
    );
    let most = MostOf::new(&price, Triggers::default(), 1, Millionths(1));
    assert_eq!(most.input(1), NanoUsd(1));
    assert_eq!(most.input(0), NanoUsd(0));
    assert_eq!(MostOf::free().output(u64::MAX), NanoUsd(0));
}
