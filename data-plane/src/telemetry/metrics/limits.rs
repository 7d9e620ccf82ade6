//! How limits are enforced, and what they refuse.

use std::sync::atomic::Ordering;

use penstock_core::limits::Exceeded;
use penstock_fleet::Enforcement;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Metrics, NodeState};

#[derive(Debug, Default)]
pub(super) struct LimitMetrics {
    enforcement: Family<EnforcementLabel, Gauge>,
    refusals: Family<RefusalLabels, Counter>,
    worst_case_overspend: Gauge,
    forgotten_settlements: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EnforcementLabel {
    mode: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RefusalLabels {
    level: &'static str,
    dimension: &'static str,
}

const MODES: [&str; 6] = ["shared", "alone", "local", "open", "closed", "off"];

impl LimitMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "limits_enforcement",
            "1 for the way in which limits are enforced now",
            metrics.enforcement.clone(),
        );
        registry.register(
            "limit_refusals",
            "Calls refused for a limit, by the first one that they did not fit into",
            metrics.refusals.clone(),
        );
        registry.register(
            "budget_worst_case_overspend_nanousd",
            "The most that strict budgets can have been overspent by calls that were let in while the shared counters \
             were away; 0 while they are not",
            metrics.worst_case_overspend.clone(),
        );
        registry.register(
            "limits_forgotten_settlements",
            "Settlements that were dropped because too many waited for Redis; their money is missing until a baseline",
            metrics.forgotten_settlements.clone(),
        );
        metrics
    }

    pub(super) fn set(&self, state: &NodeState) {
        let mode = state.limits.map_or("", Enforcement::as_str);
        for known in MODES {
            let gauge = self.enforcement.get_or_create(&EnforcementLabel { mode: known });
            gauge.set(i64::from(known == mode));
        }
        let saturating = |value| i64::try_from(value).unwrap_or(i64::MAX);
        self.worst_case_overspend
            .set(saturating(state.worst_case_overspend_nanousd));
        let forgotten = self.forgotten_settlements.inner();
        forgotten.store(state.forgotten_settlements, Ordering::Relaxed);
    }
}

impl Metrics {
    /// A call was refused for a limit.
    pub fn limit_refused(&self, exceeded: &Exceeded) {
        let labels = RefusalLabels {
            level: exceeded.level.as_str(),
            dimension: exceeded.dimension.as_str(),
        };
        self.limits.refusals.get_or_create(&labels).inc();
    }
}
