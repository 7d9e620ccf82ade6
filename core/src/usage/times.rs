//! How long calls took, counted in buckets: enough to say below which time half of them stayed, or all but one in a hundred.
//!
//! The bounds never change: sums of years are counted by them.

/// Upper bounds in milliseconds, inclusive. The last bucket has none.
pub const BOUNDS_MS: [u64; 11] = [
    250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000, 300_000,
];

pub const BUCKETS: usize = BOUNDS_MS.len() + 1;

/// Times of some calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Milliseconds in all.
    pub sum_ms: u64,
    /// How many calls in each bucket.
    pub counts: [u64; BUCKETS],
}

/// In which bucket a time is counted.
pub fn bucket(ms: u64) -> usize {
    BOUNDS_MS.partition_point(|bound| *bound < ms)
}

impl Times {
    pub fn calls(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// None: there are no calls.
    pub fn average_ms(&self) -> Option<u64> {
        self.sum_ms.checked_div(self.calls())
    }

    /// The time below which this many of a hundred calls stayed, as if the calls of a bucket were spread evenly over it.
    /// In the last bucket it is the bound of the one before. None: there are no calls.
    pub fn percentile_ms(&self, percent: u64) -> Option<u64> {
        let calls = self.calls();
        if calls == 0 {
            return None;
        }
        let wanted = (u128::from(calls) * u128::from(percent.min(100)))
            .div_ceil(100)
            .max(1);
        let mut below = 0_u128;
        let mut from = 0_u64;
        for (i, count) in self.counts.iter().enumerate() {
            let Some(to) = BOUNDS_MS.get(i).copied() else {
                return Some(from);
            };
            let count = u128::from(*count);
            if below + count >= wanted {
                let part = u128::from(to - from) * (wanted - below) / count;
                return Some(from + u64::try_from(part).unwrap_or(to - from));
            }
            below += count;
            from = to;
        }
        Some(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(all: &[u64]) -> Times {
        let mut times = Times::default();
        for ms in all {
            times.sum_ms += ms;
            times.counts[bucket(*ms)] += 1;
        }
        times
    }

    #[test]
    fn g06_a_time_belongs_to_the_bucket_whose_bound_it_does_not_pass() {
        assert_eq!((bucket(0), bucket(250), bucket(251)), (0, 0, 1));
        assert_eq!((bucket(300_000), bucket(300_001)), (10, 11));
    }

    #[test]
    fn g06_percentiles_lie_in_the_bucket_of_their_call() {
        let times = times(&[100, 200, 300, 900, 1_500, 1_600, 1_700, 1_800, 1_900, 20_000]);
        let p50 = times.percentile_ms(50).unwrap();
        assert!((1_001..=2_000).contains(&p50), "{p50}");
        let p95 = times.percentile_ms(95).unwrap();
        assert!((15_001..=30_000).contains(&p95), "{p95}");
        assert_eq!(times.average_ms(), Some(3_000));
    }

    #[test]
    fn g06_percentiles_never_fall_and_of_nothing_there_are_none() {
        let times = times(&[1, 260, 999, 7_000, 400_000]);
        let all: Vec<u64> = (1..=100).map(|p| times.percentile_ms(p).unwrap()).collect();
        assert!(all.is_sorted(), "{all:?}");
        assert_eq!(all.last(), Some(&300_000));
        assert_eq!(Times::default().percentile_ms(50), None);
        assert_eq!(Times::default().average_ms(), None);
    }
}
