//! A started control plane: its tasks, and the order in which they end.
//!
//! Shutdown (behaviour G16): readiness goes off; no new connections; streams of nodes end with OK, so that they connect to
//! another replica; calls under way finish, up to [`DRAIN`]; the last state of the nodes is written; the store closes.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::access::Gate;
use crate::clock;
use crate::console::{self, Lifecycle};
use crate::context::Context;
use crate::pipe::PipeListener;
use crate::startup::Fault;
use crate::streams::Streams;
use crate::{grpc, index, nodes};

/// Calls under way have so long to finish.
const DRAIN: Duration = Duration::from_secs(10);

/// Partitions of the ledger are made well ahead of their month.
const LEDGER_CARE: Duration = Duration::from_secs(6 * 3600);

/// Everything that [`serve`] needs.
pub(crate) struct Started {
    pub(crate) context: Context,
    pub(crate) gate: Gate,
    pub(crate) server: Server,
    pub(crate) grpc: TcpListener,
    pub(crate) console: TcpListener,
    pub(crate) pipe: Option<PipeListener>,
    pub(crate) live_after: CancellationToken,
    pub(crate) stream_lifetime: Duration,
}

/// What stops when.
struct Stops {
    /// gRPC.
    servers: CancellationToken,
    /// Followers and the console, which go on answering while servers stop.
    rest: CancellationToken,
    /// The registry's writer, after the last stream.
    last: CancellationToken,
}

/// Serves until shutdown, or until a part fails.
pub(crate) async fn serve(started: Started, shutdown: CancellationToken) -> Result<(), Fault> {
    let context = started.context.clone();
    let streams = Streams::default();
    let stops = Stops {
        servers: CancellationToken::new(),
        rest: CancellationToken::new(),
        last: CancellationToken::new(),
    };
    let stopping = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let spawned = spawn(&mut tasks, started, &streams, &stops, &stopping);
    let result = match spawned {
        Ok(()) => tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            // Before shutdown no task ends unless something is wrong.
            Some(ended) = tasks.join_next() => ended.map_err(Fault::Task).flatten(),
        },
        Err(fault) => Err(fault),
    };
    tracing::info!("stopping: data planes connect to other replicas, calls under way finish");
    stopping.cancel();
    stops.servers.cancel();
    if !streams.close(DRAIN).await {
        tracing::warn!("some streams did not end in time");
    }
    stops.rest.cancel();
    stops.last.cancel();
    if tokio::time::timeout(DRAIN, join(&mut tasks)).await.is_err() {
        tracing::warn!("some calls did not finish in time and are cut off");
        tasks.shutdown().await;
    }
    context.store.close().await;
    result
}

fn spawn(
    tasks: &mut JoinSet<Result<(), Fault>>,
    started: Started,
    streams: &Streams,
    stops: &Stops,
    stopping: &CancellationToken,
) -> Result<(), Fault> {
    let Started {
        context,
        gate,
        server,
        grpc,
        console,
        pipe,
        live_after,
        stream_lifetime,
    } = started;
    let routes = grpc::routes(&context, streams, stream_lifetime, gate)?;
    tasks.spawn(grpc::serve_network(
        server,
        routes.clone(),
        grpc,
        stops.servers.clone(),
    ));
    if let Some(pipe) = pipe {
        tasks.spawn(grpc::serve_pipe(routes, pipe, stops.servers.clone()));
    }
    let follow = index::follow(
        Arc::clone(&context.index),
        Arc::clone(&context.store),
        stops.rest.clone(),
    );
    tasks.spawn(finished(follow));
    tasks.spawn(finished(care_for_ledger(context.clone(), stops.rest.clone())));
    let (nodes, store, metrics) = (
        context.nodes.clone(),
        context.store.clone(),
        context.metrics.clone(),
    );
    tasks.spawn(finished(nodes::persist(
        nodes,
        store,
        metrics,
        stops.last.clone(),
    )));
    let lifecycle = Lifecycle {
        live_after,
        stopping: stopping.clone(),
    };
    let stop = stops.rest.clone();
    tasks.spawn(async move {
        let served = axum::serve(console, console::router(context, lifecycle));
        served
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
            .map_err(Fault::Console)
    });
    Ok(())
}

async fn finished(task: impl Future<Output = ()>) -> Result<(), Fault> {
    task.await;
    Ok(())
}

async fn join(tasks: &mut JoinSet<Result<(), Fault>>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(fault) = ended.map_err(Fault::Task).flatten() {
            tracing::error!(%fault, "a part failed while stopping");
        }
    }
}

async fn care_for_ledger(context: Context, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LEDGER_CARE) => {}
        }
        if let Err(error) = context.store.prepare_ledger(clock::now()).await {
            tracing::warn!(%error, "the ledger's next partitions are made later; nothing is lost meanwhile");
        }
    }
}
