//! The node's own state: snapshot, control plane, spool, memory.

use std::sync::atomic::Ordering;

use penstock_fleet::Enforcement;
use penstock_metrics::CacheFigures;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Breaker, Metrics};

/// The node's state at one moment; what health, metrics and telemetry say alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    pub revision: u64,
    /// How many resources are refused here.
    pub refused: u64,
    pub control_plane_connected: bool,
    /// Since this node last knew that it was up to date; 0 while it is connected.
    pub snapshot_age_seconds: u64,
    /// Since the last known good file was last written; None: there is none.
    pub last_known_good_age_seconds: Option<u64>,
    /// Usage records that wait for the control plane.
    pub spool_records: u64,
    pub spool_bytes: u64,
    /// The most that the spool may take.
    pub spool_max_bytes: u64,
    /// Usage records that were lost, since the process began.
    pub spool_dropped: u64,
    /// No room, or the disk refuses writes.
    pub spool_full: bool,
    pub open_calls: u64,
    /// Records of failed calls that wait for the control plane, and that were lost.
    pub failures_waiting: u64,
    pub failures_dropped: u64,
    /// Lines of the log that were lost, since the process began.
    pub log_dropped: u64,
    pub memory_bytes: u64,
    pub redis_connected: bool,
    /// How limits are enforced.
    pub limits: Option<Enforcement>,
    /// What strict budgets can have been overspent by what this node let in without the shared counters.
    pub worst_case_overspend_nanousd: u64,
    /// Settlements that were dropped because too many waited for Redis.
    pub forgotten_settlements: u64,
    /// Bindings and ends of trials that Redis was not told, because too many waited.
    pub dropped_notes: u64,
    /// Best-effort reports to the control plane that did not fit.
    pub dropped_reports: u64,
    /// Of each cache, by name.
    pub caches: Vec<(&'static str, CacheFigures)>,
    /// Of each provider.
    pub breakers: Vec<Breaker>,
    pub ready: bool,
    pub draining: bool,
    pub uptime_seconds: u64,
}

#[derive(Debug, Default)]
pub(super) struct NodeMetrics {
    requests: Counter,
    applied: Counter,
    reconnects: Counter,
    revision: Gauge,
    refused: Gauge,
    connected: Gauge,
    snapshot_age: Gauge,
    last_known_good_age: Gauge,
    spool_records: Gauge,
    spool_bytes: Gauge,
    spool_max_bytes: Gauge,
    spool_dropped: Counter,
    open_calls: Gauge,
    failures_waiting: Gauge,
    failures_dropped: Counter,
    dropped_notes: Counter,
    dropped_reports: Counter,
    redis: Gauge,
    ready: Gauge,
    draining: Gauge,
}

impl NodeMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let counters = [
            (
                "snapshot_updates",
                "Updates of the snapshot that were applied",
                &metrics.applied,
            ),
            (
                "control_plane_reconnects",
                "Times the config stream was opened anew",
                &metrics.reconnects,
            ),
            (
                "spool_dropped_records",
                "Usage records lost since the process began",
                &metrics.spool_dropped,
            ),
            (
                "failure_dropped_records",
                "Records of failed calls lost since the process began",
                &metrics.failures_dropped,
            ),
            (
                "fleet_dropped_notes",
                "Bindings of sessions and ends of trials that Redis was not told, because too many waited",
                &metrics.dropped_notes,
            ),
            (
                "dropped_reports",
                "Best-effort reports to the control plane that did not fit",
                &metrics.dropped_reports,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        for (name, help, gauge) in metrics.gauges() {
            registry.register(name, help, gauge.clone());
        }
        for (name, help, gauge) in metrics.ages() {
            registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
        }
        let sizes = [
            ("spool", "Disk space of the usage spool", &metrics.spool_bytes),
            (
                "spool_max",
                "The most disk space that the usage spool may take",
                &metrics.spool_max_bytes,
            ),
        ];
        for (name, help, gauge) in sizes {
            registry.register_with_unit(name, help, Unit::Bytes, gauge.clone());
        }
        metrics
    }

    fn gauges(&self) -> [(&'static str, &'static str, &Gauge); 9] {
        [
            (
                "snapshot_revision",
                "Revision of the configuration in force",
                &self.revision,
            ),
            (
                "refused_resources",
                "Resources that this node refused",
                &self.refused,
            ),
            (
                "control_plane_connected",
                "1 while the config stream is open",
                &self.connected,
            ),
            (
                "spool_records",
                "Usage records that wait for the control plane",
                &self.spool_records,
            ),
            (
                "spool_open_calls",
                "Calls whose usage record is still to come",
                &self.open_calls,
            ),
            (
                "failure_records",
                "Records of failed calls that wait for the control plane",
                &self.failures_waiting,
            ),
            ("redis_connected", "1 while Redis answers", &self.redis),
            ("ready", "1 once a snapshot is in force", &self.ready),
            ("draining", "1 while the node is leaving", &self.draining),
        ]
    }

    fn ages(&self) -> [(&'static str, &'static str, &Gauge); 2] {
        [
            (
                "snapshot_age",
                "Since the node last knew that it was up to date",
                &self.snapshot_age,
            ),
            (
                "last_known_good_age",
                "Since the last known good file was written; -1: there is none",
                &self.last_known_good_age,
            ),
        ]
    }

    pub(super) fn set(&self, state: &NodeState) {
        let values = [
            (&self.revision, state.revision),
            (&self.refused, state.refused),
            (&self.connected, u64::from(state.control_plane_connected)),
            (&self.snapshot_age, state.snapshot_age_seconds),
            (&self.spool_records, state.spool_records),
            (&self.spool_bytes, state.spool_bytes),
            (&self.spool_max_bytes, state.spool_max_bytes),
            (&self.open_calls, state.open_calls),
            (&self.failures_waiting, state.failures_waiting),
            (&self.redis, u64::from(state.redis_connected)),
            (&self.ready, u64::from(state.ready)),
            (&self.draining, u64::from(state.draining)),
        ];
        for (gauge, value) in values {
            gauge.set(saturating(value));
        }
        let counts = [
            (&self.spool_dropped, state.spool_dropped),
            (&self.failures_dropped, state.failures_dropped),
            (&self.dropped_notes, state.dropped_notes),
            (&self.dropped_reports, state.dropped_reports),
        ];
        for (counter, count) in counts {
            counter.inner().store(count, Ordering::Relaxed);
        }
        let age = state.last_known_good_age_seconds;
        self.last_known_good_age.set(age.map_or(-1, saturating));
    }

    pub(super) fn count_request(&self) {
        self.requests.inc();
    }
}

impl Metrics {
    /// Requests that have ended since the process began.
    pub fn requests_ended(&self) -> u64 {
        self.node.requests.get()
    }

    /// An update came into force.
    pub fn snapshot_applied(&self) {
        self.node.applied.inc();
    }

    /// The config stream is being opened anew.
    pub fn control_plane_reconnect(&self) {
        self.node.reconnects.inc();
    }
}

fn saturating(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
