//! What every part of a running data plane shares.
//!
//! Built once by [`crate::run`] (and by tests), handed around as `Arc<App>`. Everything in it is safe to use from
//! many requests at once and nothing in it is replaced, except what is in force, behind [`Live`].

use std::sync::Arc;

use penstock_core::snapshot::{ProviderEntry, Snapshot};
use penstock_fleet::{Enforcement, Fleet, Policy, RedisState};
use tokio::time::Instant;

use crate::caches::Caches;
use crate::clock;
use crate::config::{ConfigError, Settings};
use crate::drain::Drain;
use crate::health::Health;
use crate::probe::Desk;
use crate::readiness::Ready;
use crate::renewal::Renewals;
use crate::snapshot::{Live, SyncState};
use crate::telemetry::bodies::Bodies;
use crate::telemetry::failures::Failures;
use crate::telemetry::metrics::{Breaker, Metrics, NodeState};
use crate::telemetry::otlp::Otlp;
use crate::telemetry::reports::{ReportQueue, Reports};
use crate::telemetry::spool::Spool;

/// See the module.
#[expect(
    missing_debug_implementations,
    reason = "holds the settings with their secrets"
)]
pub struct App {
    pub config: Arc<Settings>,
    /// As the control plane, records and logs name this node.
    pub node_id: Arc<str>,
    pub live: Arc<Live>,
    pub ready: Ready,
    pub spool: Arc<Spool>,
    pub metrics: Arc<Metrics>,
    /// What is exported to a collector; None: nothing.
    pub otlp: Option<Arc<Otlp>>,
    pub reports: Reports,
    /// The file of HTTP debug.
    pub bodies: Bodies,
    /// Records of failed calls, until the control plane has them.
    pub failures: Failures,
    /// New access tokens for refused ones.
    pub renewals: Renewals,
    pub fleet: Arc<Fleet>,
    /// Which providers are well.
    pub health: Health,
    /// Where tests of providers are asked for.
    pub probes: Desk,
    pub drain: Drain,
    /// How the caches of the request path do.
    pub(crate) caches: Caches,
    /// How the config stream does.
    pub sync: SyncState,
    started: Instant,
}

impl App {
    /// Joins what is already open. The queue is for the uplink; without one, reports are dropped and counted.
    pub fn new(
        config: Settings,
        node_id: Arc<str>,
        spool: Spool,
    ) -> Result<(Self, ReportQueue), ConfigError> {
        let fleet = match &config.redis_url {
            Some(url) => {
                // A process that was started again is another one: what the former had in flight lapses.
                let process = clock::request_id().0.simple().to_string();
                Fleet::at(url, config.redis_timeout, process, clock::now)?
            }
            None => Fleet::alone(clock::now),
        };
        let (reports, queue) = Reports::new();
        let (live, metrics) = (Arc::<Live>::default(), Arc::new(Metrics::new()));
        let health = Health::new(Arc::clone(&node_id), Arc::clone(&live), Arc::clone(&metrics));
        let bodies = Bodies::below(&config.node.data_dir);
        let otlp = config
            .otlp
            .clone()
            .map(|otlp| Arc::new(Otlp::new(otlp, Arc::clone(&metrics))));
        let app = Self {
            config: Arc::new(config),
            otlp,
            node_id,
            live,
            ready: Ready::default(),
            spool: Arc::new(spool),
            metrics,
            health,
            probes: Desk::default(),
            reports,
            bodies,
            failures: Failures::default(),
            renewals: Renewals::default(),
            fleet: Arc::new(fleet),
            drain: Drain::default(),
            caches: Caches::default(),
            sync: SyncState::default(),
            started: Instant::now(),
        };
        Ok((app, queue))
    }

    /// Since the process began to serve.
    pub fn uptime_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// How limits are enforced now, by the setting in force.
    pub fn limits_policy(&self, snapshot: &Snapshot) -> Policy {
        let setting = snapshot.limits();
        Policy {
            enforce: setting.enforced(clock::now()),
            degraded: setting.degraded,
            live_nodes: self.sync.live_nodes().max(1),
        }
    }

    /// How limits are enforced now, all things considered.
    pub fn enforcement(&self) -> Enforcement {
        self.fleet.enforcement(self.limits_policy(&self.live.load()))
    }

    /// The node's state now, as health, metrics and telemetry tell it.
    pub fn state(&self) -> NodeState {
        let snapshot = self.live.load();
        let spool = self.spool.status();
        NodeState {
            revision: snapshot.revision(),
            refused: snapshot.refused().count() as u64,
            control_plane_connected: self.sync.is_connected(),
            snapshot_age_seconds: self.sync.age().as_secs(),
            last_known_good_age_seconds: self.sync.saved_age().map(|age| age.as_secs()),
            spool_records: spool.records,
            spool_bytes: spool.bytes,
            spool_max_bytes: self.config.traffic.spool_max_bytes,
            spool_dropped: spool.dropped,
            spool_full: spool.full,
            failures_waiting: self.failures.len() as u64,
            failures_dropped: self.failures.dropped(),
            log_dropped: penstock_log::dropped_lines(),
            open_calls: spool.open,
            memory_bytes: penstock_metrics::resident_bytes(),
            redis_connected: self.fleet.state() == RedisState::Connected,
            limits: Some(self.enforcement()),
            worst_case_overspend_nanousd: self.fleet.worst_case_overspend(),
            forgotten_settlements: self.fleet.forgotten_settlements(),
            dropped_notes: self.fleet.dropped_notes(),
            dropped_reports: self.reports.dropped(),
            caches: self.caches.figures(&self.fleet),
            breakers: self.breakers(&snapshot),
            ready: self.ready.is_set(),
            draining: self.drain.has_begun() || snapshot.is_drained(&self.node_id),
            uptime_seconds: self.uptime_ms() / 1000,
        }
    }

    fn breakers(&self, snapshot: &Snapshot) -> Vec<Breaker> {
        let now = clock::now();
        let breaker = |entry: &Arc<ProviderEntry>| Breaker {
            provider: Arc::clone(entry),
            phase: self.health.phase(entry, now),
        };
        snapshot.providers().iter().map(breaker).collect()
    }
}
