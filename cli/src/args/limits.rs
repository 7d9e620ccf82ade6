//! What a user, a key or a provider may use.
//!
//! On an update only the flags that are given change anything; 0 takes a limit away. Resets are no flags: the command that
//! resets makes them, and they stay as they are. Whether a limit can be held (its size, its zone) is for the control
//! plane to say, which names the field.

use std::str::FromStr;
use std::sync::Arc;

use penstock_core::limits::{Budget, DailyReset, Limits, Zone};
use penstock_core::money::NanoUsd;

use super::duration::Millis;
use super::{choice, set};

/// Above them in `--help`. On each flag, because the heading of a struct would go on below it.
const HEADING: &str = "Limits (0: none)";

/// What `create` and `update` of users, keys and providers have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct LimitFlags {
    /// Requests in any 60 s
    #[arg(help_heading = HEADING, long, value_name = "N")]
    pub rpm: Option<u64>,

    /// Tokens in any 60 s, cache reads left out
    #[arg(help_heading = HEADING, long, value_name = "N")]
    pub tpm: Option<u64>,

    /// USD in any 5 hours: 1.50
    #[arg(help_heading = HEADING, long = "usd-5h", value_name = "USD")]
    pub usd_5h: Option<NanoUsd>,

    /// USD a day
    #[arg(help_heading = HEADING, long, value_name = "USD")]
    pub usd_daily: Option<NanoUsd>,

    /// When a day's budget begins anew: 08:00, or rolling for any 24 hours [default: 00:00]
    #[arg(help_heading = HEADING, long, value_name = "HH:MM|rolling")]
    pub daily_reset: Option<DailyReset>,

    /// USD a week, from Monday 00:00
    #[arg(help_heading = HEADING, long, value_name = "USD")]
    pub usd_weekly: Option<NanoUsd>,

    /// USD a month, from the 1st 00:00
    #[arg(help_heading = HEADING, long, value_name = "USD")]
    pub usd_monthly: Option<NanoUsd>,

    /// USD in all, until it is reset
    #[arg(help_heading = HEADING, long, value_name = "USD")]
    pub usd_total: Option<NanoUsd>,

    /// Where days, weeks and months begin: Asia/Shanghai [default: UTC]
    #[arg(help_heading = HEADING, long, value_name = "ZONE")]
    pub zone: Option<String>,

    /// Sessions at once
    #[arg(help_heading = HEADING, long, value_name = "N")]
    pub concurrent_sessions: Option<u64>,

    /// How long a session counts after its last call; 0: only during one [default: 5m]
    #[arg(help_heading = HEADING, long, value_name = "TIME|default")]
    pub session_idle: Option<SessionIdle>,

    /// Calls at once
    #[arg(help_heading = HEADING, long, value_name = "N")]
    pub concurrent_requests: Option<u64>,

    /// soft: calls in flight may pass a budget; strict: it is never passed [default: soft]
    #[arg(help_heading = HEADING, long, value_parser = choice::budget())]
    pub budget: Option<Budget>,
}

/// Whole seconds, or `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionIdle(Option<u32>);

/// Text that is neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a length of time in whole seconds; write it as 90s, 5m or 0, or write default")]
pub(crate) struct NotAnIdleTime(String);

impl LimitFlags {
    /// The limits of something new.
    pub(crate) fn create(&self) -> Arc<Limits> {
        let mut limits = Limits::none();
        self.apply(&mut limits);
        limits
    }

