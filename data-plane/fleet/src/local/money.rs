//! A subject's money: what is settled and reserved in each window.

use std::collections::{BTreeMap, HashMap};

use penstock_core::id::SpoolId;
use penstock_core::limits::Dimension;
use penstock_core::limits::window::{Bounds, FIVE_HOURS_MS, ROLLING_DAY_MS, Window};

use super::ring::Ring;
use crate::counters::{RecordNumber, Seed, SeedDimension, Spent};
use crate::subject::{Specification, Subject};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Money {
    pub(super) specification: Specification,
    /// The generation that the seed made.
    pub(super) seeded: u64,
    marks: HashMap<SpoolId, u64>,
    dimensions: BTreeMap<Dimension, Counter>,
}

/// One dimension.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    /// The first instant that counts.
    from: i64,
    pub(super) reserved: i64,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Total(i64),
    Fixed { start: i64, end: i64, settled: i64 },
    Rolling(Ring),
}

/// The windows that the caller knows do not hold now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClockOff;

impl Money {
    pub(super) fn new(seed: &Seed, marks: &[RecordNumber], generation: u64, now: i64) -> Self {
        let counters = seed.dimensions.iter().map(|dimension| {
            let counter = Counter::new(dimension, now);
            (dimension.dimension, counter)
        });
        Self {
            specification: seed.subject.specification,
            seeded: generation,
            marks: marks.iter().map(|mark| (mark.spool, mark.number)).collect(),
            dimensions: counters.collect(),
        }
    }

    /// Whether a caller of this specification is answered from these counters.
    pub(super) fn answers(&mut self, asked: Specification) -> bool {
        let held = self.specification;
        let newer = held.epoch != asked.epoch || held.version < asked.version;
        if held.hash == asked.hash {
            if newer {
                self.specification = asked;
            }
            return true;
        }
        !newer && asked.version < held.version
    }

    /// Whether a seed of this specification must not replace these counters.
    pub(super) fn keeps(&self, seed: Specification) -> bool {
        let held = self.specification;
        held.epoch == seed.epoch && (held.hash == seed.hash || held.version > seed.version)
    }

    /// Whether the ledger had the record when these counters were made from it.
    pub(super) fn had(&self, record: Option<RecordNumber>) -> bool {
        record.is_some_and(|record| {
            self.marks
                .get(&record.spool)
                .is_some_and(|mark| record.number <= *mark)
        })
    }

    pub(super) fn counter(&self, dimension: Dimension) -> Option<&Counter> {
        self.dimensions.get(&dimension)
    }

    /// Brings all windows to now, as far as the caller knows them.
    pub(super) fn turn(&mut self, subject: &Subject, now: i64) {
        let known = self.knows(subject);
        for (dimension, counter) in &mut self.dimensions {
            // A window that nobody knows now is brought there by the next call that does.
            counter.turn(known.then(|| subject.window(*dimension)), now).ok();
        }
    }

    /// Brings the limited windows to now.
    pub(super) fn turn_limited(&mut self, subject: &Subject, now: i64) -> Result<(), ClockOff> {
        let known = self.knows(subject);
        for (dimension, counter) in &mut self.dimensions {
            if subject.cap(*dimension) > 0 {
                counter.turn(known.then(|| subject.window(*dimension)), now)?;
            }
        }
        Ok(())
    }

    /// Whether the caller's windows are those of these counters: those of another zone would end them too early.
    fn knows(&self, subject: &Subject) -> bool {
        self.specification.hash == subject.specification.hash
    }

    pub(super) fn book(&mut self, at: i64, amount: i64) {
        for counter in self.dimensions.values_mut().filter(|counter| at >= counter.from) {
            match &mut counter.state {
                State::Total(settled) | State::Fixed { settled, .. } => *settled += amount,
                State::Rolling(ring) => ring.add(at, amount),
            }
        }
    }

    pub(super) fn hold(&mut self, at: i64, amount: i64) {
        for counter in self.dimensions.values_mut().filter(|counter| at >= counter.from) {
            counter.reserved = (counter.reserved + amount).max(0);
        }
    }

    /// Whether a request that was admitted then counts in a dimension.
    pub(super) fn counts(&self, dimension: Dimension, at: i64) -> bool {
        self.counter(dimension).is_some_and(|counter| at >= counter.from)
    }
}

impl Counter {
    fn new(seed: &SeedDimension, now: i64) -> Self {
        let state = match &seed.spent {
            Spent::Total(sum) => State::Total(*sum),
            Spent::Fixed { start, end, sum } => State::Fixed {
                start: start.0,
                end: end.0,
                settled: *sum,
            },
            Spent::Rolling(minutes) => {
                let window = match seed.dimension == Dimension::Usd5h {
                    true => FIVE_HOURS_MS,
                    false => ROLLING_DAY_MS,
                };
                let mut ring = Ring::of_minutes(window, now);
                for (minute, amount) in minutes {
                    ring.add(minute.0, *amount);
                }
                State::Rolling(ring)
            }
        };
        Self {
            // A reset is in force at once, also where the clock that gave it is ahead.
            from: seed.from.0.min(now),
            reserved: 0,
            state,
        }
    }

    /// Without a window, which nobody in this call knows, the next one is open-ended until somebody does.
    fn turn(&mut self, window: Option<Window>, now: i64) -> Result<(), ClockOff> {
        match (&mut self.state, window) {
            (State::Rolling(ring), _) => ring.advance(now),
            (State::Fixed { start, end, settled }, Some(Window::Fixed(bounds))) => {
                let (began, ends) = around(&bounds, now).ok_or(ClockOff)?;
                if began > *start {
                    (*start, *end, *settled) = (began, ends, 0);
                    self.from = began;
                    self.reserved = 0;
                } else if began == *start {
                    *end = ends;
                }
            }
            (State::Fixed { start, end, settled }, None) if now >= *end => {
                (*start, *end, *settled) = (*end, i64::MAX, 0);
                self.from = *start;
                self.reserved = 0;
            }
            (State::Fixed { .. } | State::Total(_), _) => {}
        }
        Ok(())
    }

    pub(super) fn settled(&self) -> i64 {
        match &self.state {
            State::Total(settled) | State::Fixed { settled, .. } => *settled,
            State::Rolling(ring) => ring.sum(),
        }
    }

    /// When the window ends, if it is fixed.
    pub(super) fn end(&self) -> Option<i64> {
        match self.state {
            State::Fixed { end, .. } => Some(end),
            State::Total(_) | State::Rolling(_) => None,
        }
    }

    /// When so much of what is settled will have left; None: never.
    pub(super) fn leaves(&self, amount: i64) -> Option<i64> {
        match &self.state {
            State::Total(_) => None,
            State::Fixed { end, .. } => Some(*end),
            State::Rolling(ring) => ring.leaves(amount),
        }
    }
}

fn around(bounds: &Bounds, now: i64) -> Option<(i64, i64)> {
    let edges = [bounds.previous.0, bounds.current.0, bounds.next.0, bounds.after.0];
    edges
        .windows(2)
        .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
        .find(|(start, end)| *start <= now && now < *end)
}
