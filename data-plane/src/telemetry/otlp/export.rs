//! The task that exports.
//!
//! A batch of spans goes out when it is full or a second after its first span, the histograms go once a minute. A batch
//! that the collector does not take because it is away or busy is sent again, with growing waits, a few times; then it is
//! dropped and counted. What the collector refuses is dropped at once. That the collector is away, and that it is back,
//! is said once in the log. When the node ends, what waits is sent within [`FAREWELL`].

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use penstock_core::backoff::Backoff;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use super::Otlp;
use super::value::text;
use crate::app::App;
use crate::clock;
use crate::proxy::Tracked;
use crate::telemetry::metrics::ExportResult;

/// Spans of one batch.
const BATCH: usize = 512;
/// Between a batch's first span and its departure.
const LINGER: Duration = Duration::from_secs(1);
const METRICS_EVERY: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
const FAREWELL: Duration = Duration::from_secs(5);
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.41.0";

struct Exporter {
    otlp: Arc<Otlp>,
    traces: TraceServiceClient<Channel>,
    metrics: MetricsServiceClient<Channel>,
    resource: Resource,
    /// The collector took nothing the last time.
    away: bool,
    /// When nothing is waited for any more. None: nobody has said that it stops.
    until: Option<Instant>,
}

/// What is sent at once.
#[derive(Clone)]
enum Message {
    Spans(ExportTraceServiceRequest, u64),
    Figures(ExportMetricsServiceRequest),
}

/// Exports until told to stop, and then what is left. Does nothing where nothing is exported.
pub(crate) async fn run(app: Arc<App>, stop: CancellationToken) {
    let Some(otlp) = &app.otlp else { return };
    let queued = otlp.queued.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut queued) = queued else { return };
    let (tasks, ended) = (TaskTracker::new(), CancellationToken::new());
    match connect(otlp, Tracked::new(tasks.clone(), ended.clone())) {
        Ok(channel) => {
            let mut exporter = Exporter::new(&app, Arc::clone(otlp), channel);
            let begun = exporter.follow(&mut queued, &stop).await;
            exporter.until = Some(Instant::now() + FAREWELL);
            exporter.finish(begun, &mut queued).await;
        }
        Err(error) => {
            tracing::error!(%error, "nothing is exported by OTLP: the collector's TLS cannot be set up");
            stop.cancelled().await;
        }
    }
    let left = u64::try_from(queued.len()).unwrap_or(u64::MAX);
    app.metrics.otlp_spans(ExportResult::Dropped, left);
    ended.cancel();
    tasks.close();
    tasks.wait().await;
}

fn connect(otlp: &Otlp, tasks: Tracked) -> Result<Channel, tonic::transport::Error> {
    let settings = &otlp.settings;
    let mut endpoint = Endpoint::from(settings.endpoint.clone()).connect_timeout(CONNECT);
    if settings.endpoint.scheme_str() == Some("https") {
        let tls = match &settings.ca {
            Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)),
            None => ClientTlsConfig::new().with_webpki_roots(),
        };
        endpoint = endpoint.tls_config(tls)?;
    }
    Ok(endpoint.executor(tasks).connect_lazy())
}

impl Exporter {
    fn new(app: &App, otlp: Arc<Otlp>, channel: Channel) -> Self {
        let mut attributes = vec![
            text("service.name", otlp.settings.service_name.as_str()),
            text("service.version", env!("CARGO_PKG_VERSION")),
            text("service.instance.id", &*app.node_id),
        ];
        let zone = &app.config.node.zone;
        attributes.extend((!zone.is_empty()).then(|| text("cloud.availability_zone", zone.as_str())));
        Self {
            otlp,
            traces: TraceServiceClient::new(channel.clone()),
            metrics: MetricsServiceClient::new(channel),
            resource: Resource {
                attributes,
                ..Resource::default()
            },
            away: false,
            until: None,
        }
    }

    /// What it had begun to send or to gather when it was told to stop.
    async fn follow(
        &mut self,
        queued: &mut mpsc::Receiver<Span>,
        stop: &CancellationToken,
    ) -> (Option<Message>, Vec<Span>) {
        let mut ticks = interval_at(Instant::now() + METRICS_EVERY, METRICS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            let message = tokio::select! {
                biased;
                () = stop.cancelled() => return (None, batch),
                _ = ticks.tick() => self.figures(),
                () = fill(queued, &mut batch) => self.spans(std::mem::take(&mut batch)),
            };
            let Some(message) = message else { continue };
            tokio::select! {
                biased;
                () = stop.cancelled() => return (Some(message), batch),
                () = self.send(&message, TRIES) => {}
            }
        }
    }