    pub(crate) fn apply(&self, limits: &mut Arc<Limits>) {
        if *self == Self::default() {
            return;
        }
        let mut changed = Limits::clone(limits);
        set(&mut changed.rpm, self.rpm);
        set(&mut changed.tpm, self.tpm);
        set(&mut changed.usd_5h, self.usd_5h);
        set(&mut changed.usd_daily, self.usd_daily);
        set(&mut changed.usd_weekly, self.usd_weekly);
        set(&mut changed.usd_monthly, self.usd_monthly);
        set(&mut changed.usd_total, self.usd_total);
        set(&mut changed.concurrent_sessions, self.concurrent_sessions);
        set(&mut changed.concurrent_requests, self.concurrent_requests);
        set(&mut changed.budget, self.budget);
        set(&mut changed.daily_reset, self.daily_reset);
        set(&mut changed.zone, self.zone.clone().map(Zone));
        set(
            &mut changed.session_idle_s,
            self.session_idle.map(|SessionIdle(seconds)| seconds),
        );
        *limits = changed.shared();
    }
}

impl FromStr for SessionIdle {
    type Err = NotAnIdleTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "default" {
            return Ok(Self(None));
        }
        let ms = text.parse().ok().map(|Millis(ms)| ms);
        let seconds = ms.filter(|ms| ms.is_multiple_of(1000)).map(|ms| ms / 1000);
        let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
        seconds
            .map(|seconds| Self(Some(seconds)))
            .ok_or_else(|| NotAnIdleTime(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::Parser;
    use penstock_core::limits::Dimension;
    use penstock_core::time::UnixMs;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        limits: LimitFlags,
    }

    fn parse(flags: &str) -> Result<LimitFlags, clap::Error> {
        let words = std::iter::once("x").chain(flags.split_whitespace());
        Command::try_parse_from(words).map(|command| command.limits)
    }

    #[test]
    fn d01_flags_carry_every_dimension() {
        let flags = "--rpm 1 --tpm 2 --usd-5h 1.50 --usd-daily 5 --daily-reset 08:00 --zone Asia/Shanghai --usd-weekly 6 \
                     --usd-monthly 7 --usd-total 8 --concurrent-sessions 9 --concurrent-requests 10 --session-idle 2m \
                     --budget strict";
        let usd = |usd: i64| NanoUsd(usd * 1_000_000_000);
        let expected = Limits {
            rpm: 1,
            tpm: 2,
            usd_5h: NanoUsd(1_500_000_000),
            usd_daily: usd(5),
            usd_weekly: usd(6),
            usd_monthly: usd(7),
            usd_total: usd(8),
            concurrent_sessions: 9,
            concurrent_requests: 10,
            budget: Budget::Strict,
            daily_reset: DailyReset::At(480),
            zone: Zone("Asia/Shanghai".into()),
            session_idle_s: Some(120),
            resets: BTreeMap::new(),
        };
        assert_eq!(*parse(flags).unwrap().create(), expected);
        assert_eq!(parse("").unwrap().create(), Limits::none());
    }

    #[test]
    fn d01_an_update_changes_only_what_is_given_and_zero_takes_away() {
        let before = Limits {
            rpm: 10,
            usd_5h: NanoUsd(1),
            session_idle_s: Some(60),
            resets: BTreeMap::from([(Dimension::Usd5h, UnixMs(7))]),
            ..Limits::default()
        };
        let applied = |flags: &str| {
            let mut limits = before.clone().shared();
            parse(flags).unwrap().apply(&mut limits);
            Limits::clone(&limits)
        };
        assert_eq!(applied(""), before);
        let expected = Limits {
            rpm: 0,
            daily_reset: DailyReset::Rolling,
            session_idle_s: None,
            ..before.clone()
        };
        assert_eq!(
            applied("--rpm 0 --daily-reset rolling --session-idle default"),
            expected
        );
    }

    #[test]
    fn a_wrong_value_says_what_is_right() {
        for (flags, right) in [
            ("--usd-5h 1.5$", "an amount in USD"),
            ("--daily-reset 25:00", "a time of day such as 08:00"),
            ("--session-idle 500ms", "whole seconds"),
            ("--session-idle 5", "write it as 90s"),
            ("--budget hard", "strict"),
        ] {
            let error = parse(flags).unwrap_err().to_string();
            assert!(error.contains(right), "{flags}: {error}");
        }
    }
}
