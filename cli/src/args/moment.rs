//! Points in time: absolute, or counted from now. When a command began is an argument, so that one command has one
//! "now".

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use penstock_core::time::UnixMs;

use super::duration::Millis;

/// A time in the past: `24h` ago, or an absolute one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    Ago(Millis),
    At(UnixMs),
}

/// When something expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    Never,
    In(Millis),
    At(UnixMs),
}

/// Text that is no point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time; write {expected}")]
pub(crate) struct NotATime {
    text: String,
    expected: &'static str,
}

/// The clock, read once where a command begins.
pub(crate) fn now() -> UnixMs {
    UnixMs(Timestamp::now().as_millisecond())
}

impl Past {
    pub(crate) fn resolve(self, now: UnixMs) -> UnixMs {
        match self {
            Self::At(at) => at,
            Self::Ago(Millis(ms)) => UnixMs(now.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX))),
        }
    }
}

impl Expiry {
    pub(crate) fn resolve(self, now: UnixMs) -> Option<UnixMs> {
        match self {
            Self::Never => None,
            Self::At(at) => Some(at),
            Self::In(Millis(ms)) => Some(now.plus_ms(ms)),
        }
    }
}

impl FromStr for Past {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(at) = absolute(text) {
            return Ok(Self::At(at));
        }
        let ago = text.trim().trim_end_matches("ago").trim_end();
        ago.parse().map(Self::Ago).map_err(|_| NotATime {
            text: text.to_owned(),
            expected: "how long ago (24h, 7d), a date (2026-11-01, UTC) or 2026-11-01T10:00:00Z",
        })
    }
}

impl FromStr for Expiry {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Some(at) = absolute(text) {
            return Ok(Self::At(at));
        }
        let span = text.trim();
        let span = span.strip_prefix("in ").unwrap_or(span);
        span.parse().map(Self::In).map_err(|_| NotATime {
            text: text.to_owned(),
            expected: "never, 30d, a date (2026-11-01, UTC) or 2026-11-01T10:00:00Z",
        })
    }
}

fn absolute(text: &str) -> Option<UnixMs> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(UnixMs(at.as_millisecond()));
    }
    // A lone number would be read as a compact date.
    if !text.contains('-') {
        return None;
    }
    let date: Date = text.parse().ok()?;
    let midnight = date.to_zoned(TimeZone::UTC).ok()?;
    Some(UnixMs(midnight.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    #[test]
    fn an_expiry_counts_from_now_or_stands_by_itself() {
        let read = |text: &str| text.parse::<Expiry>().unwrap().resolve(NOW);
        assert_eq!(read("never"), None);
        assert_eq!(read("30d"), Some(UnixMs(1_702_592_000_000)));
        assert_eq!(read("in 1h"), Some(UnixMs(1_700_003_600_000)));
        assert_eq!(read("2023-11-14T22:13:21Z"), Some(UnixMs(1_700_000_001_000)));
        assert_eq!(read("2023-11-15"), Some(UnixMs(1_700_006_400_000)));
    }

    #[test]
    fn a_span_of_usage_begins_some_time_ago_or_at_a_date() {
        let read = |text: &str| text.parse::<Past>().unwrap().resolve(NOW);
        assert_eq!(read("24h"), UnixMs(1_699_913_600_000));
        assert_eq!(read("1h ago"), UnixMs(1_699_996_400_000));
        assert_eq!(read("2023-11-14T22:00:00+00:00"), UnixMs(1_699_999_200_000));
    }

    #[test]
    fn anything_else_is_refused_with_examples() {
        let error = "tomorrow".parse::<Expiry>().unwrap_err().to_string();
        assert!(error.contains("never, 30d"), "{error}");
        assert!("20231115".parse::<Past>().is_err());
    }
}
