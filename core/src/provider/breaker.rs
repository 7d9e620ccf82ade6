//! When a provider's circuit breaker opens and closes.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// Any of the three numbers zero: there is no breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakerSettings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open before a trial.
    pub open_ms: u64,
    /// Trials in a row that close it.
    pub successes: u32,
    /// Whether network errors count as failures.
    pub network_errors: bool,
}

const MAX_COUNT: u32 = 10_000;
const MAX_OPEN_MS: u64 = 7 * 86_400_000;

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            open_ms: 30 * 60_000,
            successes: 2,
            network_errors: true,
        }
    }
}

impl BreakerSettings {
    /// Whether there is a breaker.
    pub fn is_on(&self) -> bool {
        self.failures > 0 && self.open_ms > 0 && self.successes > 0
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        for (field, count) in [("failures", self.failures), ("successes", self.successes)] {
            if count > MAX_COUNT {
                return Err(Invalid::new(field, format!("is over {MAX_COUNT}")));
            }
        }
        if self.open_ms > MAX_OPEN_MS {
            return Err(Invalid::new(
                "open_ms",
                "is over 7 days; disable the provider instead",
            ));
        }
        Ok(())
    }
}
