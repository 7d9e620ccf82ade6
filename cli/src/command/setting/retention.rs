//! `penstock setting set retention`: reads the setting and changes only what is given.

use penstock_core::setting::RetentionPolicy;

use super::change;
use crate::args::set;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::Reason;

/// What can be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Flags {
    /// Whether anything is cleaned [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    enabled: Option<bool>,

    /// How many days single calls of the ledger are kept; its sums stay for ever [default: 30]
    #[arg(long, value_name = "DAYS")]
    usage_records_days: Option<u32>,

    /// How many days records of the failure log are kept [default: 30]
    #[arg(long, value_name = "DAYS")]
    failed_calls_days: Option<u32>,

    /// How many days the audit log is kept [default: 400]
    #[arg(long, value_name = "DAYS")]
    audit_log_days: Option<u32>,
}

impl Flags {
    pub(crate) async fn run(self, session: &Session, reason: &Reason) -> Result<(), Failure> {
        let given = self != Self::default();
        change::set(session, reason, given, |policy| self.apply(policy)).await
    }

    fn apply(&self, policy: &mut RetentionPolicy) {
        set(&mut policy.enabled, self.enabled);
        set(&mut policy.usage_records_days, self.usage_records_days);
        set(&mut policy.failed_calls_days, self.failed_calls_days);
        set(&mut policy.audit_log_days, self.audit_log_days);
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

    #[test]
    fn e07_only_what_is_given_changes() {
        let words = "x --usage-records-days 90 --enabled false".split(' ');
        let mut policy = RetentionPolicy::default();
        Command::try_parse_from(words).unwrap().flags.apply(&mut policy);
        let expected = RetentionPolicy {
            enabled: false,
            usage_records_days: 90,
            ..RetentionPolicy::default()
        };
        assert_eq!(policy, expected);
    }
}
