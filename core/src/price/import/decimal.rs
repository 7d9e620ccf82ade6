//! JSON numbers as decimals.

/// `text` times ten to the `scale`, when that is a whole number that is not negative.
pub(super) fn whole(text: &str, scale: i32) -> Option<u64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [integer, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let shift = exponent
        .checked_add(scale)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if shift >= 0 {
        let factor = 10_u64.checked_pow(u32::try_from(shift).ok()?)?;
        return digits.parse::<u64>().ok()?.checked_mul(factor);
    }
    let cut = usize::try_from(shift.unsigned_abs()).ok()?;
    let (kept, dropped) = digits.split_at_checked(digits.len().checked_sub(cut)?)?;
    match dropped.bytes().all(|byte| byte == b'0') {
        true if kept.is_empty() => None,
        true => kept.parse().ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e03_numbers_are_read_exactly_or_not_at_all() {
        for (text, scale, expected) in [
            ("1.25e-05", 12, Some(12_500_000)),
            ("0.000003", 12, Some(3_000_000)),
            ("3E-6", 12, Some(3_000_000)),
            ("2.5e-07", 12, Some(250_000)),
            ("1.1", 6, Some(1_100_000)),
            ("200000", 0, Some(200_000)),
            ("2e5", 0, Some(200_000)),
            ("10.0", 0, Some(10)),
            ("0.0", 12, Some(0)),
            ("1e-13", 12, None),
            ("0.5", 0, None),
            ("-1", 0, None),
            ("1e99", 0, None),
            ("\"1\"", 0, None),
        ] {
            assert_eq!(whole(text, scale), expected, "{text}");
        }
    }
}
