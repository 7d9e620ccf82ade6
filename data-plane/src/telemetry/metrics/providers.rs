//! How long providers take, each by itself.

use std::time::Duration;

use penstock_core::snapshot::ProviderEntry;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;
use super::labels::ProviderLabels;
use super::traffic::CallSeconds;

#[derive(Debug)]
pub(super) struct ProviderMetrics {
    first_content: Family<ProviderLabels, Histogram, CallSeconds>,
    duration: Family<ProviderLabels, Histogram, CallSeconds>,
}

impl ProviderMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            first_content: Family::new_with_constructor(CallSeconds),
            duration: Family::new_with_constructor(CallSeconds),
        };
        registry.register_with_unit(
            "upstream_first_content",
            "From sending to a provider to the first content of its answer, which for a stream is its first token",
            Unit::Seconds,
            metrics.first_content.clone(),
        );
        registry.register_with_unit(
            "upstream_duration",
            "From sending to a provider to the end of its answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// A provider's answer ended: its first content came so long after it was asked, its end so long.
    pub fn answered(&self, provider: &ProviderEntry, first_content: Duration, end: Duration) {
        let (labels, of) = (ProviderLabels::new(provider), &self.providers);
        let first = of.first_content.get_or_create(&labels);
        first.observe(first_content.as_secs_f64());
        // Each lock is given back before the next one is taken.
        drop(first);
        of.duration.get_or_create(&labels).observe(end.as_secs_f64());
    }
}
