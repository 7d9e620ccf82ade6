//! How the caches of the request path do.
//!
//! Each cache counts here, in counters that it shares with this list; the proxy that owns the caches is made after the
//! [`App`](crate::app::App) that tells their figures. Sessions are counted by the fleet, which owns them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use penstock_fleet::Fleet;
use penstock_metrics::CacheFigures;

/// Counters of one cache. Copies share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct CacheCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
    entries: AtomicU64,
    /// 0: bounded by the configuration alone.
    capacity: AtomicU64,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    /// Ways to providers: connections, credentials, addresses.
    pub(crate) targets: CacheCounts,
    /// What a key's calls of a model usually use.
    pub(crate) usual: CacheCounts,
    /// Addresses that guess keys.
    pub(crate) guards: CacheCounts,
    /// Providers that were full a moment ago.
    pub(crate) full: CacheCounts,
}

impl CacheCounts {
    /// A question was answered from the cache, or not.
    pub(crate) fn asked(&self, hit: bool) {
        let count = if hit { &self.0.hits } else { &self.0.misses };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// So many entries left for want of room.
    pub(crate) fn evicted(&self, entries: usize) {
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        self.0.evictions.fetch_add(entries, Ordering::Relaxed);
    }

    /// The cache has so many entries now.
    pub(crate) fn holds(&self, entries: usize) {
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        self.0.entries.store(entries, Ordering::Relaxed);
    }

    /// The cache never has more.
    pub(crate) fn bounded(&self, capacity: usize) {
        let capacity = u64::try_from(capacity).unwrap_or(u64::MAX);
        self.0.capacity.store(capacity, Ordering::Relaxed);
    }

    fn figures(&self) -> CacheFigures {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        CacheFigures {
            hits: read(&self.0.hits),
            misses: read(&self.0.misses),
            evictions: read(&self.0.evictions),
            entries: read(&self.0.entries),
            capacity: Some(read(&self.0.capacity)).filter(|capacity| *capacity > 0),
        }
    }
}

impl Caches {
    /// Of each cache, by the name that metrics have for it.
    pub(crate) fn figures(&self, fleet: &Fleet) -> Vec<(&'static str, CacheFigures)> {
        let sessions = fleet.sessions_in_memory();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let sessions = CacheFigures {
            hits: sessions.hits,
            misses: sessions.misses,
            evictions: sessions.evictions,
            entries: count(sessions.entries),
            capacity: Some(count(sessions.capacity)),
        };
        vec![
            ("sessions", sessions),
            ("targets", self.targets.figures()),
            ("usual_use", self.usual.figures()),
            ("guessed_keys", self.guards.figures()),
            ("full_providers", self.full.figures()),
        ]
    }
}
