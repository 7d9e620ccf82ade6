//! When a budget is reached if spending goes on as it did.
//!
//! A straight line: what was spent in the last hours is spent in each hour to come. In a fixed window (a day, a week, a
//! month) the line ends where the window does. In a rolling one what was spent leaves again when it is old enough; once
//! all of it has left, as much leaves as comes, and nothing changes any more. A total never empties.

use super::window::Window;
use crate::money::NanoUsd;
use crate::time::UnixMs;

const HOUR_MS: i128 = 3_600_000;
/// Later than this is never.
const HORIZON_MS: i64 = 3_650 * 86_400_000;

/// How one budget stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending<'a> {
    pub now: UnixMs,
    pub window: Window,
    pub limit: NanoUsd,
    /// In the window until now.
    pub used: NanoUsd,
    /// What is spent in an hour.
    pub per_hour: NanoUsd,
    /// Of a rolling window: what was spent when, in order.
    pub spent: &'a [(UnixMs, NanoUsd)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// None: not in this window; of rolling windows and totals: never.
    pub reached_at: Option<UnixMs>,
    /// When the window is empty again. None for rolling windows and totals.
    pub reset_at: Option<UnixMs>,
    /// What will be used when a fixed window ends, or a rolling one is full of this rate. 0 for totals.
    pub projected: NanoUsd,
}

impl Spending<'_> {
    pub fn forecast(&self) -> Forecast {
        let line = |until: Option<UnixMs>| self.reached(self.now, self.used, until);
        match self.window {
            Window::Total => Forecast {
                reached_at: line(None),
                reset_at: None,
                projected: NanoUsd(0),
            },
            Window::Fixed(bounds) => Forecast {
                reached_at: line(Some(bounds.next)),
                reset_at: Some(bounds.next),
                projected: self.used + self.in_time(bounds.next.0.saturating_sub(self.now.0)),
            },
            Window::Rolling(length) => Forecast {
                reached_at: self.rolling(length),
                reset_at: None,
                projected: self.in_time(length),
            },
        }
    }

    fn rolling(&self, length: i64) -> Option<UnixMs> {
        let (mut at, mut used) = (self.now, self.used);
        let full = UnixMs(self.now.0.saturating_add(length));
        for (minute, spent) in self.spent {
            let leaves = UnixMs(minute.0.saturating_add(length)).max(at);
            if let Some(reached) = self.reached(at, used, Some(leaves)) {
                return Some(reached);
            }
            used += self.in_time(leaves.0.saturating_sub(at.0));
            used = NanoUsd(used.0.saturating_sub(spent.0));
            at = leaves;
        }
        self.reached(at, used, Some(full))
    }

    /// The first instant before `until` at which the limit is used, when nothing leaves.
    fn reached(&self, at: UnixMs, used: NanoUsd, until: Option<UnixMs>) -> Option<UnixMs> {
        let left = i128::from(self.limit.0) - i128::from(used.0);
        if left <= 0 {
            return Some(at);
        }
        let rate = i128::from(self.per_hour.0);
        if rate <= 0 {
            return None;
        }
        // Rounded up: before it the limit is not reached.
        let wait = i64::try_from((left * HOUR_MS + rate - 1) / rate).ok()?;
        let reached = UnixMs(at.0.saturating_add(wait));
        let last = until.unwrap_or_else(|| UnixMs(self.now.0.saturating_add(HORIZON_MS)));
        (reached < last).then_some(reached)
    }

    fn in_time(&self, ms: i64) -> NanoUsd {
        let spent = i128::from(self.per_hour.0.max(0)) * i128::from(ms.max(0)) / HOUR_MS;
        NanoUsd(i64::try_from(spent).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::window::{Bounds, FIVE_HOURS_MS};

    const HOUR: i64 = 3_600_000;
    const NOW: UnixMs = UnixMs(1_000 * HOUR);

    fn at(hours: i64) -> UnixMs {
        UnixMs(NOW.0 + hours * HOUR)
    }

    fn day(ends_in: i64) -> Window {
        Window::Fixed(Bounds {
            previous: at(ends_in - 48),
            current: at(ends_in - 24),
            next: at(ends_in),
            after: at(ends_in + 24),
        })
    }

    fn spending(window: Window, used: i64, per_hour: i64) -> Spending<'static> {
        Spending {
            now: NOW,
            window,
            limit: NanoUsd(100),
            used: NanoUsd(used),
            per_hour: NanoUsd(per_hour),
            spent: &[],
        }
    }

    #[test]
    fn e06_a_total_is_reached_some_day() {
        let forecast = spending(Window::Total, 40, 10).forecast();
        assert_eq!(forecast.reached_at, Some(at(6)));
        assert_eq!(forecast.reset_at, None);
        assert_eq!(spending(Window::Total, 40, 0).forecast().reached_at, None);
        assert_eq!(spending(Window::Total, 100, 0).forecast().reached_at, Some(NOW));
    }

    #[test]
    fn e06_a_day_may_end_before_its_budget() {
        let soon = spending(day(10), 40, 10).forecast();
        assert_eq!((soon.reached_at, soon.projected), (Some(at(6)), NanoUsd(140)));
        let never = spending(day(5), 40, 10).forecast();
        assert_eq!((never.reached_at, never.projected), (None, NanoUsd(90)));
        assert_eq!(never.reset_at, Some(at(5)));
    }

    #[test]
    fn e06_what_leaves_a_rolling_window_makes_room() {
        let spent = [(at(-4), NanoUsd(60)), (at(-1), NanoUsd(20))];
        let rolling = Spending {
            spent: &spent,
            ..spending(Window::Rolling(FIVE_HOURS_MS), 80, 10)
        };
        // 90 after an hour, 30 behind it; 60 after four, 40 behind it; 50 after five: never.
        assert_eq!(rolling.forecast().reached_at, None);
        assert_eq!(rolling.forecast().projected, NanoUsd(50));
        let faster = Spending {
            per_hour: NanoUsd(21),
            ..rolling
        };
        assert!(faster.forecast().reached_at < Some(at(1)));
        let steady = Spending {
            per_hour: NanoUsd(18),
            ..rolling
        };
        // 98, 38, 92, 72, and 90 for ever.
        assert_eq!(steady.forecast().reached_at, None);
    }

    proptest! {
        #[test]
        fn e06_a_faster_rate_never_reaches_it_later(used in 0..100_i64, slow in 0..50_i64, more in 0..50_i64) {
            for window in [Window::Total, day(7)] {
                let slow = spending(window, used, slow).forecast().reached_at;
                let fast = spending(window, used, more + 50).forecast().reached_at;
                if let Some(slow) = slow {
                    prop_assert!(fast.is_some_and(|fast| fast <= slow));
                }
            }
        }
    }
}
