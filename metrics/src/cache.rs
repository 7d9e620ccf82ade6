//! How the caches in the process do: hits, misses, evictions, entries, capacity.
//!
//! Caches count for themselves, where it costs them nothing of note; what they counted is set when it is asked for.
//! The label `cache` is a name in our code, so its values are as many as there are caches.

use std::sync::atomic::Ordering;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Figures of one cache at one moment; counts are since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// Questions that were answered from it.
    pub hits: u64,
    /// Questions that were not.
    pub misses: u64,
    /// Entries that left because there was no room.
    pub evictions: u64,
    /// Entries now.
    pub entries: u64,
    /// The most entries that it holds; None: as many as there are things to hold, which is bounded by the configuration.
    pub capacity: Option<u64>,
}

/// The metrics of all caches of a process.
#[derive(Clone, Debug, Default)]
pub struct CacheMetrics {
    hits: Family<CacheLabel, Counter>,
    misses: Family<CacheLabel, Counter>,
    evictions: Family<CacheLabel, Counter>,
    entries: Family<CacheLabel, Gauge>,
    capacity: Family<CacheLabel, Gauge>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CacheLabel {
    cache: &'static str,
}

impl CacheMetrics {
    /// Under the registry's prefix.
    pub fn register(&self, registry: &mut Registry) {
        let counters = [
            ("cache_hits", "Questions that a cache answered", &self.hits),
            (
                "cache_misses",
                "Questions that a cache could not answer",
                &self.misses,
            ),
            (
                "cache_evictions",
                "Entries that left a cache for want of room",
                &self.evictions,
            ),
        ];
        for (name, help, family) in counters {
            registry.register(name, help, family.clone());
        }
        registry.register("cache_entries", "Entries in a cache", self.entries.clone());
        registry.register(
            "cache_capacity",
            "The most entries that a cache holds",
            self.capacity.clone(),
        );
    }

    /// Sets the figures of the cache of this name.
    pub fn set(&self, cache: &'static str, figures: &CacheFigures) {
        let label = CacheLabel { cache };
        let counts = [
            (&self.hits, figures.hits),
            (&self.misses, figures.misses),
            (&self.evictions, figures.evictions),
        ];
        for (family, count) in counts {
            let counter = family.get_or_create(&label);
            counter.inner().store(count, Ordering::Relaxed);
        }
        self.entries
            .get_or_create(&label)
            .set(i64::try_from(figures.entries).unwrap_or(i64::MAX));
        if let Some(capacity) = figures.capacity {
            self.capacity
                .get_or_create(&label)
                .set(i64::try_from(capacity).unwrap_or(i64::MAX));
        }
    }
}
