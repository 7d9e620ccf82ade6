//! How long to wait for a provider. No wait is without an end.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// How long to wait for an upstream; None takes the default of the provider's kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeouts {
    pub connect_ms: Option<u64>,
    pub first_byte_ms: Option<u64>,
    pub idle_ms: Option<u64>,
    pub total_ms: Option<u64>,
    pub stream_total_ms: Option<u64>,
}

const DAY_MS: u64 = 86_400_000;

impl Timeouts {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let fields = [
            ("connect_ms", self.connect_ms),
            ("first_byte_ms", self.first_byte_ms),
            ("idle_ms", self.idle_ms),
            ("total_ms", self.total_ms),
            ("stream_total_ms", self.stream_total_ms),
        ];
        for (field, value) in fields {
            if value.is_some_and(|ms| ms == 0 || ms > DAY_MS) {
                return Err(Invalid::new(
                    format!("timeouts.{field}"),
                    "must be between 1 ms and 24 h",
                ));
            }
        }
        Ok(())
    }
}
