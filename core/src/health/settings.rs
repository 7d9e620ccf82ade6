//! How easily a provider's breaker opens.

use serde::{Deserialize, Serialize};

/// Any of the three numbers 0: there is no breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakerSettings {
    /// So many consecutive failures open it.
    pub failures: u32,
    /// For so long nobody is let through.
    pub open_ms: u64,
    /// So many trials that went well close it.
    pub successes: u32,
    /// Whether network errors count.
    pub network_errors: bool,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            open_ms: 1_800_000,
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
}
