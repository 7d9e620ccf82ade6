//! The flags of a provider that say when it is used and what it is sent: redirects, hours, breaker, overrides, probes.

use std::str::FromStr;

use penstock_core::model::ModelPattern;
use penstock_core::provider::{ActiveHours, Override, Probe, Provider, Redirect};

use super::duration::{Millis, NotADuration};
use super::list::{self, Entry};
use super::pattern::{self, Pattern};
use super::set;

const HEADING: &str = "Routing";

/// On an update only what is given changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct RoutingFlags {
    /// Model under another name there: FROM=TO, FROM written as --model; the first that matches holds; repeatable,
    /// '' for none
    #[arg(help_heading = HEADING, long = "redirect", value_name = "FROM=TO")]
    pub redirects: Option<Vec<Entry<RedirectArg>>>,

    /// When it takes calls: '22:00-06:00 Asia/Shanghai', without a zone in UTC; '' for always
    #[arg(help_heading = HEADING, long, value_name = "HOURS")]
    pub active_hours: Option<Entry<ActiveHours>>,

    /// Failures in a row that open its circuit breaker; 0: no breaker [default: 5]
    #[arg(help_heading = HEADING, long, value_name = "N")]
    pub breaker_failures: Option<u32>,

    /// How long the breaker stays open before a trial; 0: no breaker [default: 30m]
    #[arg(help_heading = HEADING, long, value_name = "TIME")]
    pub breaker_open: Option<Millis>,

    /// Trials in a row that close the breaker; 0: no breaker [default: 2]
    #[arg(help_heading = HEADING, long, value_name = "N")]
    pub breaker_successes: Option<u32>,

    /// Whether network errors count as failures [default: true]
    #[arg(help_heading = HEADING, long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub breaker_network_errors: Option<bool>,

    /// Member at the top of the request's body: NAME=JSON sets it, NAME= removes it; repeatable, '' for none
    #[arg(help_heading = HEADING, long = "override", value_name = "NAME=JSON")]
    pub overrides: Option<Vec<Entry<OverrideArg>>>,

    /// How often Penstock itself sees whether it answers: 5m, off [default: off]
    #[arg(help_heading = HEADING, long, value_name = "TIME|off")]
    pub probe: Option<ProbeArg>,
}

/// `FROM=TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedirectArg(Redirect);

/// `NAME=JSON`, or `NAME=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OverrideArg(Override);

/// A length of time, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProbeArg(Option<Probe>);

impl RoutingFlags {
    pub(crate) fn apply(&self, provider: &mut Provider) {
        let redirect = |given: &RedirectArg| given.0.clone();
        list::replace_with(&mut provider.redirects, self.redirects.as_deref(), redirect);
        let edit = |given: &OverrideArg| given.0.clone();
        list::replace_with(&mut provider.overrides, self.overrides.as_deref(), edit);
        set(
            &mut provider.active_hours,
            self.active_hours.clone().map(Entry::into_option),
        );
        set(&mut provider.breaker.failures, self.breaker_failures);
        set(
            &mut provider.breaker.open_ms,
            self.breaker_open.map(|Millis(ms)| ms),
        );
        set(&mut provider.breaker.successes, self.breaker_successes);
        set(&mut provider.breaker.network_errors, self.breaker_network_errors);
        set(&mut provider.probe, self.probe.map(|ProbeArg(probe)| probe));
    }
}

impl FromStr for RedirectArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text
            .rsplit_once('=')
            .ok_or("is not a redirect; write FROM=TO: claude-*=claude-opus-4-8")?;
        let Pattern(from) = from.parse().map_err(|e: pattern::NotAPattern| e.to_string())?;
        Ok(Self(Redirect {
            from,
            to: to.to_owned(),
        }))
    }
}

impl FromStr for OverrideArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, value) = text
            .split_once('=')
            .ok_or("is not an override; write NAME=JSON: temperature=0.5, or NAME= to remove it")?;
        Ok(Self(Override {
            path: path.trim().to_owned(),
            value: (!value.is_empty()).then(|| value.to_owned()),
        }))
    }
}

impl FromStr for ProbeArg {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(None)),
            time => time
                .parse()
                .map(|Millis(interval_ms)| Self(Some(Probe { interval_ms }))),
        }
    }
}

/// As [`RedirectArg`] reads it.
pub(crate) fn write_redirect(redirect: &Redirect) -> String {
    let from: &ModelPattern = &redirect.from;
    format!("{}={}", pattern::write(from), redirect.to)
}

/// As [`OverrideArg`] reads it.
pub(crate) fn write_override(edit: &Override) -> String {
    format!("{}={}", edit.path, edit.value.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use penstock_core::provider::{BreakerSettings, ProviderKind};

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        flags: RoutingFlags,
    }

    fn applied(flags: &[&str], mut provider: Provider) -> Provider {
        let words = std::iter::once(&"x").chain(flags);
        Command::try_parse_from(words).unwrap().flags.apply(&mut provider);
        provider
    }

    fn plain() -> Provider {
        Provider::new("main", ProviderKind::Anthropic, "https://h")
    }

    #[test]
    fn b01_flags_carry_redirects_hours_breaker_overrides_and_probes() {
        let provider = applied(
            &[
                "--redirect",
                "claude-*=mine",
                "--redirect",
                "regex:a=b=c",
                "--active-hours",
                "22:00-06:00 Asia/Shanghai",
                "--breaker-failures",
                "3",
                "--breaker-open",
                "10m",
                "--breaker-successes",
                "1",
                "--breaker-network-errors",
                "false",
                "--override",
                "temperature=0.5",
                "--override",
                "user=",
                "--probe",
                "5m",
            ],
            plain(),
        );
        assert_eq!(provider.validate(), Ok(()));
        let redirects: Vec<_> = provider.redirects.iter().map(write_redirect).collect();
        assert_eq!(redirects, ["prefix:claude-=mine", "regex:a=b=c"]);
        let overrides: Vec<_> = provider.overrides.iter().map(write_override).collect();
        assert_eq!(overrides, ["temperature=0.5", "user="]);
        assert_eq!(
            provider.active_hours.unwrap().to_string(),
            "22:00-06:00 Asia/Shanghai"
        );
        let breaker = BreakerSettings {
            failures: 3,
            open_ms: 600_000,
            successes: 1,
            network_errors: false,
        };
        assert_eq!(provider.breaker, breaker);
        assert_eq!(provider.probe.unwrap().interval_ms, 300_000);
    }

    #[test]
    fn an_update_changes_only_what_is_given_and_takes_back_what_is_emptied() {
        let before = applied(
            &[
                "--active-hours",
                "08:00-09:00",
                "--probe",
                "1h",
                "--redirect",
                "a=b",
            ],
            plain(),
        );
        assert_eq!(applied(&[], before.clone()), before);
        let after = applied(
            &["--active-hours", "", "--probe", "off", "--redirect", ""],
            before,
        );
        assert_eq!(after, plain());
    }

    #[test]
    fn what_is_no_redirect_says_how_to_write_one() {
        let wrong = |flags: &[&str]| {
            let words = std::iter::once(&"x").chain(flags);
            Command::try_parse_from(words).err().unwrap().to_string()
        };
        assert!(wrong(&["--redirect", "claude"]).contains("FROM=TO"));
        assert!(wrong(&["--override", "temperature"]).contains("NAME=JSON"));
        assert!(wrong(&["--active-hours", "night"]).contains("22:00-06:00"));
    }
}
