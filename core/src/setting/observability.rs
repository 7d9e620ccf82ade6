//! What is observed beyond what costs nothing.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// Switches of metrics and traces; all off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObservabilityPolicy {
    /// How many keys have metrics of their own on each data plane, those that call most; all others are one. 0: none.
    pub metrics_of_keys: u32,
    /// Whether providers get the trace of a call, as `traceparent` and `tracestate`.
    pub trace_to_providers: bool,
}

/// Each has five series on every data plane.
pub const MAX_METRICS_OF_KEYS: u32 = 1_000;

impl ObservabilityPolicy {
    pub(super) fn validate(self) -> Result<(), Invalid> {
        if self.metrics_of_keys > MAX_METRICS_OF_KEYS {
            let problem = format!("is more than {MAX_METRICS_OF_KEYS}");
            return Err(Invalid::new("observability.metrics_of_keys", problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g07_metrics_of_keys_are_bounded() {
        let policy = |metrics_of_keys| ObservabilityPolicy {
            metrics_of_keys,
            trace_to_providers: true,
        };
        assert_eq!(policy(1_000).validate(), Ok(()));
        let refused = policy(1_001).validate().unwrap_err();
        assert_eq!(refused.field, "observability.metrics_of_keys");
    }
}
