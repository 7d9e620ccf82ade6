//! The one place of this plane that reads the wall clock and the system's randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use penstock_core::time::UnixMs;

/// Now. A clock before 1970 counts as 1970.
pub fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Uniform over all values: for backoff and jitter, not for secrets.
pub fn random() -> u32 {
    rand::random()
}
