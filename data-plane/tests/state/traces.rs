//! Traces and metrics of calls by OTLP (G7): a real data plane between a client, a fake provider and a collector.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use penstock_core::setting::{ObservabilityPolicy, Setting};
use penstock_fake_provider::{Behaviour, FakeProvider};
use tempfile::TempDir;

use crate::proxy::client::{Client, messages};
use crate::proxy::gateway::{CLAUDE, CREDENTIAL, KEY, Setup, anthropic, key_id};
use crate::support::collector::{Collector, attribute};
use crate::support::control_plane::{FakeControlPlane, ReportStream, SyncStream};
use crate::support::node::{Node, NodeBuilder};
use crate::support::resources::full;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const TOKEN: &str = "collector-sesame";

/// A node with one provider, and what keeps it going.
struct Traced {
    node: Node,
    fake: FakeProvider,
    _sync: SyncStream,
    report: ReportStream,
    _control_plane: FakeControlPlane,
    _directory: TempDir,
}

impl Traced {
    async fn start(script: Vec<Behaviour>, policy: ObservabilityPolicy, flags: &[(&str, &str)]) -> Self {
        let fake = FakeProvider::builder().script(script).start().await.unwrap();
        let setup = Setup {
            settings: vec![Setting::Observability(policy)],
            ..Setup::of([anthropic(&fake)])
        };
        let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
        let mut builder = NodeBuilder::new(directory.path(), &control_plane);
        for (flag, value) in flags {
            builder = builder.flag(flag, value);
        }
        let node = builder.start().await;
        let mut sync = control_plane.sync().await;
        sync.hello().await;
        sync.push(full(1, setup.resources(1))).await;
        let mut report = control_plane.report().await;
        report.begin(4, 100).await;
        Self {
            node,
            fake,
            _sync: sync,
            report,
            _control_plane: control_plane,
            _directory: directory,
        }
    }

    /// A call with this `traceparent`, to its end.
    async fn call(&self, traceparent: &str) {
        let asking = Client::http1(self.node.traffic).messages(&messages("the secret text", false));
        let answer = asking
            .header("traceparent", traceparent)
            .header("tracestate", "vendor=1")
            .send()
            .await;
        assert_eq!(answer.status, 200);
        assert!(answer.read().await.clean);
    }

    /// What the provider was told of the trace.
    fn told(&self) -> Option<String> {
        let requests = self.fake.requests();
        requests.last().unwrap().header("traceparent").map(str::to_owned)
    }

    async fn stop(mut self) {
        let batch = self.report.batch().await;
        self.report.ack(&batch).await;
        self.node.stop().await;
    }
}

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

fn of(span: &Span, key: &str) -> Option<String> {
    attribute(&span.attributes, key)
}

