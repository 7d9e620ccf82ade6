//! Which providers were full a moment ago, so that a call need not ask the fleet of each of many.
//!
//! Only what time alone ends is remembered, and only where any call would be refused: a rate or a budget that is used up
//! to its end. A slot may be free at once, a session may hold its own, and a smaller call may fit.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use penstock_core::id::ProviderId;
use penstock_core::limits::{Dimension, Exceeded};
use tokio::time::Instant;

use crate::caches::CacheCounts;

/// At most; limits that are raised hold soon.
const REMEMBERED: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug)]
pub(super) struct FullLately {
    full: Mutex<HashMap<ProviderId, (Instant, Exceeded)>>,
    counts: CacheCounts,
}

impl FullLately {
    pub(super) fn new(counts: CacheCounts) -> Self {
        Self {
            full: Mutex::default(),
            counts,
        }
    }

    pub(super) fn get(&self, provider: ProviderId) -> Option<Exceeded> {
        let full = self.lock();
        let held = full.get(&provider);
        let found = held.filter(|(until, _)| Instant::now() < *until);
        self.counts.asked(found.is_some());
        found.map(|(_, exceeded)| *exceeded)
    }

    /// The fleet has just said so.
    pub(super) fn put(&self, provider: ProviderId, exceeded: Exceeded) {
        if !for_all(&exceeded) {
            return;
        }
        let now = Instant::now();
        let until = now + REMEMBERED.min(Duration::from_secs(exceeded.retry_after));
        let mut full = self.lock();
        full.retain(|_, (until, _)| now < *until);
        full.insert(provider, (until, exceeded));
        self.counts.holds(full.len());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ProviderId, (Instant, Exceeded)>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn for_all(exceeded: &Exceeded) -> bool {
    match exceeded.dimension {
        Dimension::ConcurrentSessions | Dimension::ConcurrentRequests => false,
        Dimension::Rpm
        | Dimension::Tpm
        | Dimension::UsdTotal
        | Dimension::Usd5h
        | Dimension::UsdDaily
        | Dimension::UsdWeekly
        | Dimension::UsdMonthly => exceeded.used >= exceeded.limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penstock_core::limits::Level;

    #[tokio::test(start_paused = true)]
    async fn d02_only_what_refuses_every_call_is_remembered_and_not_for_long() {
        let full = FullLately::new(CacheCounts::default());
        let provider = ProviderId::from_parts(1, &[1; 10]);
        let exceeded = |dimension, used| Exceeded {
            level: Level::Provider,
            dimension,
            used,
            limit: 10,
            reset_at: None,
            retry_after: 30,
        };
        for (dimension, used) in [
            (Dimension::Tpm, 9),
            (Dimension::ConcurrentRequests, 10),
            (Dimension::ConcurrentSessions, 10),
        ] {
            full.put(provider, exceeded(dimension, used));
            assert_eq!(full.get(provider), None, "{dimension:?}");
        }
        full.put(provider, exceeded(Dimension::Rpm, 10));
        assert_eq!(full.get(provider), Some(exceeded(Dimension::Rpm, 10)));
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(full.get(provider), None);
    }
}
