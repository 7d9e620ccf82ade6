//! `penstock setting set notifications`: reads the setting and changes only what is given.

use penstock_core::limits::Zone;
use penstock_core::provider::TimeOfDay;
use penstock_core::setting::NotificationPolicy;

use super::change;
use crate::args::set;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::Reason;

/// What can be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Flags {
    /// Whether trouble is looked for and told at all [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    enabled: Option<bool>,

    /// `error_rate`: more than so many percent of a provider's calls in 5 min fail [default: 5]
    #[arg(long, value_name = "PERCENT")]
    error_rate_percent: Option<u32>,

    /// And at least so many calls [default: 20]
    #[arg(long, value_name = "N")]
    error_rate_calls: Option<u32>,

    /// `consecutive_failures`: so many calls of a provider in a row end with 5xx [default: 10]
    #[arg(long, value_name = "N")]
    consecutive_failures: Option<u32>,

    /// `rate_limited`: more than so many calls a minute end with 429 [default: 100]
    #[arg(long, value_name = "N")]
    rate_limited_per_minute: Option<u32>,

    /// `repeated_status`: the same error status of a provider so often within an hour [default: 5]
    #[arg(long, value_name = "N")]
    repeated_status: Option<u32>,

    /// `budget`: shares of budgets, percent, ascending; repeatable or a comma list; none: not told [default: 80,95,100]
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', num_args = 0..)]
    budget_percent: Option<Vec<u32>>,

    /// `daily_summary`: when yesterday's is sent, HH:MM [default: 08:00]
    #[arg(long, value_name = "TIME")]
    summary_at: Option<TimeOfDay>,

    /// No daily summary
    #[arg(long, conflicts_with = "summary_at")]
    no_summary: bool,

    /// Whose days they are: an IANA name [default: UTC]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
}

impl Flags {
    pub(crate) async fn run(self, session: &Session, reason: &Reason) -> Result<(), Failure> {
        let given = self != Self::default();
        change::set(session, reason, given, |policy| self.apply(policy)).await
    }

    fn apply(&self, policy: &mut NotificationPolicy) {
        set(&mut policy.enabled, self.enabled);
        set(&mut policy.error_rate_percent, self.error_rate_percent);
        set(&mut policy.error_rate_calls, self.error_rate_calls);
        set(&mut policy.consecutive_failures, self.consecutive_failures);
        set(&mut policy.rate_limited_per_minute, self.rate_limited_per_minute);
        set(&mut policy.repeated_status, self.repeated_status);
        set(&mut policy.budget_percents, self.budget_percent.clone());
        set(&mut policy.summary_at, self.summary_at.map(Some));
        if self.no_summary {
            policy.summary_at = None;
        }
        set(&mut policy.zone, self.zone.clone().map(Zone));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        flags: Flags,
    }

    fn applied(line: &str) -> NotificationPolicy {
        let mut policy = NotificationPolicy::default();
        Command::try_parse_from(line.split(' '))
            .unwrap()
            .flags
            .apply(&mut policy);
        policy
    }

    #[test]
    fn g11_only_what_is_given_changes() {
        let expected = NotificationPolicy {
            budget_percents: vec![50, 90],
            summary_at: None,
            ..NotificationPolicy::default()
        };
        assert_eq!(applied("x --budget-percent 50,90 --no-summary"), expected);
        assert_eq!(
            applied("x --budget-percent --enabled").budget_percents,
            Vec::<u32>::new()
        );
    }
}
