//! The moment of return that a provider states: in headers, in fields of the body, in the message.
//!
//! The most particular one counts: `retry-after`, the body's field, the message, then the reset of the limit that is
//! used up (a bucket has room for a small request long before it is whole again). A moment that has passed is none.
//!
//! Callers have a say in messages that repeat what they asked for. So one that sets a whole provider aside is believed for
//! [`BELIEVED`] at most, unless it begins as the vendor's own does.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::row::Moment;
use super::{Answered, Scope, text};
use crate::time::UnixMs;

const WAITS: [&str; 4] = ["try again in ", "retry after ", "retry in ", "try again after "];
const DATES: [&str; 1] = ["regain access on "];
const FORMATS: [&str; 6] = [
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d at %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%B %d, %Y",
    "%b %d, %Y",
];

/// From a message about the whole provider, milliseconds.
const BELIEVED: u64 = 3_600_000;
/// No limit or budget lasts longer than a month; what states more is out of its mind, milliseconds.
const LONGEST: u64 = 31 * 86_400_000;
/// Behind these nothing of a caller's stands before the date.
const VENDORS: [&str; 2] = ["you have reached your specified", "you will regain access on "];

pub(super) fn moment(moment: Moment, scope: Scope, seen: &Answered<'_>, now: UnixMs) -> Option<UnixMs> {
    found(moment, scope, seen, now).map(|at| at.min(now.plus_ms(LONGEST)))
}

fn found(moment: Moment, scope: Scope, seen: &Answered<'_>, now: UnixMs) -> Option<UnixMs> {
    match moment {
        Moment::Any => stated(scope, seen, now),
        Moment::Within(seconds) => stated(scope, seen, now).map(|at| at.min(now.plus_ms(seconds * 1000))),
        Moment::Plan => ahead(seen.hints.plan_reset, now).or_else(|| stated(scope, seen, now)),
        Moment::PacificMidnight => pacific_midnight(now),
        Moment::Nowhere => None,
    }
}

fn stated(scope: Scope, seen: &Answered<'_>, now: UnixMs) -> Option<UnixMs> {
    let hints = &seen.hints;
    let message = seen.message.unwrap_or_default();
    let after = |wait: Duration| now.plus_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    let vendors = VENDORS.iter().any(|start| text::fits(start, message));
    let believed = |at: UnixMs| match scope {
        Scope::Provider if !vendors => at.min(now.plus_ms(BELIEVED)),
        Scope::Provider | Scope::Model | Scope::Route | Scope::Endpoint => at,
    };
    hints
        .retry_after
        .or(hints.delay)
        .map(after)
        .or_else(|| ahead(hints.resets_at, now))
        .or_else(|| {
            let wait = text::after(message, &WAITS).and_then(leading);
            wait.map(after).map(believed)
        })
        .or_else(|| ahead(text::after(message, &DATES).and_then(date), now).map(believed))
        .or_else(|| ahead(hints.reset_at, now))
}

fn ahead(at: Option<UnixMs>, now: UnixMs) -> Option<UnixMs> {
    at.filter(|at| *at > now)
}

/// A date, perhaps with a time of day, UTC.
fn date(text: &str) -> Option<UnixMs> {
    let read = |format| {
        let (read, _) = BrokenDownTime::parse_prefix(format, text).ok()?;
        read.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok()
    };
    let at = FORMATS.iter().find_map(read)?;
    Some(UnixMs(at.timestamp().as_millisecond()))
}

/// Google's quotas by the day begin anew at midnight in California.
fn pacific_midnight(now: UnixMs) -> Option<UnixMs> {
    let zone = TimeZone::get("America/Los_Angeles").ok()?;
    let now = Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone);
    let midnight = now.tomorrow().ok()?.start_of_day().ok()?;
    Some(UnixMs(midnight.timestamp().as_millisecond()))
}

/// A whole text such as `1.5s`, `6m0s`, `20ms`.
pub fn duration_of(text: &str) -> Option<Duration> {
    let (duration, rest) = read(text.trim())?;
    rest.is_empty().then_some(duration)
}

/// The duration that a text begins with: `1.5s.`, `20 seconds, please`.
fn leading(text: &str) -> Option<Duration> {
    Some(read(text)?.0)
}

/// A moment as headers write it: `30` or `1.5` seconds or `6m0s` from now, Unix seconds, RFC 3339, an HTTP date.
pub fn moment_of(text: &str, now: UnixMs) -> Option<UnixMs> {
    /// Larger numbers are no waits (30 years) but moments.
    const WAIT: i64 = 1_000_000_000;
    let text = text.trim();
    let after = |wait: Duration| now.plus_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    if let Some((nanos, "", "")) = amount(text) {
        let ms = i64::try_from(nanos / 1_000_000).ok()?;
        return Some(match ms / 1000 < WAIT {
            true => now.plus_ms(ms.unsigned_abs()),
            false => UnixMs(ms),
        });
    }
    duration_of(text).map(after).or_else(|| {
        let rfc3339 = || text.parse::<Timestamp>().ok();
        let http = || Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp());
        rfc3339().or_else(http).map(|at| UnixMs(at.as_millisecond()))
    })
}

