//! The gRPC side of telemetry.

use penstock_proto::telemetry::v1::telemetry_service_server::TelemetryService;
use penstock_proto::telemetry::v1::{BaselineRequest, BaselineResponse, ReportRequest, ReportResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::baseline::Baselines;
use super::report::Report;
use crate::context::Context;
use crate::streams::Streams;

/// Acknowledgements made but not yet sent.
const QUEUE: usize = 4;

/// Serves `penstock.telemetry.v1.TelemetryService`.
#[expect(missing_debug_implementations, reason = "holds the sealer")]
pub struct Telemetry {
    context: Context,
    streams: Streams,
    baselines: Baselines,
}

impl Telemetry {
    pub fn new(context: Context, streams: Streams) -> Self {
        Self {
            context,
            streams,
            baselines: Baselines::default(),
        }
    }
}

#[tonic::async_trait]
impl TelemetryService for Telemetry {
    type ReportStream = ReceiverStream<Result<ReportResponse, Status>>;

    async fn report(
        &self,
        request: Request<Streaming<ReportRequest>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let report = Report::new(self.context.clone(), self.streams.closing().clone(), sender);
        self.streams.serve(report.run(request.into_inner()))?;
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn baseline(
        &self,
        request: Request<BaselineRequest>,
    ) -> Result<Response<BaselineResponse>, Status> {
        let answered = self.baselines.answer(&self.context, request.into_inner()).await?;
        Ok(Response::new(answered))
    }
}
