//! Which providers are well.

use std::sync::Arc;

use penstock_core::health::Phase;
use penstock_core::snapshot::ProviderEntry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::labels::ProviderLabels;
use super::{Metrics, NodeState};

/// The circuit of a provider as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    pub provider: Arc<ProviderEntry>,
    pub phase: Phase,
}

#[derive(Debug, Default)]
pub(super) struct HealthMetrics {
    breakers: Family<ProviderLabels, Gauge>,
    changes: Family<ChangeLabels, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ChangeLabels {
    provider: String,
    provider_id: String,
    to: &'static str,
}

impl HealthMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "breaker_state",
            "The circuit breaker of a provider: 0 closed, 1 half-open, 2 open",
            metrics.breakers.clone(),
        );
        registry.register(
            "provider_state_changes",
            "Changes of providers' states that this node saw or was told, by the state that began",
            metrics.changes.clone(),
        );
        metrics
    }

    /// Only providers that are configured now have a gauge.
    pub(super) fn set(&self, state: &NodeState) {
        self.breakers.clear();
        for breaker in &state.breakers {
            let value = match breaker.phase {
                Phase::Closed => 0,
                Phase::HalfOpen => 1,
                Phase::Open { .. } => 2,
            };
            let labels = ProviderLabels::new(&breaker.provider);
            self.breakers.get_or_create(&labels).set(value);
        }
    }
}

impl Metrics {
    /// A provider's state changed.
    pub fn provider_changed(&self, provider: &ProviderEntry, to: &'static str) {
        let labels = ChangeLabels {
            provider: provider.provider.name.clone(),
            provider_id: provider.id.to_string(),
            to,
        };
        self.health.changes.get_or_create(&labels).inc();
    }
}