    /// Each once: what had begun, what is left in the queue, and the histograms a last time. What is not taken in time is
    /// counted as lost.
    async fn finish(
        &mut self,
        (begun, mut batch): (Option<Message>, Vec<Span>),
        queued: &mut mpsc::Receiver<Span>,
    ) {
        if let Some(message) = begun {
            self.send(&message, 1).await;
        }
        while let Ok(span) = queued.try_recv() {
            batch.push(span);
            if batch.len() >= BATCH
                && let Some(message) = self.spans(std::mem::take(&mut batch))
            {
                self.send(&message, 1).await;
            }
        }
        if let Some(message) = self.spans(batch) {
            self.send(&message, 1).await;
        }
        if let Some(message) = self.figures() {
            self.send(&message, 1).await;
        }
    }

    fn spans(&self, spans: Vec<Span>) -> Option<Message> {
        let number = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope()),
                    spans,
                    schema_url: SCHEMA.to_owned(),
                }],
                schema_url: SCHEMA.to_owned(),
            }],
        };
        (number > 0).then_some(Message::Spans(request, number))
    }

    fn figures(&self) -> Option<Message> {
        let metrics = self.otlp.figures().metrics(clock::unix_nanos());
        if metrics.is_empty() {
            return None;
        }
        Some(Message::Figures(ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(scope()),
                    metrics,
                    schema_url: SCHEMA.to_owned(),
                }],
                schema_url: SCHEMA.to_owned(),
            }],
        }))
    }

    /// Sends a message, so many times at most.
    async fn send(&mut self, message: &Message, tries: u32) {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        for tried in 1..=tries {
            let by = Instant::now() + ANSWER;
            let by = self.until.map_or(by, |until| until.min(by));
            let answer = timeout_at(by, self.once(message.clone())).await;
            let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")));
            let status = match answer {
                Ok(refused) => return self.taken(message, refused),
                Err(status) => status,
            };
            if !is_worth_trying(status.code()) || tried == tries {
                return self.lost(message, &status);
            }
            self.say_away(&status);
            sleep(backoff.next(clock::random())).await;
        }
    }

    /// The number of spans that the collector refused.
    async fn once(&mut self, message: Message) -> Result<u64, Status> {
        match message {
            Message::Spans(request, _) => {
                let answer = self.traces.export(self.signed(request)).await?.into_inner();
                let refused = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
                Ok(u64::try_from(refused).unwrap_or(0))
            }
            Message::Figures(request) => {
                self.metrics.export(self.signed(request)).await?;
                Ok(0)
            }
        }
    }

    fn signed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        for (name, value) in &self.otlp.settings.headers {
            request.metadata_mut().insert(name.clone(), value.clone());
        }
        request
    }

    fn taken(&mut self, message: &Message, refused: u64) {
        if std::mem::take(&mut self.away) {
            tracing::info!("the OTLP collector takes what is exported again");
        }
        let metrics = &self.otlp.metrics;
        metrics.otlp_export(ExportResult::Exported);
        if let Message::Spans(_, number) = message {
            metrics.otlp_spans(ExportResult::Exported, number.saturating_sub(refused));
            metrics.otlp_spans(ExportResult::Dropped, refused);
        }
    }

    fn lost(&mut self, message: &Message, status: &Status) {
        self.say_away(status);
        let metrics = &self.otlp.metrics;
        metrics.otlp_export(ExportResult::Dropped);
        if let Message::Spans(_, number) = message {
            metrics.otlp_spans(ExportResult::Dropped, *number);
        }
    }

    fn say_away(&mut self, status: &Status) {
        if !std::mem::replace(&mut self.away, true) {
            let (code, problem) = (status.code(), status.message());
            tracing::warn!(
                ?code,
                problem,
                "the OTLP collector (--otlp-endpoint) does not take what is exported; spans that wait too long are dropped"
            );
        }
    }
}

/// Waits for spans, until there are as many as go at once or the first has waited for long enough. What is there when it
/// is cancelled stays in the batch.
async fn fill(queued: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) {
    if batch.is_empty() && queued.recv_many(batch, BATCH).await == 0 {
        return std::future::pending().await;
    }
    let full = async {
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            if queued.recv_many(batch, room).await == 0 {
                return;
            }
        }
    };
    // Either way there is something to send.
    drop(timeout(LINGER, full).await);
}

fn is_worth_trying(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
            | Code::Unknown
    )
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "penstock".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}