fn read(text: &str) -> Option<(Duration, &str)> {
    let mut sum = Duration::ZERO;
    let mut rest = text;
    loop {
        let (amount, unit, after) = amount(rest)?;
        sum = sum.checked_add(times(amount, unit)?)?;
        rest = after;
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Some((sum, rest));
        }
    }
}

/// Nanounits, the unit's word, what follows.
fn amount(text: &str) -> Option<(u128, &str, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = text.split_at_checked(digits(text))?;
    let mut nanos = whole.parse::<u64>().ok().map(|n| u128::from(n) * 1_000_000_000)?;
    if let Some(fraction) = rest.strip_prefix('.').filter(|rest| digits(rest) > 0) {
        let (fraction, after) = fraction.split_at_checked(digits(fraction))?;
        let padded: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        nanos += padded.parse::<u128>().ok()?;
        rest = after;
    }
    rest = rest.trim_start_matches(' ');
    let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at_checked(letters)?;
    Some((nanos, unit, after))
}

fn times(nanos: u128, unit: &str) -> Option<Duration> {
    let seconds = |n: u128| nanos.checked_mul(n);
    let nanos = match unit {
        "ns" => nanos / 1_000_000_000,
        "us" | "µs" | "μs" => nanos / 1_000_000,
        "ms" | "millisecond" | "milliseconds" => nanos / 1000,
        "s" | "sec" | "secs" | "second" | "seconds" => nanos,
        "m" | "min" | "mins" | "minute" | "minutes" => seconds(60)?,
        "h" | "hr" | "hour" | "hours" => seconds(3600)?,
        "d" | "day" | "days" => seconds(86_400)?,
        _ => return None,
    };
    let (whole, part) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    Some(Duration::new(
        u64::try_from(whole).ok()?,
        u32::try_from(part).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them_and_in_words() {
        let ms = |text| duration_of(text).map(|d| d.as_millis());
        assert_eq!(ms("1.5s"), Some(1500));
        assert_eq!(ms("6m0s"), Some(360_000));
        assert_eq!(ms("1h2m3.25s"), Some(3_723_250));
        assert_eq!(ms("20ms"), Some(20));
        assert_eq!(ms("37s"), Some(37_000));
        assert_eq!(ms("86400 seconds"), Some(86_400_000));
        for text in ["", "s", "1", "1x", "-1s", "1s later", "99999999999999999999s"] {
            assert_eq!(ms(text), None, "{text}");
        }
    }

    #[test]
    fn dates_may_have_a_time_of_day() {
        let at = |text| date(text).map(|at| at.to_string());
        assert_eq!(
            at("2026-12-01 at 08:30 UTC.").as_deref(),
            Some("2026-12-01T08:30:00Z")
        );
        assert_eq!(at("2026-12-01.").as_deref(), Some("2026-12-01T00:00:00Z"));
        assert_eq!(
            at("2026-12-01T08:30:00Z").as_deref(),
            Some("2026-12-01T08:30:00Z")
        );
        assert_eq!(at("December 1, 2026").as_deref(), Some("2026-12-01T00:00:00Z"));
        assert_eq!(at("Monday"), None);
    }

    #[test]
    fn moments_are_read_in_every_form_that_headers_have() {
        let now = UnixMs(1_700_000_000_000);
        let at = |text| moment_of(text, now).map(|at| at.0 - now.0);
        assert_eq!(at("30"), Some(30_000));
        assert_eq!(at(" 1.5 "), Some(1500));
        assert_eq!(at("6m0s"), Some(360_000));
        assert_eq!(at("1700000060"), Some(60_000));
        assert_eq!(at("2023-11-14T22:14:20Z"), Some(60_000));
        assert_eq!(at("Tue, 14 Nov 2023 22:14:20 GMT"), Some(60_000));
        for text in ["", "soon", "-1", "1e9", "99999999999999999999999999"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn googles_days_end_at_midnight_in_california() {
        let at = |ms| pacific_midnight(UnixMs(ms)).unwrap().to_string();
        // 2026-07-01T12:00Z and 2026-12-01T07:59Z.
        assert_eq!(at(1_782_907_200_000), "2026-07-02T07:00:00Z");
        assert_eq!(at(1_796_111_940_000), "2026-12-01T08:00:00Z");
    }
}