#[tokio::test]
async fn g07_a_call_is_a_span_below_its_callers_with_a_child_for_each_attempt() {
    let collector = Collector::start().await;
    let url = collector.url();
    let flags = [
        ("--otlp-endpoint", &*url),
        ("--otlp-headers", "authorization=Bearer%20collector-sesame"),
        // The caller decides.
        ("--otlp-sample", "0"),
        ("--node-id", "edge-1"),
    ];
    let script = vec![Behaviour::status(529), Behaviour::default()];
    let traced = Traced::start(script, ObservabilityPolicy::default(), &flags).await;
    traced.call(&parent("01")).await;
    let spans = collector.spans(3).await;
    let call = spans.iter().find(|span| span.kind() == SpanKind::Server).unwrap();
    let attempts: Vec<_> = spans
        .iter()
        .filter(|span| span.kind() == SpanKind::Client)
        .collect();
    assert_eq!((spans.len(), attempts.len()), (3, 2));
    assert!(
        spans
            .iter()
            .all(|span| hex::encode(&span.trace_id) == TRACE && span.trace_state == "vendor=1")
    );
    assert_eq!(hex::encode(&call.parent_span_id), PARENT);
    assert_eq!(call.name, format!("chat {CLAUDE}"));
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "anthropic"),
        ("gen_ai.request.model", CLAUDE),
        ("gen_ai.response.model", CLAUDE),
        ("gen_ai.request.max_tokens", "1000"),
        ("http.response.status_code", "200"),
        ("penstock.attempts", "2"),
        ("penstock.key.id", &key_id(0).to_string()),
    ] {
        assert_eq!(of(call, key).as_deref(), Some(value), "{key}");
    }
    let totals = traced.fake.usage_totals();
    assert_eq!(
        of(call, "gen_ai.usage.output_tokens"),
        Some(totals.complete.output.to_string())
    );
    assert!(of(call, "gen_ai.usage.input_tokens").is_some() && of(call, "error.type").is_none());
    assert!(call.end_time_unix_nano >= call.start_time_unix_nano && call.start_time_unix_nano > 0);
    for attempt in &attempts {
        assert_eq!(attempt.parent_span_id, call.span_id);
        assert_eq!(of(attempt, "server.address").as_deref(), Some("127.0.0.1"));
        assert_eq!(
            of(attempt, "server.port"),
            Some(traced.fake.address().port().to_string())
        );
        assert_eq!(
            of(attempt, "gen_ai.usage.input_tokens"),
            None,
            "usage counts once"
        );
    }
    let statuses: Vec<_> = attempts
        .iter()
        .map(|span| of(span, "http.response.status_code"))
        .collect();
    assert_eq!(statuses, [Some("529".to_owned()), Some("200".to_owned())]);
    assert_eq!(of(attempts[0], "error.type").as_deref(), Some("529"));
    assert_ne!(attempts[0].span_id, attempts[1].span_id);
    assert_eq!(
        traced.told(),
        None,
        "providers are told only when the operator asks"
    );
    let (_, metrics) = traced.node.get("/metrics").await;
    traced.stop().await;

    let taken = collector.taken();
    assert_eq!(
        attribute(&taken.resource, "service.instance.id").as_deref(),
        Some("edge-1")
    );
    assert_eq!(
        attribute(&taken.resource, "service.name").as_deref(),
        Some("penstock-data-plane")
    );
    assert!(
        taken
            .authorizations
            .iter()
            .all(|header| *header == format!("Bearer {TOKEN}"))
    );
    let names: Vec<_> = taken.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(
        names,
        ["gen_ai.client.token.usage", "gen_ai.client.operation.duration"]
    );
    let Some(Data::Histogram(durations)) = &taken.metrics[1].data else {
        panic!("a histogram")
    };
    assert_eq!(durations.data_points[0].count, 1);
    let everything = format!("{taken:?}{metrics}");
    for secret in ["the secret text", KEY, CREDENTIAL] {
        assert!(!everything.contains(secret), "{secret}");
    }
    assert!(!metrics.contains(TOKEN));
}

#[tokio::test]
async fn g07_what_the_caller_does_not_keep_is_not_exported_but_counts_in_the_histograms() {
    let collector = Collector::start().await;
    let url = collector.url();
    let flags = [("--otlp-endpoint", &*url), ("--otlp-sample", "1")];
    let traced = Traced::start(Vec::new(), ObservabilityPolicy::default(), &flags).await;
    traced.call(&parent("00")).await;
    traced.stop().await;
    let taken = collector.taken();
    assert!(taken.spans.is_empty(), "{:?}", taken.spans);
    assert_eq!(taken.metrics.len(), 2);
}

#[tokio::test]
async fn g07_a_collector_that_is_away_holds_up_no_call_and_no_end() {
    let flags = [("--otlp-endpoint", "http://127.0.0.1:9"), ("--otlp-sample", "1")];
    let traced = Traced::start(Vec::new(), ObservabilityPolicy::default(), &flags).await;
    traced.call("").await;
    let app = std::sync::Arc::clone(&traced.node.app);
    traced.stop().await;
    let metrics = app.metrics.render(&app.state()).unwrap();
    assert!(
        metrics.contains(r#"penstock_otlp_spans_total{result="dropped"} 2"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn g07_nothing_is_exported_and_no_provider_told_unless_the_operator_asks() {
    let traced = Traced::start(Vec::new(), ObservabilityPolicy::default(), &[]).await;
    assert!(traced.node.app.otlp.is_none());
    traced.call(&parent("01")).await;
    assert_eq!(traced.told(), None);
    traced.stop().await;
}

#[tokio::test]
async fn g07_a_provider_is_told_the_trace_when_the_operator_asks() {
    let policy = ObservabilityPolicy {
        trace_to_providers: true,
        ..ObservabilityPolicy::default()
    };
    // Nothing is exported here: the caller's span is the provider's parent.
    let traced = Traced::start(Vec::new(), policy, &[]).await;
    traced.call(&parent("01")).await;
    assert_eq!(traced.told(), Some(parent("01")));
    traced.stop().await;

    let collector = Collector::start().await;
    let url = collector.url();
    let traced = Traced::start(Vec::new(), policy, &[("--otlp-endpoint", &url)]).await;
    traced.call(&parent("01")).await;
    let spans = collector.spans(2).await;
    let attempt = spans.iter().find(|span| span.kind() == SpanKind::Client).unwrap();
    let told = format!("00-{TRACE}-{}-01", hex::encode(&attempt.span_id));
    assert_eq!(traced.told(), Some(told));
    let requests = traced.fake.requests();
    assert_eq!(requests.last().unwrap().header("tracestate"), Some("vendor=1"));
    traced.stop().await;
}
