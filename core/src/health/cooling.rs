//! Waiting after "too many requests" and "overloaded".
//!
//! A moment that the provider states is obeyed as it is. Without one the wait is guessed: `first`, doubled for each
//! guess since the last success, lengthened by a fifth for each recent failure, at most `cap`. Many requests fail
//! together, so what fails during a wait does not lengthen a guess; a stated moment replaces a guess, and of two stated
//! ones the later holds. The doubling is forgotten after a success, or when `cap` has passed since the wait's end.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::recent::lengthened;
use crate::time::UnixMs;

/// When to come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cooling {
    pub until: UnixMs,
    /// By the provider.
    pub stated: bool,
    /// Guesses in a row.
    pub guesses: u32,
}

/// How long to wait without a word from the provider.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub first: Duration,
    pub cap: Duration,
    /// Of the provider, in the last 5 min.
    pub failures: u32,
}

impl Cooling {
    pub fn in_force(&self, now: UnixMs) -> bool {
        now < self.until
    }

    /// The provider said when. None: it stays.
    pub fn stated(before: Option<Self>, until: UnixMs, now: UnixMs) -> Option<Self> {
        let before = before.unwrap_or_default();
        let longer_known = before.stated && before.in_force(now) && before.until >= until;
        let next = Self {
            until,
            stated: true,
            ..before
        };
        (until > now && !longer_known).then_some(next)
    }

    /// It did not. None: it stays.
    pub fn guessed(before: Option<Self>, rule: Rule, now: UnixMs) -> Option<Self> {
        let before = before.unwrap_or_default();
        if before.in_force(now) {
            return None;
        }
        let cap = millis(rule.cap);
        let guesses = match before.until.plus_ms(cap) <= now {
            true => 0,
            false => before.guesses,
        };
        let doubled = millis(rule.first).saturating_mul(2_u64.saturating_pow(guesses));
        let wait = lengthened(doubled, rule.failures).min(cap);
        Some(Self {
            until: now.plus_ms(wait),
            stated: false,
            guesses: guesses.saturating_add(1),
        })
    }

    /// After a success. None: it stays.
    pub fn succeeded(self, now: UnixMs) -> Option<Self> {
        let ended = !self.in_force(now) && self.guesses > 0;
        ended.then_some(Self { guesses: 0, ..self })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        first: Duration::from_secs(60),
        cap: Duration::from_secs(1_800),
        failures: 0,
    };

    #[test]
    fn b09_a_guess_doubles_until_a_success_and_has_a_cap() {
        let (mut cooling, mut now, mut waits) = (None, UnixMs(1_000_000_000), Vec::new());
        for _ in 0..7 {
            let next = Cooling::guessed(cooling, RULE, now).unwrap();
            waits.push((next.until.0 - now.0) / 1_000);
            assert_eq!(
                Cooling::guessed(Some(next), RULE, now),
                None,
                "what fails together does not double"
            );
            (cooling, now) = (Some(next), next.until);
        }
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_800, 1_800]);
        let well = cooling.unwrap().succeeded(now).unwrap();
        assert_eq!(
            Cooling::guessed(Some(well), RULE, now).unwrap().until,
            now.plus_ms(60_000)
        );
    }

    #[test]
    fn b09_recent_failures_lengthen_a_guess_up_to_the_cap() {
        let now = UnixMs(1_000_000_000);
        let wait = |failures| {
            Cooling::guessed(None, Rule { failures, ..RULE }, now)
                .unwrap()
                .until
                .0
                - now.0
        };
        assert_eq!([1, 5, 10_000].map(wait), [72_000, 120_000, 1_800_000]);
    }

    #[test]
    fn b09_a_stated_moment_is_obeyed_as_it_is() {
        let now = UnixMs(1_000_000_000);
        let guess = Cooling::guessed(None, RULE, now);
        let sooner = Cooling::stated(guess, now.plus_ms(5_000), now).unwrap();
        assert_eq!((sooner.until, sooner.stated), (now.plus_ms(5_000), true));
        let month = now.plus_ms(2_592_000_000);
        let later = Cooling::stated(Some(sooner), month, now).unwrap();
        assert_eq!(later.until, month);
        assert_eq!(Cooling::stated(Some(later), now.plus_ms(5_000), now), None);
        assert_eq!(Cooling::guessed(Some(later), RULE, now), None);
        assert_eq!(Cooling::stated(None, now, now), None, "a moment that has passed");
    }

    #[test]
    fn b09_a_long_quiet_time_forgets_the_doubling() {
        let now = UnixMs(1_000_000_000);
        let old = Cooling {
            until: now,
            stated: false,
            guesses: 4,
        };
        assert_eq!(
            Cooling::guessed(Some(old), RULE, now.plus_ms(1_800_000))
                .unwrap()
                .guesses,
            1
        );
        assert_eq!(
            Cooling::guessed(Some(old), RULE, now.plus_ms(1_799_999))
                .unwrap()
                .guesses,
            5
        );
    }
}
