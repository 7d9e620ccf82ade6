//! How well sessions stay with their providers, and what it costs when they do not.

use penstock_core::money::NanoUsd;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Metrics;
use super::labels::AffinityLabel;

#[derive(Debug)]
pub(super) struct AffinityMetrics {
    calls: Family<AffinityLabel, Counter>,
    cost_of_moves: Counter,
}

impl AffinityMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            calls: Family::default(),
            cost_of_moves: Counter::default(),
        };
        registry.register(
            "session_affinity",
            "Calls of sessions: hit (served where the session was before), moved, new",
            metrics.calls.clone(),
        );
        registry.register(
            "session_moves_cost_nanousd",
            "What moved sessions' prompts cost beyond a cache read, nano-USD",
            metrics.cost_of_moves.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// A call of a session ended; `cost_of_move` is zero unless it moved.
    pub fn affinity(&self, affinity: &'static str, cost_of_move: NanoUsd) {
        let label = AffinityLabel { affinity };
        self.affinity.calls.get_or_create(&label).inc();
        let cost = u64::try_from(cost_of_move.0).unwrap_or(0);
        self.affinity.cost_of_moves.inc_by(cost);
    }
}
