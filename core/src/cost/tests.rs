//! One test for each rule.

use super::*;
use crate::money::PicoUsd;
use crate::price::shipped::tests::prices;
use crate::price::{Factor, ServiceTier};

const LONG: u64 = 200_000;

fn rate(class: TokenClass, pico_usd: u64) -> Rate {
    at(class, ServiceTier::Standard, 0, pico_usd)
}

fn at(class: TokenClass, tier: ServiceTier, above_tokens: u64, pico_usd: u64) -> Rate {
    let pico_usd = PicoUsd(pico_usd);
    Rate {
        class,
        tier,
        above_tokens,
        pico_usd,
    }
}

/// Input at 1 nano-USD, output at 2, and the given rates.
fn price(more: &[Rate]) -> Price {
    let base = [rate(TokenClass::Input, 1_000), rate(TokenClass::Output, 2_000)];
    Price::of_rates("openai", [&base, more].concat())
}

fn nanos(price: &Price, usage: &TokenUsage) -> i64 {
    charge(price, usage, Millionths::ONE).0
}

fn factor(name: &str, millionths: u32) -> Factor {
    Factor {
        name: name.to_owned(),
        millionths: Millionths(millionths),
    }
}

fn usage() -> TokenUsage {
    TokenUsage::default()
}

fn input(tokens: u64) -> TokenUsage {
    TokenUsage {
        input: tokens,
        ..usage()
    }
}

#[test]
fn e03_costs_equal_claude_codes_own_to_the_nano_dollar() {
    let turn = TokenUsage {
        input: 100,
        cache_read: 1000,
        cache_write: 200,
        cache_write_1h: 300,
        output: 50,
        ..usage()
    };
    for (model, usd) in [
        ("claude-opus-4-8", "0.0065"),
        ("claude-opus-5-5", "0.005"),
        ("claude-haiku-4-5", "0.0013"),
        ("claude-sonnet-4-5", "0.0039"),
    ] {
        let cost = charge(&prices()[model], &turn, Millionths::ONE);
        assert_eq!(cost.to_string(), usd, "{model}");
    }
}

#[test]
fn e03_each_class_pays_its_own_rate() {
    let all = price(&[
        rate(TokenClass::CacheRead, 4_000),
        rate(TokenClass::CacheWrite, 8_000),
        rate(TokenClass::CacheWrite1h, 16_000),
        rate(TokenClass::CacheWrite12h, 32_000),
        rate(TokenClass::Reasoning, 64_000),
    ]);
    let one_of_each = TokenUsage {
        input: 1,
        output: 2,
        reasoning: 1,
        cache_read: 1,
        cache_write: 1,
        cache_write_1h: 1,
        cache_write_12h: 1,
        ..usage()
    };
    assert_eq!(nanos(&all, &one_of_each), 127);
    assert_eq!(breakdown(&all, &one_of_each).len(), 7);
}

#[test]
fn e03_sound_and_pictures_pay_their_own_rates_or_those_of_input_and_output() {
    let media = TokenUsage {
        input: 10,
        audio_input: 3,
        image_input: 2,
        output: 20,
        audio_output: 4,
        image_output: 5,
        reasoning: 6,
        ..usage()
    };
    let own = price(&[
        rate(TokenClass::AudioInput, 10_000),
        rate(TokenClass::ImageInput, 100_000),
        rate(TokenClass::AudioOutput, 1_000_000),
        rate(TokenClass::ImageOutput, 10_000_000),
    ]);
    let words = nanos(&price(&[]), &media);
    let (input, output) = (
        nanos(&price(&[]), &input(1)),
        words - 10 * nanos(&price(&[]), &input(1)),
    );
    assert_eq!(
        nanos(&own, &media),
        5 * input + output / 20 * 11 + 30 + 200 + 4_000 + 50_000
    );
    let lines: Vec<_> = breakdown(&own, &media).iter().map(|line| line.tokens).collect();
    assert_eq!(lines, [5, 5, 6, 3, 2, 4, 5]);
    let all_sound = TokenUsage {
        audio_input: 99,
        audio_output: 99,
        ..media
    };
    assert_eq!(nanos(&own, &all_sound), 100 + 20_000, "no more than there is");
}

#[test]
fn e03_a_long_prompt_is_one_that_is_longer_than_the_threshold() {
    let long = price(&[at(TokenClass::Input, ServiceTier::Standard, LONG, 3_000)]);
    assert_eq!(nanos(&long, &input(LONG)), 200_000);
    assert_eq!(nanos(&long, &input(LONG + 1)), 600_003);
}

