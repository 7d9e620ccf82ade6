//! `penstock setting set retention`: reads the setting and changes only what is given.

use penstock_core::setting::{RetentionPolicy, Setting};
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::current;
use crate::args::set;
use crate::command::edit::nothing_to_change;
use crate::command::session::{Session, part};
use crate::failure::Failure;
use crate::remote::{ATTEMPTS, Reason, edit};

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
        if self == Self::default() {
            return Err(nothing_to_change());
        }
        let services = session.connect().await?;
        let revision = edit(ATTEMPTS, async || {
            let name = Setting::Retention(RetentionPolicy::default()).name();
            let (Setting::Retention(mut policy), version) = current(&services, name).await? else {
                return part("setting.retention", None);
            };
            self.apply(&mut policy);
            let request = wire::SetSettingRequest {
                setting: Some(convert::setting_to_wire(&Setting::Retention(policy))),
                expected_version: version,
                change: reason.info(),
            };
            let answer = services.configuration().set_setting(request).await?;
            Ok(answer.into_inner().revision)
        });
        session.print_done("set retention".to_owned(), revision.await?)
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
