//! Diagnosis: findings as they come, and what a report says of this replica.

use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::doctor_service_server::DoctorService;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use crate::clock;
use crate::context::Context;
use crate::doctor::{self, Finding, Level};
use crate::metrics::ProcessState;
use crate::streams::Streams;

pub(super) struct Doctor {
    pub(super) context: Context,
    pub(super) streams: Streams,
}

#[tonic::async_trait]
impl DoctorService for Doctor {
    type DiagnoseStream = BoxStream<wire::DiagnoseResponse>;

    async fn diagnose(
        &self,
        request: Request<wire::DiagnoseRequest>,
    ) -> Result<Response<Self::DiagnoseStream>, Status> {
        let offline = request.into_inner().offline;
        let (sender, found) = mpsc::channel(16);
        let (context, closing) = (self.context.clone(), self.streams.closing().clone());
        self.streams.serve(async move {
            let left = sender.clone();
            tokio::select! {
                () = doctor::examine(context, offline, sender) => {}
                () = left.closed() => {}
                () = closing.cancelled() => {}
            }
        })?;
        let found = ReceiverStream::new(found).map(|finding| Ok(response(finding)));
        Ok(Response::new(Box::pin(found)))
    }

    async fn describe_replica(
        &self,
        _: Request<wire::DescribeReplicaRequest>,
    ) -> Result<Response<wire::DescribeReplicaResponse>, Status> {
        let context = &self.context;
        // A database that is away is told elsewhere; the rest is worth having.
        let facts = context.store.examine().await.unwrap_or_default();
        let mut registry = Registry::default();
        context.metrics.register(&mut registry);
        let metrics = context.metrics.render(&registry, &ProcessState::of(context));
        let metrics = metrics.map_err(|_| Status::internal("the metrics cannot be written"))?;
        let all = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Ok(Response::new(wire::DescribeReplicaResponse {
            name: context.name.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at_ms: clock::now().0,
            uptime_ms: i64::try_from(context.started.elapsed().as_millis()).unwrap_or(i64::MAX),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cpus: std::thread::available_parallelism().map_or(0, |n| u32::try_from(n.get()).unwrap_or(0)),
            memory_total_kb: kilobytes(&all, "MemTotal:"),
            memory_available_kb: kilobytes(&all, "MemAvailable:"),
            memory_used_kb: penstock_metrics::resident_bytes() / 1024,
            database: context.store.backend().as_str().to_owned(),
            database_version: facts.version,
            database_bytes: facts.bytes,
            migration: facts.migration,
            metrics,
        }))
    }
}

fn response(finding: Finding) -> wire::DiagnoseResponse {
    let level = match finding.level {
        Level::Ok => wire::FindingLevel::Ok,
        Level::Warn => wire::FindingLevel::Warn,
        Level::Fail => wire::FindingLevel::Fail,
    };
    wire::DiagnoseResponse {
        at_ms: clock::now().0,
        finding: Some(wire::Finding {
            check: finding.check.to_owned(),
            subject: finding.subject,
            level: level.into(),
            what: finding.what,
            why: finding.why,
            fix: finding.fix,
        }),
    }
}

/// As Linux tells them; 0 elsewhere.
fn kilobytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
