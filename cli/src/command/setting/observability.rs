//! `penstock setting set observability`: reads the setting and changes only what is given.

use penstock_core::setting::{MAX_METRICS_OF_KEYS, ObservabilityPolicy};

use super::change;
use crate::args::set;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::Reason;

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
        let given = self != Self::default();
        change::set(session, reason, given, |policy| self.apply(policy)).await
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
