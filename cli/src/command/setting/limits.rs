//! `penstock setting set limits`: how limits are enforced as a whole, and the emergency switch.
//!
//! Reads the setting and changes only what is given. Switching off needs no end; without `--for` or `--until` an end that
//! is still ahead stays, and one that has come is dropped, since it would switch limits on again at once. Switching on
//! forgets the end.

use penstock_core::setting::{Degraded, LimitsPolicy};
use penstock_core::time::UnixMs;

use super::change;
use crate::args::duration::Millis;
use crate::args::moment::Expiry;
use crate::args::{choice, set};
use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::Reason;
use crate::view;

/// What can be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Flags {
    /// Whether calls are refused for limits; usage is counted in any case
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    enabled: Option<bool>,

    /// The same as --enabled=false
    #[arg(long, conflicts_with = "enabled")]
    off: bool,

    /// How long they are off
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<Millis>,

    /// Until when they are off: 2h, 2026-11-01T10:00:00Z, never
    #[arg(long, value_name = "WHEN", conflicts_with = "duration")]
    until: Option<Expiry>,

    /// What holds while Redis is away: local (each data plane its share), open (everything passes), closed (503)
    #[arg(long, value_parser = choice::degraded())]
    degraded: Option<Degraded>,

    /// The status of a call over its budget: 429 or 402
    #[arg(long, value_name = "STATUS")]
    quota_status: Option<u16>,
}

impl Flags {
    pub(crate) async fn run(self, session: &Session, reason: &Reason) -> Result<(), Failure> {
        let given = self != Self::default();
        let apply = |policy| self.apply(policy, session.now);
        let (policy, revision) = change::change(session, reason, given, apply).await?;
        let text = view::Enforcement::at(policy, session.now).text();
        session.print_done(format!("set limits: {text}"), revision)
    }

    fn apply(&self, mut policy: LimitsPolicy, now: UnixMs) -> Result<LimitsPolicy, Failure> {
        let enabled = if self.off { Some(false) } else { self.enabled };
        set(&mut policy.enabled, enabled);
        set(&mut policy.degraded, self.degraded);
        set(&mut policy.quota_status, self.quota_status);
        let end = self.duration.map(Expiry::In).or(self.until);
        let end = end.map(|end| end.resolve(now));
        if policy.enabled {
            if end.is_some() {
                let problem =
                    "limits are on, and --for and --until say how long they are off: give --off with them";
                return Err(Failure::Usage(problem.into()));
            }
            policy.off_until = None;
            return Ok(policy);
        }
        if let Some(Some(past)) = end.filter(|end| end.is_some_and(|at| at <= now)) {
            let problem = format!("limits cannot be off until {past}, which has passed already");
            return Err(Failure::Usage(problem));
        }
        if enabled == Some(false) {
            policy.off_until = policy.off_until.filter(|at| now < *at);
        }
        set(&mut policy.off_until, end);
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const NOW: UnixMs = UnixMs(10_000);

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        flags: Flags,
    }

    fn applied(flags: &str, policy: LimitsPolicy) -> Result<LimitsPolicy, String> {
        let words = std::iter::once("x").chain(flags.split_whitespace());
        let flags = Command::try_parse_from(words)
            .map_err(|error| error.to_string())?
            .flags;
        flags.apply(policy, NOW).map_err(|failure| failure.to_string())
    }

    fn off(off_until: Option<i64>) -> LimitsPolicy {
        LimitsPolicy {
            enabled: false,
            off_until: off_until.map(UnixMs),
            ..LimitsPolicy::default()
        }
    }

    #[test]
    fn d08_limits_are_switched_off_with_or_without_an_end() {
        let on = LimitsPolicy::default();
        assert_eq!(applied("--off", on), Ok(off(None)));
        assert_eq!(applied("--enabled false", on), Ok(off(None)));
        assert_eq!(applied("--off --for 2s", on), Ok(off(Some(12_000))));
        assert_eq!(
            applied("--off --until 1970-01-01T00:00:13Z", on),
            Ok(off(Some(13_000)))
        );
        assert_eq!(applied("--enabled", off(Some(12_000))), Ok(on));
    }

    #[test]
    fn d08_the_end_can_be_moved_and_a_stale_one_does_not_switch_limits_on() {
        assert_eq!(applied("--for 5s", off(None)), Ok(off(Some(15_000))));
        assert_eq!(applied("--until never", off(Some(12_000))), Ok(off(None)));
        assert_eq!(applied("--off", off(Some(12_000))), Ok(off(Some(12_000))));
        assert_eq!(applied("--off", off(Some(9_000))), Ok(off(None)));
    }

    #[test]
    fn d08_an_end_without_a_beginning_is_wrong_usage() {
        let on = LimitsPolicy::default();
        assert!(
            applied("--for 2h", on)
                .unwrap_err()
                .contains("give --off with them")
        );
        assert!(
            applied("--enabled --for 2h", off(None))
                .unwrap_err()
                .contains("give --off")
        );
        assert!(
            applied("--off --until 1970-01-01T00:00:09Z", on)
                .unwrap_err()
                .contains("has passed")
        );
        assert!(applied("--off --for 1h --until 2h", on).is_err());
        assert!(applied("--off --enabled", on).is_err());
    }

    #[test]
    fn d05_only_what_is_given_changes() {
        let before = LimitsPolicy {
            degraded: Degraded::Closed,
            ..off(Some(12_000))
        };
        let after = LimitsPolicy {
            quota_status: 402,
            ..before
        };
        assert_eq!(applied("--quota-status 402", before), Ok(after));
        let after = LimitsPolicy {
            degraded: Degraded::Open,
            ..before
        };
        assert_eq!(applied("--degraded open", before), Ok(after));
        assert!(applied("--degraded ajar", before).unwrap_err().contains("closed"));
    }
}
