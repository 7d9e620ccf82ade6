//! The fee of an answered call.

use crate::cost::charge;
use crate::money::{Millionths, NanoUsd};
use crate::price::{Price, Rate, TokenClass};
use crate::usage::TokenUsage;

#[test]
fn e03_a_fee_is_for_an_answered_call_and_no_factor_holds_for_it() {
    let rate = |class| Rate {
        class,
        tier: crate::price::ServiceTier::Standard,
        above_tokens: 0,
        pico_usd: crate::money::PicoUsd(1_000),
    };
    let price = Price {
        request: NanoUsd(2_000_000),
        factors: vec![crate::price::Factor {
            name: "fast".to_owned(),
            millionths: Millionths(2_000_000),
        }],
        ..Price::of_rates("openai", vec![rate(TokenClass::Input), rate(TokenClass::Output)])
    };
    let used = TokenUsage {
        input: 10,
        factors: vec!["fast".to_owned()],
        ..TokenUsage::default()
    };
    assert_eq!(charge(&price, &used, Millionths::ONE), NanoUsd(2_000_020));
    assert_eq!(charge(&price, &used, Millionths(500_000)), NanoUsd(1_000_010));
    assert_eq!(
        charge(&price, &TokenUsage::default(), Millionths::ONE),
        NanoUsd(0)
    );
}
