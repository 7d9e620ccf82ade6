//! Where a day, a week, a month begins in a zone.
//!
//! Zones are IANA names and their rules are compiled in, so that every node counts alike whatever its image holds.
//! Daylight saving holds: a day may have 23 or 25 hours. A reset time that does not exist on a day (the clocks went
//! forward over it) is the next instant that does; of one that happens twice the first counts.
//!
//! Counters live where zones cannot be computed (a Redis script), so whoever counts is given the [`Bounds`] around now
//! and picks the window by its own clock.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::{Dimension, Limits};
use crate::invalid::Invalid;
use crate::time::UnixMs;

/// Milliseconds of the rolling window of `usd_5h`.
pub const FIVE_HOURS_MS: i64 = 5 * 3_600_000;
/// Milliseconds of the rolling window of `usd_daily`.
pub const ROLLING_DAY_MS: i64 = 24 * 3_600_000;

/// When a day's budget begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DailyReset {
    /// At this many minutes after midnight in the limit's zone.
    At(u16),
    /// Each spend leaves 24 h after it was made.
    Rolling,
}

/// A time zone by its IANA name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone(pub String);

/// A fixed window's edges around an instant: the one before, the present one, and the next are
/// `[previous, current)`, `[current, next)`, `[next, after)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub previous: UnixMs,
    pub current: UnixMs,
    pub next: UnixMs,
    pub after: UnixMs,
}

/// How a dimension of money forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// A spend leaves when it is this old, milliseconds.
    Rolling(i64),
    /// All spends leave at an edge.
    Fixed(Bounds),
    /// Spends stay.
    Total,
}

/// Text that is not `HH:MM` or `rolling`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a time of day such as 08:00 nor `rolling`")]
pub struct ParseDailyResetError(String);

#[derive(Clone, Copy)]
enum Period {
    Day,
    Week,
    Month,
}

impl Default for DailyReset {
    fn default() -> Self {
        Self::At(0)
    }
}

impl DailyReset {
    pub(super) fn validate(self) -> Result<(), Invalid> {
        match self {
            Self::At(minute) if minute >= 1440 => Err(Invalid::new(
                "limits.daily_reset",
                format!("minute {minute} is not in a day; it has 1440"),
            )),
            Self::At(_) | Self::Rolling => Ok(()),
        }
    }

    fn minute(self) -> u16 {
        match self {
            Self::At(minute) => minute,
            Self::Rolling => 0,
        }
    }
}

/// `08:00`, `rolling`.
impl FromStr for DailyReset {
    type Err = ParseDailyResetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("rolling") {
            return Ok(Self::Rolling);
        }
        let two = |part: &str, below: u16| {
            let digits = !part.is_empty() && part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<u16>().ok().filter(|n| digits && *n < below)
        };
        text.split_once(':')
            .filter(|(_, minute)| minute.len() == 2)
            .and_then(|(hour, minute)| Some(Self::At(two(hour, 24)? * 60 + two(minute, 60)?)))
            .ok_or_else(|| ParseDailyResetError(text.to_owned()))
    }
}

impl std::fmt::Display for DailyReset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(minute) => write!(f, "{:02}:{:02}", minute / 60, minute % 60),
            Self::Rolling => f.write_str("rolling"),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl Zone {
    pub(crate) fn validate(&self, field: &str) -> Result<(), Invalid> {
        match TimeZone::get(&self.0) {
            Ok(_) => Ok(()),
            Err(_) => Err(Invalid::new(
                field,
                format!(
                    "{:?} is not an IANA time zone, such as Europe/Berlin or Asia/Shanghai",
                    self.0
                ),
            )),
        }
    }

    /// Minutes after midnight on the clock on the wall.
    pub fn minute_of_day(&self, now: UnixMs) -> u16 {
        let at = Timestamp::from_millisecond(now.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = at.to_zoned(self.rules()).time();
        u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
    }

    /// When the day of `now` began, and the day before it.
    pub fn days(&self, now: UnixMs) -> (UnixMs, UnixMs) {
        let bounds = bounds(&self.rules(), Period::Day, 0, now);
        (bounds.previous, bounds.current)
    }

    /// A zone that is not known here was refused when it was validated; its days are UTC's.
    fn rules(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl Limits {
    /// The window of a dimension of money around `now`.
    pub fn window(&self, dimension: Dimension, now: UnixMs) -> Window {
        let fixed = |period, minute| Window::Fixed(bounds(&self.zone.rules(), period, minute, now));
        match dimension {
            Dimension::Usd5h => Window::Rolling(FIVE_HOURS_MS),
            Dimension::UsdDaily if self.daily_reset == DailyReset::Rolling => Window::Rolling(ROLLING_DAY_MS),
            Dimension::UsdDaily => fixed(Period::Day, self.daily_reset.minute()),
            Dimension::UsdWeekly => fixed(Period::Week, 0),
            Dimension::UsdMonthly => fixed(Period::Month, 0),
            Dimension::UsdTotal
            | Dimension::ConcurrentSessions
            | Dimension::ConcurrentRequests
            | Dimension::Rpm
            | Dimension::Tpm => Window::Total,
        }
    }
}

fn bounds(zone: &TimeZone, period: Period, minute: u16, now: UnixMs) -> Bounds {
    let at = Timestamp::from_millisecond(now.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut first = start_of(at.to_zoned(zone.clone()).date(), period);
    let edge = |date: Date| edge(zone, date, minute);
    // Before the reset time of the day the window of the day before goes on.
    if edge(first) > now {
        first = step(first, period, -1);
    }
    Bounds {
        previous: edge(step(first, period, -1)),
        current: edge(first),
        next: edge(step(first, period, 1)),
        after: edge(step(first, period, 2)),
    }
}

fn start_of(date: Date, period: Period) -> Date {
    match period {
        Period::Day => date,
        Period::Week => {
            let days = i64::from(date.weekday().to_monday_zero_offset());
            date.saturating_sub(days.days())
        }
        Period::Month => date.first_of_month(),
    }
}

fn step(date: Date, period: Period, by: i64) -> Date {
    date.saturating_add(match period {
        Period::Day => by.days(),
        Period::Week => by.weeks(),
        Period::Month => by.months(),
    })
}

/// The first instant of the date at or after the minute of the day that exists in the zone.
fn edge(zone: &TimeZone, date: Date, minute: u16) -> UnixMs {
    let hour = i8::try_from(minute / 60).unwrap_or(0);
    let wanted = date.at(hour, i8::try_from(minute % 60).unwrap_or(0), 0, 0);
    let ambiguous = zone.to_ambiguous_timestamp(wanted);
    let instant = match ambiguous.offset() {
        jiff::tz::AmbiguousOffset::Gap { after, .. } => {
            // Where the clocks went forward over it: the instant of the change.
            let before_change = after.to_timestamp(wanted).ok();
            before_change.and_then(|at| zone.following(at).next().map(|change| change.timestamp()))
        }
        jiff::tz::AmbiguousOffset::Unambiguous { .. } | jiff::tz::AmbiguousOffset::Fold { .. } => {
            ambiguous.earlier().ok()
        }
    };
    UnixMs(instant.map_or(0, Timestamp::as_millisecond))
}
