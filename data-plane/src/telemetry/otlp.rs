//! Traces and metrics of calls for OpenTelemetry, exported by OTLP over gRPC (behaviour G7, issue 6).
//!
//! *Off.* Without `--otlp-endpoint` there is none of this; a call pays one branch.
//!
//! *On.* A call that is sampled leaves a span with a child for each attempt; each call that reached a provider goes into
//! the histograms of the GenAI conventions ([`figures`]). Both hold names, counts and times, never a message. Spans wait
//! in a queue that is bounded ([`QUEUE`]); what does not fit is dropped and counted, and no call waits. One task exports
//! ([`export`]): batches of spans within a second, the histograms once a minute, and what is left when the node ends.
//!
//! *Why not the SDK.* Its exporters run on threads of their own and tell nobody what they drop; a node has to end with
//! all of its tasks and to count its losses. So this uses the protocol's own types and nothing else of it.

pub(crate) mod context;
pub(crate) mod export;
pub(crate) mod figures;
pub(crate) mod value;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::mpsc;

use crate::config::{OtlpSettings, SampleRatio};
use crate::telemetry::metrics::{ExportResult, Metrics};
use figures::Figures;

/// Spans that wait.
const QUEUE: usize = 8_192;

/// Where the request path leaves what is exported.
#[expect(missing_debug_implementations, reason = "holds the collector's headers")]
pub struct Otlp {
    settings: OtlpSettings,
    queue: mpsc::Sender<Span>,
    queued: Mutex<Option<mpsc::Receiver<Span>>>,
    figures: Mutex<Figures>,
    metrics: Arc<Metrics>,
}

impl Otlp {
    pub(crate) fn new(settings: OtlpSettings, metrics: Arc<Metrics>) -> Self {
        let (queue, queued) = mpsc::channel(QUEUE);
        Self {
            settings,
            queue,
            queued: Mutex::new(Some(queued)),
            figures: Mutex::new(Figures::new(crate::clock::unix_nanos())),
            metrics,
        }
    }

    pub(crate) fn sample(&self) -> SampleRatio {
        self.settings.sample
    }

    /// Never waits.
    pub(crate) fn span(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.metrics.otlp_spans(ExportResult::Dropped, 1);
        }
    }

    pub(crate) fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
