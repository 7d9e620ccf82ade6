//! Health and metrics, on a port of their own.
//!
//! | path | answer |
//! |---|---|
//! | `/health/live` | 200 while the process answers at all; before that 503 where it is told to wait |
//! | `/health/ready` | 200 once a snapshot is in force and until the drain begins, else 503 |
//! | `/health` | the node's state as JSON; 200 `ok` or `degraded`, 503 when it cannot serve |
//! | `/metrics` | text for Prometheus |
//!
//! Nothing here needs a credential and nothing here shows one, nor anything that callers sent. The port answers until
//! the very end of a drain, so that it can be watched.

mod health;
mod routes;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;

const MAX_CONNECTIONS: usize = 64;
const HEADERS: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the answers are about.
#[derive(Clone)]
struct Served {
    app: Arc<App>,
    live_after: Option<CancellationToken>,
}

/// Serves until shutdown; then connections end with what they are answering.
pub(crate) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    live_after: Option<CancellationToken>,
    shutdown: CancellationToken,
) {
    let served = Served { app, live_after };
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    let accepting = async {
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (served, shutdown) = (served.clone(), shutdown.clone());
                    connections.spawn(async move {
                        connection(served, stream, shutdown).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the admin port could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    shutdown.run_until_cancelled(accepting).await;
    connections.close();
    connections.wait().await;
}

async fn connection(served: Served, stream: TcpStream, shutdown: CancellationToken) {
    let service = service_fn(move |request| {
        let answer = routes::answer(&served, &request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut serving = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            match tokio::time::timeout(HEADERS, serving).await {
                Ok(ended) => ended,
                Err(_) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the admin port broke");
    }
}
