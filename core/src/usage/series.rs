//! Time in pieces: hours, days, weeks, months of a zone.

use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit, ZonedRound};

use crate::invalid::Invalid;
use crate::time::UnixMs;

/// How long a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    Hour,
    Day,
    /// From Monday.
    Week,
    Month,
}

/// Where pieces begin and end.
#[derive(Clone, Debug)]
pub struct Calendar {
    bucket: Bucket,
    zone: TimeZone,
}

impl Calendar {
    /// `zone`: an IANA name; empty: UTC.
    pub fn new(bucket: Bucket, zone: &str) -> Result<Self, Invalid> {
        Ok(Self {
            bucket,
            zone: named(zone)?,
        })
    }

    /// The beginning of the piece that holds the instant.
    pub fn start(&self, at: UnixMs) -> UnixMs {
        let Some(local) = self.local(at) else {
            return at;
        };
        let start = match self.bucket {
            // An hour of the clock on the wall; in zones that are off by a part of an hour, too.
            Bucket::Hour => local.round(
                ZonedRound::new()
                    .smallest(Unit::Hour)
                    .mode(jiff::RoundMode::Trunc),
            ),
            Bucket::Day => local.start_of_day(),
            Bucket::Week => {
                let days = i64::from(local.weekday().to_monday_zero_offset());
                local
                    .checked_sub(days.days())
                    .and_then(|monday| monday.start_of_day())
            }
            Bucket::Month => local.first_of_month().and_then(|first| first.start_of_day()),
        };
        start.map_or(at, |start| UnixMs(start.timestamp().as_millisecond()))
    }

    /// Where the next piece begins. Always later.
    pub fn next(&self, at: UnixMs) -> UnixMs {
        let start = self.start(at);
        let later = |hours: i64| UnixMs(start.0.saturating_add(hours * 3_600_000));
        // Somewhere inside the next one, whatever the clocks do; then its beginning.
        let inside = match self.bucket {
            Bucket::Hour => return later(1),
            Bucket::Day => later(36),
            Bucket::Week => later(8 * 24),
            Bucket::Month => later(32 * 24 + 12),
        };
        let next = self.start(inside);
        if next > start { next } else { later(1) }
    }

    fn local(&self, at: UnixMs) -> Option<jiff::Zoned> {
        let at = Timestamp::from_millisecond(at.0).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }
}

/// A month of a zone, `2026-11`: its beginning and its end.
pub fn month(text: &str, zone: &str) -> Result<(UnixMs, UnixMs), Invalid> {
    let bad = || Invalid::new("month", format!("{text:?} is no month; write it as 2026-11"));
    let zone = named(zone)?;
    let (year, number) = text.split_once('-').ok_or_else(bad)?;
    let year = i16::from_str(year).map_err(|_| bad())?;
    let number = i8::from_str(number).map_err(|_| bad())?;
    let date = jiff::civil::Date::new(year, number, 1).map_err(|_| bad())?;
    let first = date.to_zoned(zone.clone()).map_err(|_| bad())?;
    let from = UnixMs(first.timestamp().as_millisecond());
    let calendar = Calendar {
        bucket: Bucket::Month,
        zone,
    };
    Ok((from, calendar.next(from)))
}

fn named(zone: &str) -> Result<TimeZone, Invalid> {
    if zone.is_empty() {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(zone).map_err(|_| {
        let problem = format!("{zone:?} is not an IANA time zone, such as Europe/Berlin or Asia/Shanghai");
        Invalid::new("time_zone", problem)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMs {
        UnixMs(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn pieces(bucket: Bucket, zone: &str, from: &str, count: usize) -> Vec<String> {
        let calendar = Calendar::new(bucket, zone).unwrap();
        let mut start = calendar.start(at(from));
        let mut all = vec![start.to_string()];
        for _ in 1..count {
            start = calendar.next(start);
            all.push(start.to_string());
        }
        all
    }

    #[test]
    fn e06_days_are_those_of_the_zone_also_when_the_clocks_change() {
        assert_eq!(
            pieces(Bucket::Day, "Europe/Berlin", "2026-03-28T12:00:00Z", 3),
            [
                "2026-03-27T23:00:00Z",
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z"
            ]
        );
        assert_eq!(
            pieces(Bucket::Day, "", "2026-03-28T12:00:00Z", 2),
            ["2026-03-28T00:00:00Z", "2026-03-29T00:00:00Z"]
        );
    }

    #[test]
    fn e06_weeks_begin_on_monday_and_months_on_the_first() {
        assert_eq!(
            pieces(Bucket::Week, "UTC", "2026-11-26T07:00:00Z", 2),
            ["2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"]
        );
        assert_eq!(
            pieces(Bucket::Month, "Asia/Shanghai", "2026-01-31T20:00:00Z", 3),
            [
                "2026-01-31T16:00:00Z",
                "2026-02-28T16:00:00Z",
                "2026-03-31T16:00:00Z"
            ]
        );
    }

    #[test]
    fn e06_hours_go_on_through_a_change_of_clocks() {
        assert_eq!(
            pieces(Bucket::Hour, "Europe/Berlin", "2026-10-25T00:30:00Z", 3),
            [
                "2026-10-25T00:00:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T02:00:00Z"
            ]
        );
    }

    #[test]
    fn e06_a_month_has_a_beginning_and_an_end() {
        let (from, to) = month("2026-11", "").unwrap();
        assert_eq!(from, at("2026-11-01T00:00:00Z"));
        assert_eq!(to, at("2026-12-01T00:00:00Z"));
        for bad in ["2026", "2026-13", "11-2026x", ""] {
            assert!(month(bad, "").is_err(), "{bad}");
        }
        assert!(month("2026-11", "Mars/Base").is_err());
    }
}
