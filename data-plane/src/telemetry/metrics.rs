//! What Prometheus reads.
//!
//! Everything is named here, with a typed method for whoever observes it. Labels are bounded: dialects, outcomes,
//! codes and statuses by their types, providers by what operators configure; nothing that a caller writes becomes a
//! label. Amounts of money are integer nano-USD.
//!
//! Observing costs a hash and a shared lock; the few figures that are states rather than events (spool depth,
//! snapshot age) are set when they are asked for, by [`NodeState`].

mod affinity;
mod health;
mod keys;
mod labels;
mod limits;
mod node;
mod otlp;
mod providers;
mod traffic;

use std::fmt;
use std::time::Duration;

use penstock_metrics::{CacheMetrics, ProcessMetrics};
use prometheus_client::registry::Registry;

pub use health::Breaker;
pub use node::NodeState;
pub use otlp::ExportResult;
pub use traffic::InFlight;

use affinity::AffinityMetrics;
use health::HealthMetrics;
use keys::KeyMetrics;
use limits::LimitMetrics;
use node::NodeMetrics;
use otlp::OtlpMetrics;
use providers::ProviderMetrics;
use traffic::TrafficMetrics;

/// See the module.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    traffic: TrafficMetrics,
    node: NodeMetrics,
    limits: LimitMetrics,
    health: HealthMetrics,
    affinity: AffinityMetrics,
    providers: ProviderMetrics,
    keys: KeyMetrics,
    caches: CacheMetrics,
    otlp: OtlpMetrics,
    process: ProcessMetrics,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("penstock");
        let traffic = TrafficMetrics::new(&mut registry);
        let node = NodeMetrics::new(&mut registry);
        let limits = LimitMetrics::new(&mut registry);
        let health = HealthMetrics::new(&mut registry);
        let affinity = AffinityMetrics::new(&mut registry);
        let providers = ProviderMetrics::new(&mut registry);
        let keys = KeyMetrics::new(&mut registry);
        let otlp = OtlpMetrics::new(&mut registry);
        let (caches, process) = (CacheMetrics::default(), ProcessMetrics::default());
        caches.register(&mut registry);
        process.register(&mut registry, env!("CARGO_PKG_VERSION"));
        Self {
            registry,
            traffic,
            node,
            limits,
            health,
            affinity,
            providers,
            keys,
            caches,
            otlp,
            process,
        }
    }

    /// All of it as `OpenMetrics` text, with the node's state as it is now.
    pub fn render(&self, state: &NodeState) -> Result<String, fmt::Error> {
        self.node.set(state);
        self.limits.set(state);
        self.health.set(state);
        for (name, figures) in &state.caches {
            self.caches.set(name, figures);
        }
        self.process.set(Duration::from_secs(state.uptime_seconds));
        let mut text = String::with_capacity(16 * 1024);
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
