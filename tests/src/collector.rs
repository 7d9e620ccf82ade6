//! An OpenTelemetry collector: takes spans by OTLP and keeps them.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// See the module. It ends when it is dropped.
#[derive(Debug)]
pub struct Collector {
    pub url: String,
    kept: Kept,
    /// Ends with it.
    _serving: JoinSet<()>,
}

#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<Span>>>);

impl Collector {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (url, kept) = (format!("http://{}", listener.local_addr()?), Kept::default());
        let server = Server::builder().add_service(TraceServiceServer::new(kept.clone()));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            // The test ends before it.
            server
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .ok();
        });
        Ok(Self {
            url,
            kept,
            _serving: serving,
        })
    }

    /// What came, in order.
    pub fn spans(&self) -> Vec<Span> {
        self.kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let of_resources = request.into_inner().resource_spans.into_iter();
        let of_scopes = of_resources.flat_map(|of_resource| of_resource.scope_spans);
        let spans = of_scopes.flat_map(|of_scope| of_scope.spans);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
