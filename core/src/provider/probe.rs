//! Probes: calls that Penstock makes by itself to see whether a provider answers.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// From one probe to the next.
    pub interval_ms: u64,
}

impl Probe {
    pub(super) fn validate(self) -> Result<(), Invalid> {
        match self.interval_ms {
            10_000..=86_400_000 => Ok(()),
            _ => Err(Invalid::new("interval_ms", "must be between 10 s and 24 h")),
        }
    }
}