#[test]
fn e03_the_threshold_counts_cached_tokens_and_holds_for_every_class() {
    let long = price(&[
        rate(TokenClass::CacheRead, 100),
        at(TokenClass::Input, ServiceTier::Standard, LONG, 3_000),
        at(TokenClass::Output, ServiceTier::Standard, LONG, 5_000),
        at(TokenClass::CacheRead, ServiceTier::Standard, LONG, 200),
    ]);
    let prompt = TokenUsage {
        input: 1,
        cache_read: LONG,
        output: 1,
        ..usage()
    };
    assert_eq!(nanos(&long, &prompt), 3 + 40_000 + 5);
}

#[test]
fn e03_the_highest_crossed_threshold_wins() {
    let two = price(&[
        at(TokenClass::Input, ServiceTier::Standard, 10, 5_000),
        at(TokenClass::Input, ServiceTier::Standard, 20, 3_000),
    ]);
    assert_eq!(nanos(&two, &input(15)), 75);
    assert_eq!(nanos(&two, &input(25)), 75);
}

#[test]
fn e03_a_class_that_the_threshold_does_not_price_keeps_its_rate() {
    let long = price(&[at(TokenClass::Input, ServiceTier::Standard, 10, 3_000)]);
    let call = TokenUsage {
        output: 7,
        ..input(20)
    };
    assert_eq!(nanos(&long, &call), 60 + 14);
}

#[test]
fn e03_a_missing_cache_price_is_the_input_price_of_the_threshold() {
    let cached = TokenUsage {
        cache_read: 10,
        cache_write: 10,
        ..usage()
    };
    let long = price(&[at(TokenClass::Input, ServiceTier::Standard, 15, 3_000)]);
    assert_eq!(nanos(&price(&[]), &cached), 20);
    assert_eq!(nanos(&long, &cached), 60);
}

#[test]
fn e03_a_missing_1h_or_12h_price_is_the_price_of_a_cache_write() {
    let written = TokenUsage {
        cache_write_1h: 3,
        cache_write_12h: 4,
        ..usage()
    };
    assert_eq!(
        nanos(&price(&[rate(TokenClass::CacheWrite, 5_000)]), &written),
        35
    );
    assert_eq!(nanos(&price(&[]), &written), 7);
}

#[test]
fn e03_a_missing_reasoning_price_is_the_output_price_of_the_tier() {
    let thought = |tier| TokenUsage {
        output: 10,
        reasoning: 4,
        tier,
        ..usage()
    };
    assert_eq!(nanos(&price(&[]), &thought(ServiceTier::Standard)), 20);
    let fast = price(&[
        rate(TokenClass::Reasoning, 2_000),
        at(TokenClass::Output, ServiceTier::Priority, 0, 9_000),
    ]);
    assert_eq!(nanos(&fast, &thought(ServiceTier::Priority)), 90);
}

#[test]
fn e03_more_reasoning_than_output_is_all_of_the_output() {
    let thought = TokenUsage {
        output: 10,
        reasoning: 99,
        ..usage()
    };
    assert_eq!(nanos(&price(&[rate(TokenClass::Reasoning, 3_000)]), &thought), 30);
}

#[test]
fn e03_an_explicit_zero_is_a_price() {
    let free = price(&[rate(TokenClass::CacheRead, 0), rate(TokenClass::CacheWrite1h, 0)]);
    let cached = TokenUsage {
        cache_read: 1_000,
        cache_write_1h: 1_000,
        ..usage()
    };
    assert_eq!(nanos(&free, &cached), 0);
    assert_eq!(
        breakdown(&free, &cached)[0].rate,
        Some(rate(TokenClass::CacheRead, 0))
    );
}

#[test]
fn e03_the_tier_that_served_the_call_sets_the_rate() {
    let tiered = price(&[
        at(TokenClass::Input, ServiceTier::Flex, 0, 500),
        at(TokenClass::Input, ServiceTier::Priority, 0, 3_000),
    ]);
    let served = |tier| TokenUsage {
        tier,
        output: 1,
        ..input(10)
    };
    assert_eq!(nanos(&tiered, &served(ServiceTier::Flex)), 5 + 2);
    assert_eq!(nanos(&tiered, &served(ServiceTier::Priority)), 30 + 2);
}

