//! The windows around now, and whose now.
//!
//! Computing where a day begins in a zone costs more than a request should pay, so windows are kept until they end.
//! Time is that of the counters as far as it is known: a node whose clock is off learns by how much.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use penstock_core::limits::{DailyReset, Limits, Zone};
use penstock_core::time::UnixMs;

use crate::subject::Edges;

/// Windows of more zones than this are computed each time. There are about 600 zones, and 1 440 reset times.
const MAX_ZONES: usize = 1_000;

/// By reset time.
type OfZone = Vec<(DailyReset, Arc<Edges>)>;

/// See the module.
pub(crate) struct Windows {
    clock: Arc<dyn Fn() -> UnixMs + Send + Sync>,
    /// What the counters' clock has more than ours.
    skew_ms: AtomicI64,
    kept: RwLock<HashMap<String, OfZone>>,
}

impl Windows {
    pub(crate) fn new(clock: Arc<dyn Fn() -> UnixMs + Send + Sync>) -> Self {
        Self {
            clock,
            skew_ms: AtomicI64::new(0),
            kept: RwLock::default(),
        }
    }

    /// The time of the counters, as far as it is known.
    pub(crate) fn now(&self) -> UnixMs {
        UnixMs((self.clock)().0 + self.skew_ms.load(Ordering::Relaxed))
    }

    /// The counters' clock says so, since the windows did not hold there: however small the difference is, it matters.
    pub(crate) fn learn(&self, theirs: UnixMs) {
        let skew = theirs.0 - (self.clock)().0;
        self.skew_ms.store(skew, Ordering::Relaxed);
    }

    pub(crate) fn around(&self, limits: &Limits, now: UnixMs) -> Arc<Edges> {
        let (zone, reset) = (&limits.zone, limits.daily_reset);
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let of_zone = kept.get(&zone.0).map_or(&[][..], Vec::as_slice);
        let found = of_zone
            .iter()
            .find(|(of, edges)| *of == reset && edges.hold_at(now));
        if let Some((_, edges)) = found {
            return Arc::clone(edges);
        }
        drop(kept);
        let edges = Arc::new(Edges::around(zone, reset, now));
        self.keep(zone, reset, &edges);
        edges
    }

    fn keep(&self, zone: &Zone, reset: DailyReset, edges: &Arc<Edges>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_ZONES && !kept.contains_key(&zone.0) {
            return;
        }
        let of_zone = kept.entry(zone.0.clone()).or_default();
        of_zone.retain(|(of, _)| *of != reset);
        of_zone.push((reset, Arc::clone(edges)));
    }
}
