//! How often a provider failed in the last five minutes: what guessed waits are lengthened by.

use crate::time::UnixMs;

const PART_MS: i64 = 30_000;
const PARTS: usize = 10;

/// Counts by parts of half a minute. What is in the oldest part may be half a minute too young to be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    newest: i64,
    counts: [u32; PARTS],
}

impl Recent {
    pub fn add(&mut self, now: UnixMs) {
        self.move_to(now);
        if let Some(count) = self.counts.first_mut() {
            *count = count.saturating_add(1);
        }
    }

    pub fn count(&self, now: UnixMs) -> u32 {
        let gone = now.0.div_euclid(PART_MS).saturating_sub(self.newest).max(0);
        let left = PARTS.saturating_sub(usize::try_from(gone).unwrap_or(PARTS));
        self.counts
            .iter()
            .take(left)
            .fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// The newest part comes first.
    fn move_to(&mut self, now: UnixMs) {
        let part = now.0.div_euclid(PART_MS);
        let gone = usize::try_from(part.saturating_sub(self.newest))
            .unwrap_or(0)
            .min(PARTS);
        if gone > 0 {
            self.counts.rotate_right(gone % PARTS);
            self.counts.iter_mut().take(gone).for_each(|count| *count = 0);
            self.newest = part;
        }
    }
}

/// 1 + 0.2 × failures, of a wait.
pub fn lengthened(wait_ms: u64, failures: u32) -> u64 {
    let fifths = u64::from(failures).saturating_add(5);
    u64::try_from(u128::from(wait_ms) * u128::from(fifths) / 5).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn b09_failures_are_remembered_for_five_minutes(waits in prop::collection::vec(0_i64..200_000, 0..40)) {
            let (mut recent, mut all, mut now) = (Recent::default(), Vec::new(), 0_i64);
            for after in waits {
                now += after;
                recent.add(UnixMs(now));
                all.push(now / PART_MS);
                let expected = all.iter().filter(|part| now / PART_MS - **part < 10).count();
                prop_assert_eq!(recent.count(UnixMs(now)) as usize, expected);
            }
            prop_assert_eq!(recent.count(UnixMs(now + 300_000)), 0);
        }
    }

    #[test]
    fn b09_each_failure_lengthens_a_guess_by_a_fifth() {
        assert_eq!(
            [0, 1, 5].map(|failures| lengthened(10_000, failures)),
            [10_000, 12_000, 20_000]
        );
        assert_eq!(lengthened(u64::MAX, 9), u64::MAX);
    }

    #[test]
    fn a_clock_that_goes_back_loses_nothing() {
        let mut recent = Recent::default();
        recent.add(UnixMs(600_000));
        recent.add(UnixMs(0));
        assert_eq!(recent.count(UnixMs(600_000)), 2);
    }
}
