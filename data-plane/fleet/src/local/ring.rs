//! Amounts in slots of equal length, with the sum of those that still count.
//!
//! A ring of `size` slots counts the newest slot and the `size - 1` before it. With one slot more than the window has,
//! an amount counts for its whole window and leaves at most one slot later. Time that goes back stands still.

use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    unit_ms: i64,
    size: i64,
    last: i64,
    sum: i64,
    slots: BTreeMap<i64, i64>,
}

impl Ring {
    /// 61 slots of a second.
    pub(super) fn minute(now: i64) -> Self {
        Self::new(1000, 61, now)
    }

    /// A window of this length in slots of a minute.
    pub(super) fn of_minutes(window_ms: i64, now: i64) -> Self {
        Self::new(60_000, window_ms / 60_000 + 1, now)
    }

    fn new(unit_ms: i64, size: i64, now: i64) -> Self {
        Self {
            unit_ms,
            size,
            last: now.div_euclid(unit_ms),
            sum: 0,
            slots: BTreeMap::new(),
        }
    }

    pub(super) fn sum(&self) -> i64 {
        self.sum
    }

    pub(super) fn advance(&mut self, now: i64) {
        self.last = self.last.max(now.div_euclid(self.unit_ms));
        while let Some(oldest) = self.slots.first_entry() {
            if *oldest.key() > self.last - self.size {
                break;
            }
            self.sum -= oldest.remove();
        }
    }

    /// Adds at an instant, if it still counts.
    pub(super) fn add(&mut self, at: i64, amount: i64) {
        let slot = at.div_euclid(self.unit_ms).min(self.last);
        if slot > self.last - self.size {
            *self.slots.entry(slot).or_default() += amount;
            self.sum += amount;
        }
    }

    /// When so much will have left; None: never.
    pub(super) fn leaves(&self, amount: i64) -> Option<i64> {
        let mut left = 0;
        for (slot, held) in &self.slots {
            left += held;
            if left >= amount {
                return Some((slot + self.size) * self.unit_ms);
            }
        }
        None
    }
}
