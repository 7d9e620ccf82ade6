//! How providers are tried, for the whole installation.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoutingPolicy {
    /// At most so many are tried for one call.
    pub max_providers: u32,
    /// A stream without an answer for so long gets its head and an empty line. 0: never.
    pub keepalive_after_ms: u64,
    /// Then one more after each such time.
    pub keepalive_every_ms: u64,
    /// Whether a session moves back when a provider of a better tier recovers.
    pub return_to_better_tier: bool,
    /// How long a session stays with its provider. 0: not at all.
    pub sticky_ttl_ms: u64,
    /// A call renews that time when less than this is left. 0: never.
    pub sticky_renew_below_ms: u64,
    /// When a caller goes away, its stream is read on for so long, to learn what it used. 0: not at all.
    pub read_on_ms: u64,
}

const MAX_PROVIDERS: u32 = 100;
const MINUTE_MS: u64 = 60_000;
const MAX_STICKY_MS: u64 = 30 * 24 * 60 * MINUTE_MS;

impl Default for RoutingPolicy {
    fn default() -> Self {
        Self {
            max_providers: 5,
            keepalive_after_ms: 25_000,
            keepalive_every_ms: 15_000,
            return_to_better_tier: false,
            sticky_ttl_ms: 60 * MINUTE_MS,
            sticky_renew_below_ms: 15 * MINUTE_MS,
            read_on_ms: 0,
        }
    }
}

impl RoutingPolicy {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let refuse = |field: &str, problem: &str| Err(Invalid::new(format!("routing.{field}"), problem));
        if self.max_providers == 0 || self.max_providers > MAX_PROVIDERS {
            return refuse("max_providers", "must be from 1 to 100");
        }
        if self.keepalive_after_ms != 0 && !(1_000..=10 * MINUTE_MS).contains(&self.keepalive_after_ms) {
            return refuse("keepalive_after_ms", "must be 0 or between 1 s and 10 min");
        }
        if !(1_000..=10 * MINUTE_MS).contains(&self.keepalive_every_ms) {
            return refuse("keepalive_every_ms", "must be between 1 s and 10 min");
        }
        if self.read_on_ms > MINUTE_MS {
            return refuse("read_on_ms", "is over a minute");
        }
        if self.sticky_ttl_ms > MAX_STICKY_MS {
            return refuse("sticky_ttl_ms", "is over 30 days");
        }
        if self.sticky_renew_below_ms > self.sticky_ttl_ms {
            return refuse("sticky_renew_below_ms", "is longer than sticky_ttl_ms");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b04_the_defaults_are_those_of_the_behaviours() {
        let policy = RoutingPolicy::default();
        assert_eq!(policy.validate(), Ok(()));
        assert_eq!((policy.max_providers, policy.keepalive_after_ms), (5, 25_000));
        assert_eq!(
            (policy.sticky_ttl_ms, policy.sticky_renew_below_ms),
            (3_600_000, 900_000)
        );
    }

    #[test]
    fn b05_the_number_of_providers_is_bounded() {
        let none = RoutingPolicy {
            max_providers: 0,
            ..RoutingPolicy::default()
        };
        assert_eq!(none.validate().unwrap_err().field, "routing.max_providers");
    }
}
