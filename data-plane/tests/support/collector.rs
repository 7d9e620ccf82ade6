//! An OpenTelemetry collector: takes spans and metrics by OTLP and keeps them for the test.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::control_plane::within;

/// See the module. Dropping it ends its server.
pub(crate) struct Collector {
    address: SocketAddr,
    kept: Kept,
    _server: JoinSet<()>,
}

/// What came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) spans: Vec<Span>,
    /// Of the newest message.
    pub(crate) metrics: Vec<Metric>,
    /// Of the resource that the spans are of.
    pub(crate) resource: Vec<KeyValue>,
    /// Of each message.
    pub(crate) authorizations: Vec<String>,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Taken>>);

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, kept) = (listener.local_addr().unwrap(), Kept::default());
        let serving = Server::builder()
            .add_service(TraceServiceServer::new(kept.clone()))
            .add_service(MetricsServiceServer::new(kept.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let mut server = JoinSet::new();
        server.spawn(async move { serving.await.unwrap() });
        Self {
            address,
            kept,
            _server: server,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn taken(&self) -> Taken {
        self.kept.0.lock().unwrap().clone()
    }

    /// Waits until so many spans are here.
    pub(crate) async fn spans(&self, number: usize) -> Vec<Span> {
        let waiting = async {
            while self.taken().spans.len() < number {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        within("the spans", waiting).await;
        self.taken().spans
    }
}

/// An attribute as text; None: it is not there.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    let value = found.value.as_ref()?.value.as_ref()?;
    if let Value::StringValue(text) = value {
        return Some(text.clone());
    }
    if let Value::IntValue(number) = value {
        return Some(number.to_string());
    }
    panic!("{key}: {value:?}")
}

impl Kept {
    fn note<T>(&self, request: &Request<T>) {
        let authorization = request.metadata().get("authorization");
        let authorization = authorization.map_or("", |value| value.to_str().unwrap());
        self.0
            .lock()
            .unwrap()
            .authorizations
            .push(authorization.to_owned());
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.note(&request);
        let mut taken = self.0.lock().unwrap();
        for of_resource in request.into_inner().resource_spans {
            taken.resource = of_resource.resource.unwrap_or_default().attributes;
            for of_scope in of_resource.scope_spans {
                taken.spans.extend(of_scope.spans);
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Kept {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.note(&request);
        let of_resources = request.into_inner().resource_metrics.into_iter();
        let of_scopes = of_resources.flat_map(|of_resource| of_resource.scope_metrics);
        self.0.lock().unwrap().metrics = of_scopes.flat_map(|of_scope| of_scope.metrics).collect();
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
