//! What became of what is exported to an OTLP collector.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Metrics;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportResult {
    /// The collector has it.
    Exported,
    /// It did not fit, or the collector did not take it in time.
    Dropped,
}

#[derive(Debug, Default)]
pub(super) struct OtlpMetrics {
    spans: Family<ResultLabel, Counter>,
    exports: Family<ResultLabel, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

impl OtlpMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "otlp_spans",
            "Spans, by whether the OTLP collector has them",
            metrics.spans.clone(),
        );
        registry.register(
            "otlp_exports",
            "Batches of metrics and spans, by whether the OTLP collector took them",
            metrics.exports.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// So many spans were exported or dropped.
    pub fn otlp_spans(&self, result: ExportResult, spans: u64) {
        self.otlp.spans.get_or_create(&result.label()).inc_by(spans);
    }

    /// A batch was exported or dropped.
    pub fn otlp_export(&self, result: ExportResult) {
        self.otlp.exports.get_or_create(&result.label()).inc();
    }
}

impl ExportResult {
    fn label(self) -> ResultLabel {
        ResultLabel {
            result: match self {
                Self::Exported => "exported",
                Self::Dropped => "dropped",
            },
        }
    }
}
