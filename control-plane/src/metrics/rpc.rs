//! Calls of operators and data planes: how many, how they ended, how long they took.
//!
//! Methods are those that the table of roles knows, so that nobody makes series by asking for what there is not. A
//! call's time ends with the head of its answer; a stream goes on after that. So a stream counts as well begun; how it
//! ended is in the log.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tonic::Code;

use super::Metrics;

/// From a millisecond, where memory answers, to what operators wait for.
const SECONDS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0,
];

#[derive(Debug)]
pub(super) struct RpcMetrics {
    calls: Family<RpcLabels, Counter>,
    duration: Family<ServiceLabel, Histogram, RpcSeconds>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RpcLabels {
    service: String,
    method: String,
    /// As gRPC names it: `OK`, `NotFound`.
    code: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ServiceLabel {
    service: String,
}

#[derive(Clone, Debug)]
struct RpcSeconds;

impl MetricConstructor<Histogram> for RpcSeconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(SECONDS)
    }
}

impl Default for RpcMetrics {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            duration: Family::new_with_constructor(RpcSeconds),
        }
    }
}

impl RpcMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("rpcs", "gRPC calls, by how they ended", self.calls.clone());
        registry.register_with_unit(
            "rpc_duration",
            "gRPC calls, until the head of the answer",
            Unit::Seconds,
            self.duration.clone(),
        );
    }
}

impl Metrics {
    /// A call ended. `path`: `/SERVICE/METHOD`, of those that there are.
    pub fn rpc_ended(&self, path: &str, code: Code, took: Duration) {
        let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
        let labels = RpcLabels {
            service: service.to_owned(),
            method: method.to_owned(),
            code: if code == Code::Ok {
                "OK".to_owned()
            } else {
                format!("{code:?}")
            },
        };
        self.rpcs.calls.get_or_create(&labels).inc();
        let label = ServiceLabel {
            service: service.to_owned(),
        };
        let duration = self.rpcs.duration.get_or_create(&label);
        duration.observe(took.as_secs_f64());
    }
}
