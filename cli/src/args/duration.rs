//! Lengths of time: `10s`, `1h30m`, `30d`. A day is 24 hours.

use std::str::FromStr;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Millis(pub u64);

/// Text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a length of time; write it as 10s, 5m, 1h30m or 30d")]
pub(crate) struct NotADuration(String);

impl FromStr for Millis {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text.trim()).ok_or_else(|| NotADuration(text.to_owned()))
    }
}

fn read(text: &str) -> Option<Millis> {
    if text == "0" {
        return Some(Millis(0));
    }
    let span: Span = text.parse().ok()?;
    let duration: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    u64::try_from(duration.as_millis()).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, ms) in [
            ("0", 0),
            ("250ms", 250),
            ("10s", 10_000),
            ("1h30m", 5_400_000),
            ("24h", 86_400_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Millis(ms)), "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused_with_an_example() {
        let error = "10".parse::<Millis>().unwrap_err();
        assert!(error.to_string().contains("write it as 10s"), "{error}");
        assert!("-5s".parse::<Millis>().is_err());
        assert!("soon".parse::<Millis>().is_err());
    }
}
