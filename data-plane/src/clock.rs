//! The one place that reads the wall clock and randomness.
//!
//! Everything else takes the time as an argument or asks here, so that a search for these functions finds every
//! reader. Waiting and measuring use `tokio::time`, which tests can pause.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use penstock_core::id::{RequestId, SpoolId};
use penstock_core::time::UnixMs;

/// The time now. A clock before 1970 counts as 1970.
pub fn now() -> UnixMs {
    UnixMs(i64::try_from(unix_ms()).unwrap_or(i64::MAX))
}

/// A new id for a call that is accepted now.
pub fn request_id() -> RequestId {
    RequestId::from_parts(unix_ms(), &rand::random())
}

/// A new id for a spool that begins now.
pub fn spool_id() -> SpoolId {
    SpoolId::from_parts(unix_ms(), &rand::random())
}

/// Uniform over all values; for jitter and weighted choices, not for secrets.
pub fn random() -> u32 {
    rand::random()
}

/// A new id for a span that begins now.
pub fn span_id() -> u64 {
    rand::random()
}

/// The time now in nanoseconds, to the millisecond.
pub fn unix_nanos() -> u64 {
    unix_ms().saturating_mul(1_000_000)
}

/// Milliseconds as logs and records carry them; over 49 days counts as 49 days.
pub fn whole_ms(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_carry_the_time_they_were_made() {
        let before = now();
        let made = i64::try_from(request_id().unix_ms()).unwrap();
        assert!((before.0..=now().0).contains(&made));
    }

    #[test]
    fn a_duration_too_long_for_a_record_is_capped() {
        assert_eq!(whole_ms(Duration::from_millis(7)), 7);
        assert_eq!(whole_ms(Duration::MAX), u32::MAX);
    }
}
