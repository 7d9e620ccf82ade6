//! The gRPC server: all services behind the gate, on the network and on the pipe.

use std::sync::Arc;
use std::time::Duration;

use penstock_proto::sync::v1::config_sync_service_server::ConfigSyncServiceServer;
use penstock_proto::telemetry::v1::telemetry_service_server::TelemetryServiceServer;
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::{Server, ServerTlsConfig};

use crate::access::audit::record;
use crate::access::{Gate, check};
use crate::admin;
use crate::context::Context;
use crate::incoming::incoming;
use crate::pipe::PipeListener;
use crate::startup::Fault;
use crate::streams::Streams;
use crate::sync::ConfigSync;
use crate::telemetry::Telemetry;

/// A peer that does not answer a ping for as long as this, after this long without a sign of it, is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Streams of one connection. A node needs two, an operator few.
const MAX_STREAMS: u32 = 200;
/// What may be on its way from a node: two batches of usage of the largest size.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// All services, each call checked.
pub(crate) fn routes(
    context: &Context,
    streams: &Streams,
    lifetime: Duration,
    gate: Gate,
) -> Result<Routes, Fault> {
    let sync = ConfigSync::new(context.clone(), streams.clone(), lifetime);
    let telemetry = Telemetry::new(context.clone(), streams.clone());
    // The overall status is SERVING for as long as it is asked.
    let (_, health) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(penstock_proto::DESCRIPTORS)
        .build_v1()?;
    let services = admin::routes(context, streams)
        .add_service(ConfigSyncServiceServer::new(sync))
        .add_service(TelemetryServiceServer::new(telemetry))
        .add_service(health)
        .add_service(reflection);
    // The last layer is the outermost: what the gate lets through is audited.
    let audit = Arc::clone(&gate.audit);
    let checked = services
        .into_axum_router()
        .layer(axum::middleware::from_fn_with_state(audit, record))
        .layer(axum::middleware::from_fn_with_state(gate, check));
    Ok(Routes::from(checked))
}

/// A server for the network. Fails when the TLS files do not fit together.
pub(crate) fn network_server(tls: Option<ServerTlsConfig>) -> Result<Server, Fault> {
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .max_concurrent_streams(MAX_STREAMS);
    match tls {
        Some(tls) => server.tls_config(tls).map_err(Fault::Tls),
        None => Ok(server),
    }
}

/// Serves the network until told to stop and until the calls under way have ended.
pub(crate) async fn serve_network(
    mut server: Server,
    routes: Routes,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), Fault> {
    let router = server.add_routes(routes);
    let served = router.serve_with_incoming_shutdown(incoming(listener), stop.cancelled_owned());
    served.await.map_err(Fault::Grpc)
}

/// Serves the pipe likewise.
pub(crate) async fn serve_pipe(
    routes: Routes,
    pipe: PipeListener,
    stop: CancellationToken,
) -> Result<(), Fault> {
    let incoming = ReceiverStream::new(pipe.0).map(Ok::<_, std::io::Error>);
    // When every connector is gone, nobody can come; the task stays until it is told to stop, as the others do.
    let incoming = incoming.chain(tokio_stream::pending());
    let router = Server::builder().add_routes(routes);
    let served = router.serve_with_incoming_shutdown(incoming, stop.cancelled_owned());
    served.await.map_err(Fault::Grpc)
}
