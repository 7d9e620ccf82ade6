//! Accepting connections and ending them.
//!
//! Two signals: `stop` closes the door and lets running answers finish, `kill` drops every connection at once.
//! Every task, those that hyper starts for HTTP/2 streams too, is tracked, so both can be waited for.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::respond::{App, respond};
use crate::socket::{ResetFlag, Socket};

/// More connections than this wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 20_000;
/// A connection without a request for so long is closed.
const IDLE: Duration = Duration::from_secs(75);
/// After a failed accept (no file descriptors left, as a rule).
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The signals and the tasks that obey them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle {
    pub(crate) stop: CancellationToken,
    pub(crate) kill: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl<F> Executor<F> for Lifecycle
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        let kill = self.kill.clone();
        self.tasks
            .spawn(async move { kill.run_until_cancelled(task).await });
    }
}

/// Accepts until told to stop.
pub(crate) async fn serve(listener: TcpListener, app: Arc<App>, life: Lifecycle) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = life.stop.cancelled() => return,
            () = life.kill.cancelled() => return,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        let (app, life) = (Arc::clone(&app), life.clone());
        life.tasks.clone().spawn(async move {
            connection(stream, app, &life).await;
            drop(place);
        });
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection was not accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connection(stream: TcpStream, app: Arc<App>, life: &Lifecycle) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "events may arrive late: TCP_NODELAY was refused");
    }
    let reset = ResetFlag::default();
    let max_streams = app.max_streams;
    let io = TokioIo::new(Socket::new(stream, reset.clone()));
    let service = service_fn(move |request| respond(Arc::clone(&app), reset.clone(), request));
    let mut builder = auto::Builder::new(life.clone());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(max_streams);
    let mut connection = pin!(builder.serve_connection(io, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = life.kill.cancelled() => return,
        () = life.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = life.kill.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
