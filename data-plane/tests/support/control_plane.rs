//! A control plane whose every step the test takes: it waits for a stream, sends what it wants, reads what came.
//!
//! Nodes connect through memory or over TCP. What is expected and does not come within a minute (of the test's clock)
//! fails the test.

mod streams;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use penstock_data_plane::link::Connector;
use penstock_proto::sync::v1::config_sync_service_server::{ConfigSyncService, ConfigSyncServiceServer};
use penstock_proto::sync::v1::{SyncRequest, SyncResponse};
use penstock_proto::telemetry::v1::telemetry_service_server::{TelemetryService, TelemetryServiceServer};
use penstock_proto::telemetry::v1::{
    BaselineAnswer, BaselineQuestion, BaselineRequest, BaselineResponse, ReportRequest, ReportResponse, Spend,
};
use tokio::io::DuplexStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_stream::Stream;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};

pub(crate) use streams::{ReportStream, SyncStream};

type Outbound<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// See the module. Dropping it ends its servers.
pub(crate) struct FakeControlPlane {
    service: Service,
    syncs: Mutex<mpsc::Receiver<SyncStream>>,
    reports: Mutex<mpsc::Receiver<ReportStream>>,
    pipes: mpsc::Sender<std::io::Result<DuplexStream>>,
    servers: JoinSet<()>,
}

#[derive(Clone)]
struct Service {
    syncs: mpsc::Sender<SyncStream>,
    reports: mpsc::Sender<ReportStream>,
    token: Option<&'static str>,
    refused: Arc<AtomicUsize>,
}

impl FakeControlPlane {
    pub(crate) fn start() -> Self {
        Self::asking_for(None)
    }

    /// Nodes must present this token.
    pub(crate) fn with_token(token: &'static str) -> Self {
        Self::asking_for(Some(token))
    }

    fn asking_for(token: Option<&'static str>) -> Self {
        let (syncs_in, syncs) = mpsc::channel(16);
        let (reports_in, reports) = mpsc::channel(16);
        let (pipes, accepted) = mpsc::channel(16);
        let service = Service {
            syncs: syncs_in,
            reports: reports_in,
            token,
            refused: Arc::default(),
        };
        let mut servers = JoinSet::new();
        let serving = server(&service, None).serve_with_incoming(ReceiverStream::new(accepted));
        servers.spawn(async move { serving.await.unwrap() });
        Self {
            service,
            syncs: Mutex::new(syncs),
            reports: Mutex::new(reports),
            pipes,
            servers,
        }
    }

    /// Connections through memory.
    pub(crate) fn connector(&self) -> Connector {
        let pipes = self.pipes.clone();
        Arc::new(move || {
            let pipes = pipes.clone();
            Box::pin(async move {
                let (ours, theirs) = tokio::io::duplex(64 * 1024);
                let gone = |_| std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                pipes.send(Ok(theirs)).await.map_err(gone)?;
                Ok(ours)
            })
        })
    }

    /// Serves TCP too; gives the port.
    pub(crate) async fn listen(&mut self, tls: Option<ServerTlsConfig>) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = server(&self.service, tls).serve_with_incoming(TcpListenerStream::new(listener));
        self.servers.spawn(async move { serving.await.unwrap() });
        port
    }

    /// The next config stream that a node opens.
    pub(crate) async fn sync(&self) -> SyncStream {
        within("a config stream", self.syncs.lock().await.recv())
            .await
            .unwrap()
    }

    /// The next telemetry stream that a node opens.
    pub(crate) async fn report(&self) -> ReportStream {
        within("a telemetry stream", self.reports.lock().await.recv())
            .await
            .unwrap()
    }

    /// Streams that were turned away.
    pub(crate) fn refused(&self) -> usize {
        self.service.refused.load(Ordering::Relaxed)
    }
}

fn server(service: &Service, tls: Option<ServerTlsConfig>) -> tonic::transport::server::Router {
    let mut server = Server::builder();
    if let Some(tls) = tls {
        server = server.tls_config(tls).unwrap();
    }
    server
        .add_service(ConfigSyncServiceServer::new(service.clone()))
        .add_service(TelemetryServiceServer::new(service.clone()))
}

impl Service {
    fn check<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let Some(token) = self.token else {
            return Ok(());
        };
        let presented = request
            .metadata()
            .get("authorization")
            .and_then(|v| v.to_str().ok());
        if presented == Some(format!("Bearer {token}").as_str()) {
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Status::unauthenticated("the node token is not accepted"))
    }
}

#[tonic::async_trait]
impl ConfigSyncService for Service {
    type SyncStream = Outbound<SyncResponse>;

    async fn sync(
        &self,
        request: Request<Streaming<SyncRequest>>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        self.check(&request)?;
        let (stream, outbound) = SyncStream::new(request.into_inner());
        self.syncs
            .send(stream)
            .await
            .map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(Box::pin(ReceiverStream::new(outbound))))
    }
}

#[tonic::async_trait]
impl TelemetryService for Service {
    type ReportStream = Outbound<ReportResponse>;

    async fn report(
        &self,
        request: Request<Streaming<ReportRequest>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        self.check(&request)?;
        let (stream, outbound) = ReportStream::new(request.into_inner());
        self.reports
            .send(stream)
            .await
            .map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(Box::pin(ReceiverStream::new(outbound))))
    }

    /// The ledger of these tests is empty.
    async fn baseline(
        &self,
        request: Request<BaselineRequest>,
    ) -> Result<Response<BaselineResponse>, Status> {
        self.check(&request)?;
        let answer = |question: BaselineQuestion| BaselineAnswer {
            spends: question.spans.iter().map(|_| Spend::default()).collect(),
        };
        Ok(Response::new(BaselineResponse {
            answers: request.into_inner().questions.into_iter().map(answer).collect(),
            marks: Vec::new(),
        }))
    }
}

/// Fails the test when it does not happen.
pub(crate) async fn within<T>(what: &str, happening: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), happening).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come"),
    }
}
