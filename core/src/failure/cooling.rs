//! For how long something is left alone when the provider does not say.

use std::time::Duration;

/// A guess that doubles with each failure in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cooling {
    pub first: Duration,
    pub cap: Duration,
}

impl Cooling {
    pub const RATE_LIMITED: Self = Self::doubling(60, 30 * 60);
    pub const OVERLOADED: Self = Self::doubling(10, 10 * 60);
    pub const NO_MODEL: Self = Self::fixed(10 * 60);
    pub const CREDENTIAL: Self = Self::fixed(30);
    pub const BILLING: Self = Self::fixed(3600);

    /// Seconds.
    pub const fn doubling(first: u64, cap: u64) -> Self {
        Self {
            first: Duration::from_secs(first),
            cap: Duration::from_secs(cap),
        }
    }

    /// Seconds, the same each time.
    pub const fn fixed(seconds: u64) -> Self {
        Self::doubling(seconds, seconds)
    }

    /// After this many failures in a row, the present one not counted.
    pub fn after(self, earlier: u32) -> Duration {
        self.first
            .saturating_mul(2_u32.saturating_pow(earlier))
            .min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b09_a_guess_doubles_up_to_its_cap() {
        let seconds = |cooling: Cooling| [0, 1, 2, 5, 99].map(|earlier| cooling.after(earlier).as_secs());
        assert_eq!(seconds(Cooling::RATE_LIMITED), [60, 120, 240, 1800, 1800]);
        assert_eq!(seconds(Cooling::OVERLOADED), [10, 20, 40, 320, 600]);
        assert_eq!(seconds(Cooling::NO_MODEL), [600; 5]);
    }
}
