//! What a node says of itself, in the form in which the store keeps it.

use penstock_core::time::UnixMs;
use penstock_proto::telemetry::v1 as wire;
use serde::{Deserialize, Serialize};

/// See the fields of `penstock.telemetry.v1.NodeHealth`. Fields that an older release did not write are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    pub at: UnixMs,
    /// By this control plane's clock. 0: an older release did not write it.
    pub received: UnixMs,
    pub uptime_ms: u64,
    pub requests: u64,
    pub in_flight: u32,
    pub spool_records: u64,
    pub spool_bytes: u64,
    pub spool_dropped: u64,
    pub memory_bytes: u64,
    pub draining: bool,
    pub redis: String,
    pub dropped_breakers: u64,
    pub dropped_failures: u64,
    pub redis_ahead_ms: i64,
}

/// No longer word than this for the state of Redis is kept.
const MAX_REDIS: usize = 16;

impl From<wire::NodeHealth> for Health {
    fn from(health: wire::NodeHealth) -> Self {
        Self {
            at: UnixMs(health.at_ms),
            received: UnixMs(0),
            uptime_ms: health.uptime_ms,
            requests: health.requests,
            in_flight: health.in_flight,
            spool_records: health.spool_records,
            spool_bytes: health.spool_bytes,
            spool_dropped: health.spool_dropped,
            memory_bytes: health.memory_bytes,
            draining: health.draining,
            redis: health
                .redis
                .chars()
                .filter(char::is_ascii_graphic)
                .take(MAX_REDIS)
                .collect(),
            dropped_breakers: health.dropped_breakers,
            dropped_failures: health.dropped_failures,
            redis_ahead_ms: health.redis_ahead_ms,
        }
    }
}

impl From<Health> for wire::NodeHealth {
    fn from(health: Health) -> Self {
        Self {
            limits: String::new(),
            at_ms: health.at.0,
            uptime_ms: health.uptime_ms,
            requests: health.requests,
            in_flight: health.in_flight,
            spool_records: health.spool_records,
            spool_bytes: health.spool_bytes,
            spool_dropped: health.spool_dropped,
            memory_bytes: health.memory_bytes,
            draining: health.draining,
            redis: health.redis,
            dropped_breakers: health.dropped_breakers,
            dropped_failures: health.dropped_failures,
            redis_ahead_ms: health.redis_ahead_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back_as_it_was_sent() {
        let sent = wire::NodeHealth {
            limits: String::new(),
            at_ms: 1,
            uptime_ms: 2,
            requests: 3,
            in_flight: 4,
            spool_records: 5,
            spool_bytes: 6,
            spool_dropped: 7,
            memory_bytes: 8,
            draining: true,
            redis: "connected".to_owned(),
            dropped_breakers: 9,
            dropped_failures: 10,
            redis_ahead_ms: -11,
        };
        let stored = serde_json::to_value(Health::from(sent.clone())).unwrap();
        let read: Health = serde_json::from_value(stored).unwrap();
        assert_eq!(wire::NodeHealth::from(read), sent);
    }

    #[test]
    fn an_older_row_reads_with_zeros() {
        let read: Health = serde_json::from_value(serde_json::json!({ "requests": 3 })).unwrap();
        assert_eq!(
            read,
            Health {
                requests: 3,
                ..Health::default()
            }
        );
    }
}
