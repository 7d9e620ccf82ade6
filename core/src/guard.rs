//! The guard against guessing keys: who presents too many unknown ones is not listened to for a while (behaviour A7).
//!
//! One [`Guard`] stands for one address. Only credentials that were presented and belong to nobody count: a request
//! without any is no guess, and a disabled or expired key is somebody's. While an address is blocked a valid key from
//! it still works, since many people may share it; only unknown credentials are answered with 429 instead of 401.
//!
//! ## The count
//! The window is cut into ten parts; a bad credential counts in the part that it falls into and in the ten that
//! follow, so for the whole window and at most a tenth longer. The bad credential that makes the count full begins the
//! block, and the count begins anew. What comes during a block is not counted and does not prolong it. A clock that
//! goes back counts into the newest part known; a guard forgets nothing by it.
//!
//! Pure: time is an argument. The data plane keeps the guards of the addresses seen last, and what the fleet knows
//! comes in by [`Guard::block_until`].

use crate::time::UnixMs;

/// The present part of the window and the ten before it.
const PARTS: usize = 11;
const PARTS_OF_WINDOW: u64 = 10;

/// How many guesses are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardRules {
    /// So many bad credentials within the window begin a block; 0: no guard.
    pub attempts: u32,
    pub window_ms: u64,
    pub block_ms: u64,
}

/// What one address did. See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// The number of the newest part that anything was counted in; None: nothing was.
    newest: Option<i64>,
    /// By the parts' numbers, modulo their number.
    counts: [u32; PARTS],
    blocked_until: Option<UnixMs>,
}

/// Whether bad credentials of an address are still looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Free,
    Blocked { until: UnixMs },
}

impl Default for GuardRules {
    /// 20 in 5 min block for 10 min.
    fn default() -> Self {
        Self {
            attempts: 20,
            window_ms: 300_000,
            block_ms: 600_000,
        }
    }
}

impl Guard {
    /// A bad credential was presented now. The verdict holds for this very request too.
    pub fn bad(&mut self, rules: &GuardRules, now: UnixMs) -> Verdict {
        if let blocked @ Verdict::Blocked { .. } = self.verdict(now) {
            return blocked;
        }
        if rules.attempts == 0 {
            return Verdict::Free;
        }
        let newest = self.move_to(part(rules, now));
        if let Some(count) = self.counts.get_mut(slot(newest)) {
            *count = count.saturating_add(1);
        }
        if self
            .counts
            .iter()
            .fold(0, |sum: u32, count| sum.saturating_add(*count))
            < rules.attempts
        {
            return Verdict::Free;
        }
        let until = now.plus_ms(rules.block_ms);
        self.block_until(until);
        Verdict::Blocked { until }
    }

    /// Without counting anything.
    pub fn verdict(&self, now: UnixMs) -> Verdict {
        match self.blocked_until.filter(|until| now < *until) {
            Some(until) => Verdict::Blocked { until },
            None => Verdict::Free,
        }
    }

    /// Another data plane blocked the address. An earlier end than the one known changes nothing.
    pub fn block_until(&mut self, until: UnixMs) {
        self.blocked_until = self.blocked_until.max(Some(until));
        self.counts = [0; PARTS];
    }

    /// Whether forgetting the guard would change nothing.
    pub fn is_idle(&self, rules: &GuardRules, now: UnixMs) -> bool {
        let part = part(rules, now);
        let old = |newest: i64| part.saturating_sub(newest) >= PARTS as i64;
        self.verdict(now) == Verdict::Free && (self.counts == [0; PARTS] || self.newest.is_none_or(old))
    }

    /// Clears the parts that lie between the newest one and this one. The one to count in.
    fn move_to(&mut self, part: i64) -> i64 {
        let before = self.newest.unwrap_or(part);
        for ahead in 1..=part.saturating_sub(before).clamp(0, PARTS as i64) {
            if let Some(count) = self.counts.get_mut(slot(before.saturating_add(ahead))) {
                *count = 0;
            }
        }
        let newest = before.max(part);
        self.newest = Some(newest);
        newest
    }
}

impl Verdict {
    /// Whole seconds until the block ends, at least one; None when there is none.
    pub fn retry_after(self, now: UnixMs) -> Option<u64> {
        match self {
            Self::Free => None,
            Self::Blocked { until } => {
                let ms = u64::try_from(until.0.saturating_sub(now.0)).unwrap_or(0);
                Some(ms.div_ceil(1000).max(1))
            }
        }
    }
}

fn part(rules: &GuardRules, now: UnixMs) -> i64 {
    // Rounded up, so that ten parts are never shorter than the window.
    let width = rules.window_ms.div_ceil(PARTS_OF_WINDOW).max(1);
    now.0.div_euclid(i64::try_from(width).unwrap_or(i64::MAX))
}

