//! The node's health as JSON.
//!
//! `ok`: everything is as it should be. `degraded`: it serves, but somebody should look (control plane or Redis away,
//! resources refused, the spool full). `unavailable`: it cannot serve.

use penstock_fleet::{Enforcement, RedisState};
use serde::Serialize;

use crate::app::App;
use crate::config::WhenSpoolFull;
use crate::telemetry::metrics::NodeState;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    Degraded,
    Unavailable,
}

#[derive(Debug, Serialize)]
pub(super) struct Health {
    pub(super) status: Status,
    /// Why it is not `ok`, for people.
    reasons: Vec<&'static str>,
    node_id: String,
    version: &'static str,
    uptime_seconds: u64,
    draining: bool,
    requests_in_flight: u32,
    memory_bytes: u64,
    control_plane: ControlPlane,
    snapshot: Snapshot,
    spool: Spool,
    log: Log,
    /// `none`, `connected` or `disconnected`.
    redis: &'static str,
    /// How limits are enforced: `shared`, `alone`, `local`, `open`, `closed` or `off`.
    limits: &'static str,
}

#[derive(Debug, Serialize)]
struct ControlPlane {
    connected: bool,
    /// Nodes with a live stream, as the control plane says; 0: unknown.
    live_nodes: u32,
}

#[derive(Debug, Serialize)]
struct Snapshot {
    epoch: Option<String>,
    revision: u64,
    /// Since the node last knew that it was up to date.
    age_seconds: u64,
    refused_resources: u64,
    last_known_good_age_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Spool {
    records: u64,
    bytes: u64,
    max_bytes: u64,
    dropped: u64,
    full: bool,
}

/// What was logged, and what was lost of it.
#[derive(Debug, Serialize)]
struct Log {
    /// `stdout`, `stderr` or `files`; `none` where the surrounding process logs elsewhere.
    to: &'static str,
    dropped_lines: u64,
    /// That wait for the control plane.
    failure_records: u64,
    dropped_failure_records: u64,
}

impl Health {
    pub(super) fn of(app: &App) -> Self {
        let state = app.state();
        let redis = app.fleet.state();
        let (status, reasons) = judge(&state, redis, app.config.traffic.spool_full);
        Self {
            status,
            reasons,
            node_id: app.node_id.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: state.uptime_seconds,
            draining: state.draining,
            requests_in_flight: app.metrics.requests_in_flight(),
            memory_bytes: state.memory_bytes,
            control_plane: ControlPlane {
                connected: state.control_plane_connected,
                live_nodes: app.sync.live_nodes(),
            },
            snapshot: Snapshot {
                epoch: app.live.load().epoch().map(|epoch| epoch.to_string()),
                revision: state.revision,
                age_seconds: state.snapshot_age_seconds,
                refused_resources: state.refused,
                last_known_good_age_seconds: state.last_known_good_age_seconds,
            },
            spool: Spool {
                records: state.spool_records,
                bytes: state.spool_bytes,
                max_bytes: state.spool_max_bytes,
                dropped: state.spool_dropped,
                full: state.spool_full,
            },
            log: Log {
                to: penstock_log::destination(),
                dropped_lines: state.log_dropped,
                failure_records: state.failures_waiting,
                dropped_failure_records: state.failures_dropped,
            },
            redis: redis.as_str(),
            limits: state.limits.map_or("alone", Enforcement::as_str),
        }
    }
}

fn judge(state: &NodeState, redis: RedisState, when_full: WhenSpoolFull) -> (Status, Vec<&'static str>) {
    let unable = [
        (
            !state.ready,
            "no configuration yet: the control plane was not reached",
        ),
        (
            state.spool_full && when_full == WhenSpoolFull::Shed,
            "the usage spool is full, and new calls are refused",
        ),
    ];
    let worse = [
        (state.draining, "the node is draining"),
        (!state.control_plane_connected, "the control plane is away"),
        (redis == RedisState::Disconnected, "Redis is away"),
        (
            matches!(state.limits, Some(Enforcement::Degraded(_))),
            "limits are not shared with other data planes",
        ),
        (
            state.limits == Some(Enforcement::Off),
            "limits are switched off by the setting `limits`",
        ),
        (state.refused > 0, "resources of the configuration were refused"),
        (
            state.spool_full && when_full == WhenSpoolFull::Drop,
            "the usage spool is full, and records are lost",
        ),
    ];
    let holding = |(holds, reason): &(bool, &'static str)| holds.then_some(*reason);
    let mut reasons: Vec<_> = unable.iter().filter_map(holding).collect();
    let status = match (reasons.is_empty(), worse.iter().any(|(holds, _)| *holds)) {
        (false, _) => Status::Unavailable,
        (true, true) => Status::Degraded,
        (true, false) => Status::Ok,
    };
    reasons.extend(worse.iter().filter_map(holding));
    (status, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> NodeState {
        NodeState {
            ready: true,
            control_plane_connected: true,
            ..NodeState::default()
        }
    }

    fn status(state: &NodeState, redis: RedisState, when_full: WhenSpoolFull) -> Status {
        judge(state, redis, when_full).0
    }

    #[test]
    fn g07_a_node_that_serves_is_ok_or_degraded() {
        use WhenSpoolFull::Drop;
        assert_eq!(judge(&healthy(), RedisState::None, Drop), (Status::Ok, vec![]));
        let away = NodeState {
            control_plane_connected: false,
            ..healthy()
        };
        assert_eq!(status(&away, RedisState::None, Drop), Status::Degraded);
        assert_eq!(
            status(&healthy(), RedisState::Disconnected, Drop),
            Status::Degraded
        );
        let refusing = NodeState {
            refused: 1,
            ..healthy()
        };
        assert_eq!(status(&refusing, RedisState::Connected, Drop), Status::Degraded);
    }

    #[test]
    fn g07_a_node_that_cannot_serve_says_so_and_why() {
        use WhenSpoolFull::{Drop, Shed};
        let empty = NodeState::default();
        let (status_of_empty, reasons) = judge(&empty, RedisState::None, Drop);
        assert_eq!(status_of_empty, Status::Unavailable);
        assert!(reasons[0].contains("no configuration"));
        let full = NodeState {
            spool_full: true,
            ..healthy()
        };
        assert_eq!(status(&full, RedisState::None, Shed), Status::Unavailable);
        assert_eq!(status(&full, RedisState::None, Drop), Status::Degraded);
    }
}
