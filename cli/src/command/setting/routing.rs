//! `penstock setting set routing`: reads the setting and changes only what is given.

use penstock_core::setting::RoutingPolicy;

use super::change;
use crate::args::duration::Millis;
use crate::args::set;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::Reason;

/// What can be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Flags {
    /// How many providers are tried for one call [default: 5]
    #[arg(long, value_name = "N")]
    max_providers: Option<u32>,

    /// A stream without an answer for so long gets its head and an empty line; 0: never [default: 25s]
    #[arg(long, value_name = "TIME")]
    keepalive_after: Option<Millis>,

    /// Then one more after each such time [default: 15s]
    #[arg(long, value_name = "TIME")]
    keepalive_every: Option<Millis>,

    /// Whether a session moves back when a provider of a better tier recovers [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    return_to_better_tier: Option<bool>,

    /// How long a session stays with its provider; 0: not at all [default: 1h]
    #[arg(long, value_name = "TIME")]
    sticky: Option<Millis>,

    /// A call renews that time when less than this is left; 0: never [default: 15m]
    #[arg(long, value_name = "TIME")]
    sticky_renew_below: Option<Millis>,

    /// When a caller goes away, its stream is read on for so long, to learn what it used; 0: not at all [default: 0]
    #[arg(long, value_name = "TIME")]
    read_on: Option<Millis>,
}

impl Flags {
    pub(crate) async fn run(self, session: &Session, reason: &Reason) -> Result<(), Failure> {
        let given = self != Self::default();
        change::set(session, reason, given, |policy| self.apply(policy)).await
    }

    fn apply(&self, policy: &mut RoutingPolicy) {
        let ms = |given: Option<Millis>| given.map(|Millis(ms)| ms);
        set(&mut policy.max_providers, self.max_providers);
        set(&mut policy.keepalive_after_ms, ms(self.keepalive_after));
        set(&mut policy.keepalive_every_ms, ms(self.keepalive_every));
        set(&mut policy.return_to_better_tier, self.return_to_better_tier);
        set(&mut policy.sticky_ttl_ms, ms(self.sticky));
        set(&mut policy.sticky_renew_below_ms, ms(self.sticky_renew_below));
        set(&mut policy.read_on_ms, ms(self.read_on));
        // Of a shorter time no more can be left.
        if self.sticky_renew_below.is_none() {
            policy.sticky_renew_below_ms = policy.sticky_renew_below_ms.min(policy.sticky_ttl_ms);
        }
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
    fn b04_only_what_is_given_changes() {
        let words = "x --max-providers 3 --sticky 5m --return-to-better-tier".split(' ');
        let mut policy = RoutingPolicy::default();
        Command::try_parse_from(words).unwrap().flags.apply(&mut policy);
        let expected = RoutingPolicy {
            max_providers: 3,
            return_to_better_tier: true,
            sticky_ttl_ms: 300_000,
            sticky_renew_below_ms: 300_000,
            ..RoutingPolicy::default()
        };
        assert_eq!(policy, expected);
    }
}
