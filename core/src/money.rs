//! Money as integers: prices in pico-USD (1e-12 USD), amounts in nano-USD (1e-9 USD), factors in millionths.
//!
//! All known prices are whole multiples of one pico-USD. A call's cost is summed exactly in 128 bits and rounded once,
//! half up, to nano-USD. There are no floats, also not when prices and amounts are read from text.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount in nano-USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

/// A price in pico-USD, as a rule for one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PicoUsd(pub u64);

/// A factor in millionths; `1_000_000` is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millionths(pub u32);

/// Text that is not a decimal number of the right size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseMoneyError {
    text: String,
    expected: &'static str,
}

impl Millionths {
    pub const ONE: Self = Self(1_000_000);
}

impl Default for Millionths {
    fn default() -> Self {
        Self::ONE
    }
}

impl Add for NanoUsd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self(0), Add::add)
    }
}

/// In USD with all nine places and without trailing zeros: `0.0065`, `12`, `-0.000000001`.
impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write_decimal(f, u128::from(self.0.unsigned_abs()), 9)
    }
}

/// In USD with up to twelve places.
impl fmt::Display for PicoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, u128::from(self.0), 12)
    }
}

/// As a plain number: `1`, `1.25`.
impl fmt::Display for Millionths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, u128::from(self.0), 6)
    }
}

/// USD, as `1.5` or `6.25e-06`. More than nine decimal places are refused.
impl FromStr for NanoUsd {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let value = scaled(digits, 9).and_then(|v| i64::try_from(v).ok());
        let value = value
            .ok_or_else(|| ParseMoneyError::new(text, "an amount in USD with at most 9 decimal places"))?;
        Ok(Self(if negative { -value } else { value }))
    }
}

/// USD, as `0.000003` or `3e-06`. More than twelve decimal places are refused.
impl FromStr for PicoUsd {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value = scaled(text, 12).and_then(|v| u64::try_from(v).ok());
        let value = value
            .ok_or_else(|| ParseMoneyError::new(text, "a price in USD with at most 12 decimal places"))?;
        Ok(Self(value))
    }
}

/// A plain number: `1.25`. More than six decimal places are refused.
impl FromStr for Millionths {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value = scaled(text, 6).and_then(|v| u32::try_from(v).ok());
        let value =
            value.ok_or_else(|| ParseMoneyError::new(text, "a factor with at most 6 decimal places"))?;
        Ok(Self(value))
    }
}

impl ParseMoneyError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.to_owned(),
            expected,
        }
    }
}

fn write_decimal(f: &mut fmt::Formatter<'_>, value: u128, places: u32) -> fmt::Result {
    let unit = 10_u128.pow(places);
    let (whole, fraction) = (value / unit, value % unit);
    if fraction == 0 {
        return write!(f, "{whole}");
    }
    let digits = format!("{fraction:0width$}", width = places as usize);
    write!(f, "{whole}.{}", digits.trim_end_matches('0'))
}

/// `text`, a decimal with an optional exponent, times 10^places; None when that is no whole number.
fn scaled(text: &str, places: i32) -> Option<u128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 36 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u128 = digits.parse().ok()?;
    let shift = exponent
        .checked_add(places)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let factor = 10_u128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        value.checked_mul(factor)
    } else if value.is_multiple_of(factor) {
        Some(value / factor)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_are_read_as_decimals_never_floats() {
        assert_eq!("6.25e-06".parse(), Ok(PicoUsd(6_250_000)));
        assert_eq!("0.000003".parse(), Ok(PicoUsd(3_000_000)));
        assert_eq!("1E-12".parse(), Ok(PicoUsd(1)));
        assert!("1e-13".parse::<PicoUsd>().is_err());
        assert!("".parse::<PicoUsd>().is_err());
        assert!("-1".parse::<PicoUsd>().is_err());
        assert!("1.2.3".parse::<PicoUsd>().is_err());
        assert!("1e400".parse::<PicoUsd>().is_err());
    }

    #[test]
    fn amounts_print_without_trailing_zeros() {
        assert_eq!(NanoUsd(6_500_000).to_string(), "0.0065");
        assert_eq!(NanoUsd(12_000_000_000).to_string(), "12");
        assert_eq!(NanoUsd(-1).to_string(), "-0.000000001");
        assert_eq!(Millionths(1_250_000).to_string(), "1.25");
    }

    proptest! {
        #[test]
        fn amounts_read_back_as_printed(nanos in i64::MIN + 1..i64::MAX) {
            prop_assert_eq!(NanoUsd(nanos).to_string().parse(), Ok(NanoUsd(nanos)));
        }

        #[test]
        fn parsing_never_panics(text in "[-0-9.eE+]{0,40}") {
            drop((text.parse::<NanoUsd>(), text.parse::<PicoUsd>(), text.parse::<Millionths>()));
        }
    }
}
