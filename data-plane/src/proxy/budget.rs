//! Memory for bodies, bounded as a whole.
//!
//! A body reserves as its bytes arrive, not by what it announces, so that nobody can claim memory without sending.
//! What does not fit is refused at once; nothing waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// See the module.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    used: Arc<AtomicUsize>,
}

/// A part of the budget; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Reservation {
    limit: usize,
    used: Arc<AtomicUsize>,
    bytes: usize,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BudgetFull;

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            used: Arc::default(),
        }
    }

    /// Nothing yet.
    pub(super) fn reservation(&self) -> Reservation {
        Reservation {
            limit: self.limit,
            used: Arc::clone(&self.used),
            bytes: 0,
        }
    }
}

impl Reservation {
    /// Reserves so many bytes more.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), BudgetFull> {
        let room = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used
            .try_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .map_err(|_| BudgetFull)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Reserves so many bytes instead.
    pub(super) fn resize(&mut self, bytes: usize) -> Result<(), BudgetFull> {
        self.grow(bytes.saturating_sub(self.bytes))?;
        self.shrink_to(bytes);
        Ok(())
    }

    /// Gives back all but so many bytes.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        let back = self.bytes.saturating_sub(bytes);
        self.used.fetch_sub(back, Ordering::Relaxed);
        self.bytes -= back;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c05_bodies_together_cannot_take_more_than_the_budget() {
        let budget = Budget::new(10);
        let (mut one, mut other) = (budget.reservation(), budget.reservation());
        one.grow(6).unwrap();
        assert_eq!(other.grow(5), Err(BudgetFull));
        other.grow(4).unwrap();
        drop(one);
        other.grow(6).unwrap();
        other.shrink_to(1);
        assert_eq!(budget.used.load(Ordering::Relaxed), 1);
        drop(other);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn an_absurd_size_is_refused_without_overflow() {
        let budget = Budget::new(usize::MAX);
        let mut one = budget.reservation();
        one.grow(usize::MAX).unwrap();
        assert_eq!(budget.reservation().grow(1), Err(BudgetFull));
    }
}
