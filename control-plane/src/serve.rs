//! A started control plane: its tasks, and the order in which they end.
//!
//! Shutdown (behaviour G16): readiness goes off; no new connections; streams of nodes end with OK, so that they connect to
//! another replica; calls under way finish, up to [`DRAIN`]; the last state of the nodes is written; the store closes.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::access::Gate;
use crate::clock;
use crate::console::{self, Lifecycle};
use crate::context::Context;
use crate::pipe::PipeListener;
use crate::startup::Fault;
use crate::streams::Streams;
use crate::{access, alerts, fleet_states, grpc, index, logging, nodes, retention, sync, tokens};

/// Calls under way have so long to finish.
const DRAIN: Duration = Duration::from_secs(10);

/// What runs besides: a token that is being obtained is worth waiting for.
const FINISH: Duration = Duration::from_secs(20);

/// Partitions of the ledger are made well ahead of their month, and what was spent by minute is kept for its time.
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
#[derive(Default)]
struct Stops {
    /// Readiness.
    stopping: CancellationToken,
    /// gRPC.
    servers: CancellationToken,
    /// Everything else, after the last stream: followers, the registry's writer, the console, which answers until then.
    rest: CancellationToken,
}

/// Serves until shutdown, or until a part fails.
pub(crate) async fn serve(started: Started, shutdown: CancellationToken) -> Result<(), Fault> {
    let context = started.context.clone();
    let (streams, stops) = (Streams::default(), Stops::default());
    let mut tasks = JoinSet::new();
    let result = match spawn(&mut tasks, started, &streams, &stops) {
        Ok(()) => tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            Some(ended) = tasks.join_next() => Err(unexpected(ended)),
        },
        Err(fault) => Err(fault),
    };
    tracing::info!("stopping: data planes connect to other replicas, calls under way finish");
    stops.stopping.cancel();
    stops.servers.cancel();
    if !streams.close(DRAIN).await {
        tracing::warn!("some streams did not end in time");
    }
    stops.rest.cancel();
    if tokio::time::timeout(FINISH, join(&mut tasks)).await.is_err() {
        tracing::warn!("some calls did not finish in time and are cut off");
        tasks.shutdown().await;
    }
    context.store.close().await;
    result
}

/// Before shutdown no task ends unless something is wrong.
fn unexpected(ended: Result<Result<(), Fault>, JoinError>) -> Fault {
    match ended.map_err(Fault::Task).flatten() {
        Ok(()) => Fault::Ended,
        Err(fault) => fault,
    }
}

fn spawn(
    tasks: &mut JoinSet<Result<(), Fault>>,
    started: Started,
    streams: &Streams,
    stops: &Stops,
) -> Result<(), Fault> {
    let (context, rest) = (started.context, &stops.rest);
    let routes = grpc::routes(&context, streams, started.stream_lifetime, started.gate)?;
    if let Some(pipe) = started.pipe {
        tasks.spawn(grpc::serve_pipe(routes.clone(), pipe, stops.servers.clone()));
    }
    let network = grpc::serve_network(started.server, routes, started.grpc, stops.servers.clone());
    tasks.spawn(network);
    let (index, nodes, metrics) = (&context.index, &context.nodes, &context.metrics);
    let follow = index::follow(Arc::clone(index), Arc::clone(&context.store), rest.clone());
    tasks.spawn(finished(follow));
    let store = Arc::clone(&context.store);
    let persist = nodes::persist(Arc::clone(nodes), store, Arc::clone(metrics), rest.clone());
    tasks.spawn(finished(persist));
    tasks.spawn(finished(fleet_states::follow(context.clone(), rest.clone())));
    tasks.spawn(finished(sync::carry(context.clone(), rest.clone())));
    tasks.spawn(finished(tokens::follow(context.clone(), rest.clone())));
    tasks.spawn(finished(alerts::follow(context.clone(), rest.clone())));
    let operators = Arc::clone(&context.operators);
    tasks.spawn(finished(access::operators::follow(operators, rest.clone())));
    tasks.spawn(finished(logging::follow(Arc::clone(index), rest.clone())));
    tasks.spawn(finished(care_for_ledger(context.clone(), rest.clone())));
    tasks.spawn(finished(retention::follow(context.clone(), rest.clone())));
    let lifecycle = Lifecycle {
        live_after: started.live_after,
        stopping: stops.stopping.clone(),
    };
    let console = axum::serve(started.console, console::router(context, lifecycle));
    let console = console.with_graceful_shutdown(rest.clone().cancelled_owned());
    tasks.spawn(async move { console.await.map_err(Fault::Console) });
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
        match context.store.fold_spend(clock::now()).await {
            Ok(minutes) => tracing::debug!(minutes, "old minutes of spend are summed up to days"),
            Err(error) => {
                tracing::warn!(%error, "old minutes of spend are summed up later; sums are right meanwhile");
            }
        }
    }
}