fn slot(part: i64) -> usize {
    usize::try_from(part.rem_euclid(PARTS as i64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: GuardRules = GuardRules {
        attempts: 20,
        window_ms: 300_000,
        block_ms: 600_000,
    };

    #[test]
    fn a07_the_twentieth_bad_credential_in_five_minutes_blocks_for_ten() {
        let mut guard = Guard::default();
        for i in 0..19 {
            assert_eq!(guard.bad(&RULES, UnixMs(i * 15_000)), Verdict::Free, "{i}");
        }
        let until = UnixMs(285_000 + 600_000);
        assert_eq!(guard.bad(&RULES, UnixMs(285_000)), Verdict::Blocked { until });
        assert_eq!(guard.verdict(UnixMs(until.0 - 1)), Verdict::Blocked { until });
        assert_eq!(guard.verdict(until), Verdict::Free);
        assert_eq!(guard.bad(&RULES, until), Verdict::Free, "the count began anew");
        let verdict = Verdict::Blocked { until };
        assert_eq!(verdict.retry_after(UnixMs(until.0 - 1_001)), Some(2));
        assert_eq!(verdict.retry_after(UnixMs(until.0 + 5)), Some(1));
    }

    #[test]
    fn a07_slow_guessing_never_blocks() {
        let mut guard = Guard::default();
        for i in 0..1_000 {
            assert_eq!(guard.bad(&RULES, UnixMs(i * 20_000)), Verdict::Free, "{i}");
        }
    }

    #[test]
    fn a07_a_block_of_the_fleet_is_a_block_here() {
        let mut guard = Guard::default();
        guard.block_until(UnixMs(10));
        guard.block_until(UnixMs(5));
        assert_eq!(guard.verdict(UnixMs(7)), Verdict::Blocked { until: UnixMs(10) });
        assert!(guard.is_idle(&RULES, UnixMs(10)) && !guard.is_idle(&RULES, UnixMs(9)));
    }

    #[test]
    fn a07_no_attempts_is_no_guard() {
        let off = GuardRules { attempts: 0, ..RULES };
        let mut guard = Guard::default();
        for _ in 0..100 {
            assert_eq!(guard.bad(&off, UnixMs(1)), Verdict::Free);
        }
        assert!(guard.is_idle(&off, UnixMs(1)));
    }

    /// The plain model: every bad credential since the last block, by its instant.
    #[derive(Default)]
    struct Model {
        seen: Vec<i64>,
    }

    impl Model {
        fn within(&self, now: i64, ms: i64) -> usize {
            self.seen.iter().filter(|at| now - **at < ms).count()
        }
    }

    proptest! {
        #[test]
        fn a07_the_guard_blocks_as_the_plain_model_does(
            steps in prop::collection::vec((0..40_000_i64, 1..4_usize), 0..200), begin in -1_000_000..1_000_000_i64,
        ) {
            let (mut guard, mut model, mut now) = (Guard::default(), Model::default(), begin);
            let mut blocked_until = i64::MIN;
            for (wait, times) in steps {
                now += wait;
                for _ in 0..times {
                    let before = guard.verdict(UnixMs(now));
                    prop_assert_eq!(before != Verdict::Free, now < blocked_until);
                    let verdict = guard.bad(&RULES, UnixMs(now));
                    if now < blocked_until {
                        prop_assert_eq!(verdict, Verdict::Blocked { until: UnixMs(blocked_until) });
                        continue;
                    }
                    model.seen.push(now);
                    match verdict {
                        // Twenty in the window block at the latest ...
                        Verdict::Free => prop_assert!(model.within(now, 300_000) < 20),
                        // ... and fewer than twenty in a tenth more never do.
                        Verdict::Blocked { until } => {
                            prop_assert!(model.within(now, 330_000) >= 20);
                            prop_assert_eq!(until, UnixMs(now + 600_000));
                            blocked_until = until.0;
                            model.seen.clear();
                        }
                    }
                    if guard.is_idle(&RULES, UnixMs(now)) {
                        prop_assert_eq!(model.within(now, 300_000), 0);
                    }
                }
            }
        }

        #[test]
        fn a07_no_time_and_no_rule_panics(
            times in prop::collection::vec(any::<i64>(), 0..30), attempts: u32, window_ms: u64, block_ms: u64,
        ) {
            let rules = GuardRules { attempts, window_ms, block_ms };
            let mut guard = Guard::default();
            for now in times {
                guard.bad(&rules, UnixMs(now)).retry_after(UnixMs(now));
                guard.is_idle(&rules, UnixMs(now));
            }
        }
    }
}
