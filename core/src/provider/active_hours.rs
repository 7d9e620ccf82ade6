//! The hours of the day in which a provider takes calls.
//!
//! They are read from the clock on the wall of the zone: 22:00 to 06:00 is what people there call so, also on the days
//! on which the clocks change; those nights are an hour longer or shorter. The end does not belong to them. Hours whose
//! end is before their start go over midnight.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::limits::Zone;
use crate::time::UnixMs;

/// From one time of the day to another, in a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveHours {
    pub from: TimeOfDay,
    pub to: TimeOfDay,
    #[serde(default)]
    pub zone: Zone,
}

/// Minutes after midnight, written `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

/// Text that is no time of the day, or no two of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseTimeOfDayError {
    #[error("{0:?} is not a time of day, such as 08:30")]
    Time(String),
    #[error("{0:?} is not from one time of day to another, such as 22:00-06:00 or 22:00-06:00 Asia/Shanghai")]
    Hours(String),
}

const DAY_MINUTES: u16 = 24 * 60;

impl ActiveHours {
    pub fn is_active(&self, now: UnixMs) -> bool {
        let minute = TimeOfDay(self.zone.minute_of_day(now));
        match self.from <= self.to {
            true => self.from <= minute && minute < self.to,
            false => self.from <= minute || minute < self.to,
        }
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        self.zone.validate("zone")?;
        if self.from == self.to {
            let problem = "is where they begin; leave the hours out to have it active all day";
            return Err(Invalid::new("to", problem));
        }
        Ok(())
    }
}

impl TimeOfDay {
    /// None: there is no such minute in a day.
    pub fn new(minute: u16) -> Option<Self> {
        (minute < DAY_MINUTES).then_some(Self(minute))
    }

    pub fn minute(self) -> u16 {
        self.0
    }
}

/// `22:00-06:00 Asia/Shanghai`; without a zone in UTC.
impl FromStr for ActiveHours {
    type Err = ParseTimeOfDayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (hours, zone) = match text.trim().split_once(' ') {
            Some((hours, zone)) => (hours, Zone(zone.trim().to_owned())),
            None => (text, Zone::default()),
        };
        let (from, to) = hours
            .split_once('-')
            .ok_or_else(|| ParseTimeOfDayError::Hours(text.to_owned()))?;
        Ok(Self {
            from: from.trim().parse()?,
            // As people write the end of a day.
            to: match to.trim() {
                "24:00" => TimeOfDay(0),
                to => to.parse()?,
            },
            zone,
        })
    }
}

/// `22:00-06:00 Asia/Shanghai`.
impl fmt::Display for ActiveHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{} {}", self.from, self.to, self.zone.0)
    }
}

impl FromStr for TimeOfDay {
    type Err = ParseTimeOfDayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let two = |part: &str, below: u16| {
            let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<u16>().ok().filter(|n| digits && *n < below)
        };
        text.split_once(':')
            .filter(|(_, minute)| minute.len() == 2)
            .and_then(|(hour, minute)| Some(Self(two(hour, 24)? * 60 + two(minute, 60)?)))
            .ok_or_else(|| ParseTimeOfDayError::Time(text.to_owned()))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = ParseTimeOfDayError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMs {
        UnixMs(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn hours(text: &str, zone: &str) -> ActiveHours {
        format!("{text} {zone}").parse().unwrap()
    }

    #[test]
    fn b01_hours_hold_from_their_start_to_before_their_end() {
        let day = hours("08:00-17:30", "UTC");
        assert!(!day.is_active(at("2026-03-01T07:59:59Z")));
        assert!(day.is_active(at("2026-03-01T08:00:00Z")));
        assert!(day.is_active(at("2026-03-01T17:29:59Z")));
        assert!(!day.is_active(at("2026-03-01T17:30:00Z")));
    }

    #[test]
    fn b01_hours_over_midnight_hold_on_both_sides_of_it_in_their_zone() {
        let night = hours("22:00-06:00", "Asia/Shanghai");
        assert!(night.is_active(at("2026-03-01T14:00:00Z")));
        assert!(night.is_active(at("2026-03-01T21:59:00Z")));
        assert!(!night.is_active(at("2026-03-01T22:00:00Z")));
        assert!(!night.is_active(at("2026-03-01T13:59:00Z")));
        assert!(hours("18:00-24:00", "UTC").is_active(at("2026-03-01T23:59:00Z")));
    }

    #[test]
    fn b01_hours_follow_the_clock_on_the_wall_over_a_change_of_time() {
        let night = hours("01:00-05:00", "Europe/Berlin");
        // Before the change 01:00 is 00:00 UTC, after it 05:00 is 03:00 UTC.
        assert!(night.is_active(at("2026-03-29T00:00:00Z")));
        assert!(!night.is_active(at("2026-03-29T03:00:00Z")));
        assert!(night.is_active(at("2026-10-25T03:59:00Z")));
        assert!(!night.is_active(at("2026-10-25T04:00:00Z")));
    }

    #[test]
    fn b01_hours_that_say_nothing_are_refused() {
        assert_eq!(hours("08:00-08:00", "UTC").validate().unwrap_err().field, "to");
        assert_eq!(
            hours("08:00-09:00", "Mars/Base").validate().unwrap_err().field,
            "zone"
        );
        assert!("8-9".parse::<ActiveHours>().is_err());
        assert!("08:00-25:00".parse::<ActiveHours>().is_err());
        assert_eq!(hours("8:00-09:05", "UTC").to_string(), "08:00-09:05 UTC");
    }
}
