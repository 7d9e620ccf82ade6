//! Numbers as JavaScript, JSON and Postgres write them: `12.50`, `1e-7`, `0.30000000000000004`, `1E+21`.
//!
//! In both gateways a limit that is not above zero is none, and 0 is none here. So an amount is rounded to nano-USD (half
//! up), but one above zero never to zero, and whatever is no number, has more digits than a decimal of 96 bits, or is more
//! than a limit can be here, is `None`: whoever asked must not take it for no limit.

use penstock_core::limits::{MAX_BUDGET, MAX_COUNT};
use penstock_core::money::NanoUsd;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

const NANOS: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// An amount in USD.
pub(super) fn usd(text: &str) -> Option<NanoUsd> {
    let amount = read(text)?;
    if amount <= Decimal::ZERO {
        return Some(NanoUsd(0));
    }
    let nanos = amount
        .checked_mul(NANOS)?
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
        .to_i64()?;
    let amount = NanoUsd(nanos.max(1));
    (amount <= MAX_BUDGET).then_some(amount)
}

/// A whole number of things.
pub(super) fn count(text: &str) -> Option<u64> {
    let count = read(text)?.max(Decimal::ZERO);
    let count = Some(count).filter(Decimal::is_integer)?.to_u64()?;
    (count <= MAX_COUNT).then_some(count)
}

/// Milliseconds since 1970.
pub(super) fn millis(text: &str) -> Option<i64> {
    read(text)?.trunc().to_i64()
}

/// Whether it is a number, and nothing.
pub(super) fn is_zero(text: &str) -> bool {
    read(text).is_some_and(|number| number.is_zero())
}

fn read(text: &str) -> Option<Decimal> {
    let text = text.trim();
    // The crate also reads `1_000`.
    if text.contains('_') {
        return None;
    }
    match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text).ok(),
        false => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a03_money_is_read_as_javascript_writes_it_and_rounded_to_nano_usd() {
        for (text, nanos) in [
            ("0.30000000000000004", 300_000_000),
            ("0.1", 100_000_000),
            ("12.50", 12_500_000_000),
            (" 5 ", 5_000_000_000),
            ("+5.", 5_000_000_000),
            (".5", 500_000_000),
            ("1e-7", 100),
            ("2.5E+2", 250_000_000_000),
            ("0.0000000015", 2),
            ("0.0000000014", 1),
            ("0.9999999999", 1_000_000_000),
            ("0", 0),
            ("-0.00", 0),
            ("-3", 0),
        ] {
            assert_eq!(usd(text), Some(NanoUsd(nanos)), "{text}");
        }
    }

    #[test]
    fn a03_an_amount_above_zero_never_becomes_no_limit() {
        for text in ["1e-9", "1e-10", "4e-10", "0.00000000000000000001"] {
            assert_eq!(usd(text), Some(NanoUsd(1)), "{text}");
        }
        for text in ["5e-324", "1e-400"] {
            assert_eq!(usd(text), None, "{text}");
        }
    }

    #[test]
    fn a03_what_is_no_number_or_too_large_is_not_taken_for_none() {
        for text in [
            "",
            "$5",
            "1,000",
            "1_000",
            "12 USD",
            "NaN",
            "Infinity",
            "0x10",
            "1e",
            "e5",
            ".",
            "1.2.3",
            "1e400",
            "1e99999999999",
            "true",
        ] {
            assert_eq!(usd(text), None, "{text}");
            assert_eq!(count(text), None, "{text}");
        }
        assert_eq!(usd("9007199.000000001"), None, "above what a budget can be");
        assert_eq!(count("1000000000001"), None);
        assert_eq!(count("0.5"), None, "half a call");
    }

    #[test]
    fn a03_counts_and_milliseconds_are_whole_however_they_are_written() {
        for (text, number) in [
            ("60", 60),
            ("60.00", 60),
            ("6e1", 60),
            ("1.2e+3", 1_200),
            ("-1", 0),
            ("0", 0),
        ] {
            assert_eq!(count(text), Some(number), "{text}");
        }
        assert_eq!(millis("1798675200000.0"), Some(1_798_675_200_000));
        assert_eq!(millis("1.7986752e12"), Some(1_798_675_200_000));
        assert_eq!(millis("-1"), Some(-1));
        assert_eq!(millis("2026-12-31"), None);
    }

    proptest! {
        #[test]
        fn a03_any_float_above_zero_is_a_limit_or_cannot_be_read(float in 0.0..1e7_f64) {
            let near = |nanos: i64| (nanos as f64 / 1e9 - float).abs() <= 1e-8;
            for text in [format!("{float}"), format!("{float:e}")] {
                match usd(&text) {
                    Some(NanoUsd(nanos)) => {
                        prop_assert_eq!(nanos > 0, float > 0.0, "{}", text);
                        prop_assert!(near(nanos), "{} is {}", text, nanos);
                    }
                    None => prop_assert!(!(1e-9..=9_007_198.0).contains(&float), "{}", text),
                }
            }
        }

        #[test]
        fn a03_no_text_stops_the_reader(text in any::<String>()) {
            let _ = (usd(&text), count(&text), millis(&text), is_zero(&text));
        }
    }
}