#[test]
fn e03_a_missing_rate_of_a_tier_is_the_standard_one_of_the_same_class() {
    let tiered = price(&[
        rate(TokenClass::CacheRead, 100),
        at(TokenClass::Input, ServiceTier::Batch, 0, 500),
    ]);
    let served = |tier| TokenUsage {
        tier,
        cache_read: 100,
        ..input(10)
    };
    assert_eq!(nanos(&tiered, &served(ServiceTier::Batch)), 5 + 10);
    assert_eq!(nanos(&tiered, &served(ServiceTier::Ultrafast)), 10 + 10);
}

#[test]
fn e03_a_long_prompt_at_a_tier_without_long_rates_pays_the_standard_long_rate() {
    let gpt = &prices()["gpt-5.5"];
    let long = TokenUsage {
        tier: ServiceTier::Priority,
        ..input(300_000)
    };
    assert_eq!(nanos(gpt, &long), 300_000 * 10_000);
}

#[test]
fn e03_factors_multiply_all_classes_but_not_web_searches() {
    let known = Price {
        factors: vec![factor("us", 1_100_000), factor("fast", 2_000_000)],
        web_search: NanoUsd(7),
        ..price(&[])
    };
    let named = |names: &[&str]| TokenUsage {
        output: 50,
        web_searches: 2,
        factors: names.iter().map(|name| (*name).to_owned()).collect(),
        ..input(100)
    };
    assert_eq!(nanos(&known, &named(&[])), 200 + 14);
    assert_eq!(nanos(&known, &named(&["us"])), 220 + 14);
    assert_eq!(nanos(&known, &named(&["fast", "us"])), 440 + 14);
    assert_eq!(nanos(&known, &named(&["us", "us", "moon"])), 220 + 14);
}

#[test]
fn e03_the_multiplier_applies_to_the_whole_cost() {
    let searched = Price {
        web_search: NanoUsd(10),
        ..price(&[])
    };
    let call = TokenUsage {
        web_searches: 1,
        ..input(10)
    };
    assert_eq!(charge(&searched, &call, Millionths(1_500_000)), NanoUsd(30));
    assert_eq!(charge(&searched, &call, Millionths(0)), NanoUsd(0));
}

#[test]
fn e03_a_cost_is_rounded_once_half_up() {
    let tiny = Price::of_rates(
        "x",
        vec![rate(TokenClass::Input, 500), rate(TokenClass::Output, 250)],
    );
    assert_eq!(nanos(&tiny, &input(1)), 1);
    let both = |input, output| TokenUsage {
        input,
        output,
        ..usage()
    };
    assert_eq!(nanos(&tiny, &both(0, 1)), 0);
    assert_eq!(nanos(&tiny, &both(1, 1)), 1);
    assert_eq!(nanos(&tiny, &both(2, 2)), 2);
    // 0.5 times 0.999999 is just under the half.
    assert_eq!(charge(&tiny, &input(1), Millionths(999_999)), NanoUsd(0));
}

#[test]
fn e03_factors_with_many_places_stay_exact() {
    let odd = Price {
        factors: ["a", "b", "c", "d"].map(|name| factor(name, 1_000_001)).to_vec(),
        ..price(&[])
    };
    let call = TokenUsage {
        factors: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
        ..input(1_000_000_000_000)
    };
    // 1e12 nano-USD times 1.000001 to the power of 5 is 1_000_005_000_010.000010000005…
    assert_eq!(
        charge(&odd, &call, Millionths(1_000_001)),
        NanoUsd(1_000_005_000_010)
    );
}

#[test]
fn e03_an_endless_cost_is_the_highest_amount() {
    let dear = Price::of_rates("x", vec![rate(TokenClass::Input, u64::MAX)]);
    assert_eq!(nanos(&dear, &input(u64::MAX)), i64::MAX);
    assert_eq!(charge(&dear, &input(u64::MAX), Millionths(0)), NanoUsd(0));
}

#[test]
fn nothing_used_costs_nothing_and_a_negative_search_price_is_none() {
    let odd = Price {
        web_search: NanoUsd(-5),
        ..price(&[])
    };
    let searched = TokenUsage {
        web_searches: 9,
        ..usage()
    };
    assert_eq!(nanos(&odd, &searched), 0);
    assert_eq!(nanos(&price(&[]), &usage()), 0);
    assert_eq!(breakdown(&price(&[]), &usage()), []);
}
