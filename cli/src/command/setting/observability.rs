//! `penstock setting set observability`: reads the setting and changes only what is given.

use penstock_core::setting::{MAX_METRICS_OF_KEYS, ObservabilityPolicy, Setting};
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
    /// How many keys have metrics of their own on each data plane, those that call most; 0: none
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_METRICS_OF_KEYS)))]
    metrics_of_keys: Option<u32>,

    /// Whether providers get the trace of a call, as `traceparent`
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    trace_to_providers: Option<bool>,
}

impl Flags {
    pub(crate) async fn run(self, session: &Session, reason: &Reason) -> Result<(), Failure> {
        if self == Self::default() {
            return Err(nothing_to_change());
        }
        let services = session.connect().await?;
        let revision = edit(ATTEMPTS, async || {
            let name = Setting::Observability(ObservabilityPolicy::default()).name();
            let (Setting::Observability(mut policy), version) = current(&services, name).await? else {
                return part("setting.observability", None);
            };
            self.apply(&mut policy);
            let request = wire::SetSettingRequest {
                setting: Some(convert::setting_to_wire(&Setting::Observability(policy))),
                expected_version: version,
                change: reason.info(),
            };
            let answer = services.configuration().set_setting(request).await?;
            Ok(answer.into_inner().revision)
        });
        session.print_done("set observability".to_owned(), revision.await?)
    }

    fn apply(&self, policy: &mut ObservabilityPolicy) {
        set(&mut policy.metrics_of_keys, self.metrics_of_keys);
        set(&mut policy.trace_to_providers, self.trace_to_providers);
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
    fn g07_only_what_is_given_changes() {
        let mut policy = ObservabilityPolicy::default();
        let flags = |words: &str| {
            let words = std::iter::once("x").chain(words.split_whitespace());
            Command::try_parse_from(words).map(|command| command.flags)
        };
        flags("--metrics-of-keys 20").unwrap().apply(&mut policy);
        flags("--trace-to-providers").unwrap().apply(&mut policy);
        assert_eq!((policy.metrics_of_keys, policy.trace_to_providers), (20, true));
        assert!(flags("--metrics-of-keys 1001").is_err());
    }
}
