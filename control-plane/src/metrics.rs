//! What this plane counts, in Prometheus' terms.
//!
//! Names begin with `penstock_control_`. Labels have few, fixed values; nothing that a caller or a node sends becomes a
//! label. Counters never fall while the process lives.

mod rpc;

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use penstock_metrics::{CacheFigures, CacheMetrics, ProcessMetrics};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::context::Context;
use rpc::RpcMetrics;

/// Every metric of this plane. Shared; cheap to touch.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Calls that the gate refused.
    pub refused_calls: Counter,
    /// Updates sent to nodes, by whether they were full.
    pub updates: Family<UpdateLabels, Counter>,
    pub acks: Counter,
    /// Resources that nodes refused.
    pub nacks: Counter,
    /// Streams of nodes that are open now.
    pub node_streams: Gauge<i64, AtomicI64>,
    /// Nodes with a stream to any replica.
    pub live_nodes: Gauge<i64, AtomicI64>,
    pub head_revision: Gauge<i64, AtomicI64>,
    /// 1 while the last contact with the store succeeded.
    pub store_up: Gauge<i64, AtomicI64>,
    /// Resources in memory, by kind.
    pub resources: Family<KindLabels, Gauge<i64, AtomicI64>>,
    /// Credentials that the master key does not open.
    pub unsealable: Counter,
    /// Usage records, by what became of them.
    pub usage_records: Family<UsageLabels, Counter>,
    /// Best-effort reports that are not kept yet, by kind.
    pub dropped_reports: Family<ReportLabels, Counter<u64, AtomicU64>>,
    pub key_upgrades: Counter,
    pub first_uses: Counter,
    /// Access tokens asked for, by what came of it.
    pub token_refreshes: Family<RefreshLabels, Counter>,
    /// Cleanings, by how they ended.
    pub retention_runs: Family<RunLabels, Counter>,
    /// Old records that were cleaned, by kind.
    pub retention_rows: Family<KindLabels, Counter>,
    /// Partitions that were dropped whole.
    pub retention_partitions: Counter,
    /// Since the last contact with the store that succeeded; set when it is asked for.
    pub store_contact_age: Gauge<i64, AtomicI64>,
    /// Records of failed calls that are stored.
    pub failure_records: Counter,
    /// Looks for trouble by this replica.
    pub alert_looks: Counter,
    /// Attempts to deliver to webhooks, by what came of them.
    pub webhook_deliveries: Family<DeliveryLabels, Counter>,
    /// Calls of operators and data planes.
    rpcs: RpcMetrics,
    caches: CacheMetrics,
    process: ProcessMetrics,
    /// New epochs begun because the store had been restored.
    pub restored: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct UpdateLabels {
    /// `full` or `delta`.
    pub kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct KindLabels {
    /// As [`penstock_core::resource::Kind::as_str`], or [`penstock_store::Retained::as_str`].
    pub kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct UsageLabels {
    /// `new`, `duplicate`, `malformed` or `unstorable`.
    pub result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct DeliveryLabels {
    /// `delivered`, `failed` (it is tried again) or `given_up`.
    pub result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RefreshLabels {
    /// `refreshed`, `failed` (it is tried again) or `stopped` (an operator must do something).
    pub result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RunLabels {
    /// `done`, `off`, `elsewhere` (another replica cleans) or `failed` (it goes on later).
    pub result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ReportLabels {
    /// `breaker` or `failure`.
    pub kind: &'static str,
}

/// The process at one moment: what is read when it is asked for.
#[derive(Clone, Debug, Default)]
pub struct ProcessState {
    pub uptime: Duration,
    pub store_contact_age: Duration,
    /// Of each cache, by name.
    pub caches: Vec<(&'static str, CacheFigures)>,
}

impl ProcessState {
    /// As it is now.
    pub fn of(context: &Context) -> Self {
        Self {
            uptime: context.started.elapsed(),
            store_contact_age: context.index.contact().at.elapsed(),
            caches: vec![("operators", context.operators.figures())],
        }
    }
}

impl Metrics {
    /// Puts all of them into a registry.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("penstock_control");
        registry.register(
            "refused_calls",
            "gRPC calls refused for want of a credential or service",
            self.refused_calls.clone(),
        );
        registry.register("updates", "Config updates sent to nodes", self.updates.clone());
        registry.register(
            "acks",
            "Config updates that nodes put in force",
            self.acks.clone(),
        );
        registry.register("nacks", "Resources that nodes refused", self.nacks.clone());
        registry.register(
            "node_streams",
            "Open config streams to this replica",
            self.node_streams.clone(),
        );
        registry.register(
            "live_nodes",
            "Nodes with a config stream to any replica",
            self.live_nodes.clone(),
        );
        self.register_state(registry);
        self.register_reports(registry);
        self.register_retention(registry);
        self.rpcs.register(registry);
        self.caches.register(registry);
        self.process.register(registry, env!("CARGO_PKG_VERSION"));
    }

    fn register_retention(&self, registry: &mut Registry) {
        registry.register(
            "retention_runs",
            "Cleanings of old records, by how they ended",
            self.retention_runs.clone(),
        );
        registry.register(
            "retention_rows",
            "Old records that were cleaned, dropped partitions included",
            self.retention_rows.clone(),
        );
        registry.register(
            "retention_partitions",
            "Partitions of old records that were dropped whole",
            self.retention_partitions.clone(),
        );
    }

    /// All of it as `OpenMetrics` text, with the process's state as it is now.
    pub fn render(&self, registry: &Registry, state: &ProcessState) -> Result<String, fmt::Error> {
        self.process.set(state.uptime);
        let age = i64::try_from(state.store_contact_age.as_secs()).unwrap_or(i64::MAX);
        self.store_contact_age.set(age);
        for (name, figures) in &state.caches {
            self.caches.set(name, figures);
        }
        let mut text = String::with_capacity(16 * 1024);
        prometheus_client::encoding::text::encode(&mut text, registry)?;
        Ok(text)
    }

    fn register_state(&self, registry: &mut Registry) {
        registry.register(
            "head_revision",
            "Newest revision in this replica's memory",
            self.head_revision.clone(),
        );
        registry.register(
            "store_up",
            "1 while the last contact with the store succeeded",
            self.store_up.clone(),
        );
        registry.register_with_unit(
            "store_contact_age",
            "Since the last contact with the store that succeeded",
            Unit::Seconds,
            self.store_contact_age.clone(),
        );
        registry.register("resources", "Resources in memory", self.resources.clone());
        registry.register(
            "unsealable",
            "Credentials that the master key did not open",
            self.unsealable.clone(),
        );
    }

    fn register_reports(&self, registry: &mut Registry) {
        registry.register(
            "usage_records",
            "Usage records received",
            self.usage_records.clone(),
        );
        registry.register(
            "dropped_reports",
            "Best-effort reports that are not kept",
            self.dropped_reports.clone(),
        );
        registry.register(
            "failure_records",
            "Records of failed calls that are stored",
            self.failure_records.clone(),
        );
        registry.register(
            "alert_looks",
            "Looks for trouble by this replica",
            self.alert_looks.clone(),
        );
        registry.register(
            "webhook_deliveries",
            "Attempts to deliver notifications to webhooks",
            self.webhook_deliveries.clone(),
        );
        registry.register(
            "key_upgrades",
            "Imported key hashes replaced by plain ones",
            self.key_upgrades.clone(),
        );
        registry.register(
            "first_uses",
            "Users and keys whose expiry began to count",
            self.first_uses.clone(),
        );
        registry.register(
            "token_refreshes",
            "Access tokens of providers asked for",
            self.token_refreshes.clone(),
        );
        registry.register(
            "restored",
            "New epochs begun because the store had been restored",
            self.restored.clone(),
        );
    }
}

#[cfg(test)]
mod tests {
    use penstock_store::Retained;
    use tonic::Code;

    use super::*;

    fn touched() -> (Metrics, Registry) {
        let (metrics, mut registry) = (Metrics::default(), Registry::default());
        metrics.register(&mut registry);
        metrics
            .updates
            .get_or_create(&UpdateLabels { kind: "full" })
            .inc();
        metrics.resources.get_or_create(&KindLabels { kind: "key" }).inc();
        let new = UsageLabels { result: "new" };
        metrics.usage_records.get_or_create(&new).inc();
        let failure = ReportLabels { kind: "failure" };
        metrics.dropped_reports.get_or_create(&failure).inc();
        let refreshed = RefreshLabels { result: "refreshed" };
        metrics.token_refreshes.get_or_create(&refreshed).inc();
        let delivered = DeliveryLabels { result: "delivered" };
        metrics.webhook_deliveries.get_or_create(&delivered).inc();
        let done = RunLabels { result: "done" };
        metrics.retention_runs.get_or_create(&done).inc();
        let kind = Retained::UsageRecords.as_str();
        metrics.retention_rows.get_or_create(&KindLabels { kind }).inc();
        metrics.rpc_ended("/penstock.admin.v1.UserService/GetUser", Code::Ok, Duration::ZERO);
        (metrics, registry)
    }

    #[test]
    fn g07_the_page_of_metrics_says_what_this_plane_shows() {
        let (metrics, registry) = touched();
        let figures = CacheFigures {
            capacity: Some(1),
            ..CacheFigures::default()
        };
        let state = ProcessState {
            caches: vec![("operators", figures)],
            ..ProcessState::default()
        };
        let scrape = metrics.render(&registry, &state).unwrap();
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
        let page = std::fs::read_to_string(page).unwrap();
        let ours = |name: &str| {
            name.starts_with("penstock_control_") && !name.starts_with("penstock_control_plane_")
        };
        let wrong = penstock_metrics::specification::differences(&page, &scrape, ours);
        assert!(
            wrong.is_empty(),
            "docs/metrics.md is not true:\n{}",
            wrong.join("\n")
        );
    }
}
