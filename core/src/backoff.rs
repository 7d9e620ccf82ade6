//! Waiting between tries: exponential, capped, with full jitter, so that many clients do not come back together.

use std::time::Duration;

/// Doubles from `first` to `cap`; the wait itself is a random part of that.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self {
            first,
            cap,
            failures: 0,
        }
    }

    /// Counts a failure and says how long to wait. `random` is uniform over all of its values.
    pub fn next(&mut self, random: u32) -> Duration {
        let ceiling = self
            .first
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(self.cap);
        self.failures = self.failures.saturating_add(1);
        let nanos = ceiling.as_nanos() * u128::from(random) / u128::from(u32::MAX);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// After a success the next failure waits briefly again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        let waits: Vec<_> = (0..4).map(|_| backoff.next(u32::MAX).as_millis()).collect();
        assert_eq!(waits, [100, 200, 350, 350]);
        backoff.reset();
        assert_eq!(backoff.next(u32::MAX).as_millis(), 100);
    }

    proptest! {
        #[test]
        fn no_wait_is_over_the_cap(failures in 0_u32..200, random: u32) {
            let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(15));
            for _ in 0..failures {
                backoff.next(0);
            }
            prop_assert!(backoff.next(random) <= Duration::from_secs(15));
        }
    }
}
