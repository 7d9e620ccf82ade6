//! What the node says of itself.

use penstock_proto::telemetry::v1 as wire;

use crate::app::App;
use crate::clock;

/// The node's state as telemetry carries it.
pub(super) fn report(app: &App) -> wire::NodeHealth {
    let (state, now) = (app.state(), clock::now());
    let redis_time = app.fleet.redis_time();
    wire::NodeHealth {
        at_ms: now.0,
        uptime_ms: app.uptime_ms(),
        requests: app.metrics.requests_ended(),
        in_flight: app.metrics.requests_in_flight(),
        spool_records: state.spool_records,
        spool_bytes: state.spool_bytes,
        spool_dropped: state.spool_dropped,
        memory_bytes: state.memory_bytes,
        draining: state.draining,
        redis: app.fleet.state().to_string(),
        redis_ahead_ms: redis_time.map_or(0, |time| time.0.saturating_sub(now.0)),
        limits: app.enforcement().as_str().to_owned(),
        // Breakers are reported as states, and none is dropped.
        dropped_breakers: 0,
        dropped_failures: app.failures.dropped(),
    }
}
