//! The prices that ship, and files that must be refused.

use std::sync::LazyLock;

use super::*;
use crate::money::{Millionths, PicoUsd};
use crate::price::{ServiceTier, TokenClass};

/// The prices that ship, by name.
pub(crate) fn prices() -> &'static BTreeMap<String, Price> {
    static PRICES: LazyLock<BTreeMap<String, Price>> = LazyLock::new(|| {
        let text = include_str!("../../../../control-plane/prices/model_prices.json");
        parse(text).unwrap().into_iter().collect()
    });
    &PRICES
}

fn file(entries: usize, models: &str) -> String {
    format!(r#"{{"_meta":{{"entries":{entries},"source":"test"}},"models":{{{models}}}}}"#)
}

const GOOD: &str =
    r#""m":{"platform":"openai","rates":[{"class":"input","pico_usd":1},{"class":"output","pico_usd":2}]}"#;

#[test]
fn e04_all_1203_models_ship_and_each_is_valid() {
    assert_eq!(prices().len(), 1203);
    for (name, price) in prices() {
        assert_eq!(price.validate(name), Ok(()), "{name}");
        assert_eq!(price.source, PriceSource::Shipped);
    }
    let rates: usize = prices().values().map(|price| price.rates.len()).sum();
    assert_eq!(rates, 7681);
}

#[test]
fn e04_a_model_ships_with_all_its_facts() {
    let opus = &prices()["claude-opus-4-8"];
    assert_eq!(opus.platform, "anthropic");
    assert_eq!(opus.web_search, NanoUsd(10_000_000));
    assert_eq!(
        (opus.max_input_tokens, opus.max_output_tokens),
        (Some(1_000_000), Some(128_000))
    );
    let us = opus.factors.iter().find(|factor| factor.name == "us");
    assert_eq!(us.map(|factor| factor.millionths), Some(Millionths(1_100_000)));
    let write_1h = opus
        .rates
        .iter()
        .find(|rate| rate.class == TokenClass::CacheWrite1h);
    assert_eq!(write_1h.map(|rate| rate.pico_usd), Some(PicoUsd(10_000_000)));
    let batch = opus.rates.iter().find(|rate| rate.tier == ServiceTier::Batch);
    assert_eq!(batch.map(|rate| rate.pico_usd), Some(PicoUsd(2_500_000)));
    assert_eq!(
        prices()["ai21.jamba-1-5-mini-v1:0"].deprecation_date,
        "2026-11-26"
    );
    let astra = &prices()["gpt-6-astra"].rates;
    assert!(
        astra
            .iter()
            .any(|r| r.tier == ServiceTier::Ultrafast && r.above_tokens == 272_000)
    );
}

#[test]
fn what_a_row_leaves_out_is_none_or_nothing() {
    let read = parse(&file(1, GOOD)).unwrap();
    assert_eq!(read[0].0, "m");
    assert_eq!((read[0].1.web_search, read[0].1.factors.len()), (NanoUsd(0), 0));
    assert_eq!(read[0].1.rates[0].tier, ServiceTier::Standard);
}

#[test]
fn a_file_cut_short_or_with_a_name_twice_is_refused_whole() {
    let twice = format!("{GOOD},{GOOD}");
    assert!(matches!(
        parse(&file(2, &twice)),
        Err(ParseError::Incomplete { stated: 2, found: 1 })
    ));
    let cut: String = file(1, GOOD).chars().take(60).collect();
    assert!(matches!(parse(&cut), Err(ParseError::Json(_))));
}

#[test]
fn one_bad_price_refuses_the_file_and_is_named() {
    let bad = r#","bad":{"platform":"openai","rates":[]}"#;
    let error = parse(&file(2, &format!("{GOOD}{bad}"))).unwrap_err();
    assert_eq!(error.to_string(), r#"the price of "bad" cannot be used"#);
}

#[test]
fn fractions_and_unknown_fields_are_refused() {
    assert!(parse(&file(1, &GOOD.replace(":2}", ":2.5}"))).is_err());
    assert!(parse(&file(1, &GOOD.replace(r#""rates""#, r#""per_call":1,"rates""#))).is_err());
}
