//! The life of a data plane, from its claim to the data directory to the last acknowledged record.
//!
//! Start: claim the directory, open the spool (which turns calls that a crash cut into records), load the last known
//! good configuration, then serve. Callers who come before a snapshot is in force get 503 and `retry-after`: a queue
//! that hides them would look like a hang.
//!
//! Shutdown, in this order: readiness off, stop accepting, let calls under way end (at most the drain timeout), close
//! the upstream connections, deliver what is in the spool (at most [`FLUSH`]), close the streams to the control plane.
//! The config stream and the admin port go on during the drain. Every task is waited for.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::{ConfigError, Settings, TrafficArgs};
use crate::drain::Drained;
use crate::link::{Link, LinkError};
use crate::node::{DataDir, DataDirError};
use crate::proxy::{Proxy, TlsError};
use crate::snapshot::{Follower, LastKnownGood};
use crate::telemetry::otlp::export;
use crate::telemetry::reports::ReportQueue;
use crate::telemetry::spool::{Spool, SpoolOpenError, SpoolOptions};
use crate::telemetry::uplink::{Finish, Uplink};
use crate::{admin, fleet_node, limits, open_files, probe};

/// For delivering usage after the drain; what is left stays on disk.
const FLUSH: Duration = Duration::from_secs(10);

/// The ports, already open, so that a taken one is known before anything else begins.
#[derive(Debug)]
pub struct Listeners {
    pub traffic: TcpListener,
    pub admin: TcpListener,
    /// `/health/live` answers 503 until this is cancelled. For a process that is more than its data plane.
    pub live_after: Option<CancellationToken>,
}

/// A start that failed. The text is for the operator, with the fix.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Spool(#[from] SpoolOpenError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("a part of the data plane panicked; its log says which. Start it again, and report the panic")]
    Panicked,
    #[error("opening the data directory failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A data plane that is open and about to serve.
#[expect(
    missing_debug_implementations,
    reason = "holds the settings with their secrets"
)]
pub struct DataPlane {
    app: Arc<App>,
    proxy: Arc<Proxy>,
    link: Arc<Link>,
    file: LastKnownGood,
    reports: ReportQueue,
    directory: DataDir,
}

impl Listeners {
    /// Opens both ports.
    pub async fn bind(traffic: &TrafficArgs) -> Result<Self, ConfigError> {
        let open = async |flag, address| {
            let bound = TcpListener::bind(address).await;
            bound.map_err(|source| ConfigError::listen(flag, address, source))
        };
        Ok(Self {
            traffic: open("--listen", traffic.listen).await?,
            admin: open("--listen-admin", traffic.listen_admin).await?,
            live_after: None,
        })
    }
}

/// Runs a data plane until `shutdown` and everything after it is done. Installs no globals: several can run in one
/// process, each with its own data directory.
pub async fn run(
    settings: Settings,
    link: Link,
    listeners: Listeners,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let opened = tokio::task::spawn_blocking(move || DataPlane::open(settings, link)).await;
    opened??.serve(listeners, shutdown).await
}

impl DataPlane {
    /// Claims the data directory and reads what it holds. Blocks on the disk.
    pub fn open(settings: Settings, link: Link) -> Result<Self, RunError> {
        let directory = DataDir::claim(&settings.node.data_dir)?;
        let node_id = directory.node_id(settings.node.node_id.as_deref())?;
        let options = SpoolOptions {
            max_bytes: settings.traffic.spool_max_bytes,
            when_full: settings.traffic.spool_full,
        };
        let spool = Spool::open(&directory.path().join("spool"), options)?;
        let mut file = LastKnownGood::new(directory.path(), settings.seal_key.as_ref());
        let (app, reports) = App::new(settings, node_id, spool)?;
        if let Some(loaded) = file.load() {
            tracing::info!(
                revision = loaded.snapshot.revision(),
                saved_at = %loaded.saved_at,
                "the last known good configuration is in force until the control plane is reached"
            );
            penstock_log::set_filter(|own| loaded.snapshot.logging().filter(own));
            app.live.store(Arc::new(loaded.snapshot));
            app.sync.loaded(loaded.saved_at);
            app.ready.set();
        }
        let app = Arc::new(app);
        Ok(Self {
            proxy: Proxy::new(Arc::clone(&app))?,
            app,
            link: Arc::new(link),
            file,
            reports,
            directory,
        })
    }

    /// What its parts share; for whoever runs it in the same process and waits until it is ready.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Serves until `shutdown`, then leaves in the order that the module describes.
    ///
    /// A part that panics ends the data plane in the same order, with an error: without its uplink or its follower it
    /// would go on looking well while usage piles up or revocations do not arrive.
    pub async fn serve(self, listeners: Listeners, shutdown: CancellationToken) -> Result<(), RunError> {
        say_start(&self, &listeners);
        let Self {
            app,
            proxy,
            link,
            file,
            reports,
            directory,
        } = self;
        let (stop, finish) = (CancellationToken::new(), Finish::default());
        let failed = CancellationToken::new();
        let mut traffic = one(&failed, Arc::clone(&proxy).serve(listeners.traffic));
        let follow = Follower::new(Arc::clone(&app), Arc::clone(&link), file).run(stop.clone());
        let mut follower = one(&failed, follow);
        let report = Uplink::new(Arc::clone(&app), Arc::clone(&link), reports).run(finish.clone());
        let mut uplink = one(&failed, report);
        let admin = admin::serve(
            Arc::clone(&app),
            listeners.admin,
            listeners.live_after,
            stop.clone(),
        );
        let mut background = one(&failed, admin);
        app.fleet.join(fleet_node::join(&app, &link));
        background.spawn(watched(&failed, Arc::clone(&app.fleet).run(stop.clone())));
        background.spawn(watched(
            &failed,
            limits::say_switched_off(Arc::clone(&app), stop.clone()),
        ));
        background.spawn(watched(
            &failed,
            probe::run(Arc::clone(&app), Arc::clone(&proxy), stop.clone()),
        ));
        background.spawn(watched(
            &failed,
            fleet_node::say_waiting(Arc::clone(&app), stop.clone()),
        ));
        background.spawn(watched(&failed, export::run(Arc::clone(&app), stop.clone())));

        tokio::select! {
            () = shutdown.cancelled() => {}
            () = failed.cancelled() => tracing::error!("a part of the data plane panicked; ending, to be started anew"),
        }
        drain(&app).await;
        join(&mut traffic).await;
        proxy.close().await;
        finish.flush.cancel();
        // Whether or not everything was delivered in time.
        drop(tokio::time::timeout(FLUSH, join(&mut uplink)).await);
        finish.stop.cancel();
        join(&mut uplink).await;
        stop.cancel();
        join(&mut follower).await;
        join(&mut background).await;
        link.close().await;
        sync_spool(&app).await;
        tracing::info!(waiting = app.spool.status().records, "stopped");
        drop(directory);
        if failed.is_cancelled() {
            return Err(RunError::Panicked);
        }
        Ok(())
    }
}

fn one(failed: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(watched(failed, task));
    tasks
}

/// Cancels the token when the task panics.
fn watched<T>(
    failed: &CancellationToken,
    task: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send + 'static {
    let guard = PanicGuard(failed.clone());
    async move {
        let _guard = guard;
        task.await
    }
}

struct PanicGuard(CancellationToken);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}

async fn drain(app: &App) {
    let settings = app.config.drain;
    tracing::info!(
        in_flight = app.metrics.requests_in_flight(),
        "shutting down: finishing what is under way"
    );
    match app.drain.run(settings.delay, settings.timeout).await {
        Drained::Whole => {}
        Drained::Cut(connections) => {
            tracing::warn!(connections, "the drain timeout has passed; connections were cut")
        }
    }
}

async fn sync_spool(app: &App) {
    let spool = Arc::clone(&app.spool);
    let synced = tokio::task::spawn_blocking(move || spool.sync()).await;
    if !matches!(synced, Ok(Ok(()))) {
        tracing::warn!("the usage spool could not be synced to the disk");
    }
}

/// A task that panicked has said so; the others still end in order.
async fn join(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a task of the data plane failed");
        }
    }
}

fn say_start(plane: &DataPlane, listeners: &Listeners) {
    let app = &plane.app;
    open_files::warn_if_short(app.config.traffic.max_connections);
    let address = |listener: &TcpListener| listener.local_addr().map(|a| a.to_string()).unwrap_or_default();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        node = &*app.node_id,
        listen = address(&listeners.traffic),
        listen_admin = address(&listeners.admin),
        control_plane = plane.link.describe(),
        data_dir = %plane.directory.path().display(),
        redis = app.fleet.state().as_str(),
        otlp = app.otlp.is_some(),
        last_known_good = app.config.seal_key.is_some(),
        spool_full = ?app.config.traffic.spool_full,
        trusted_proxies = app.config.traffic.trusted_proxies.len(),
        ready = app.ready.is_set(),
        "data plane started"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_is_noticed_and_one_that_ends_is_not() {
        let failed = CancellationToken::new();
        join(&mut one(&failed, async {})).await;
        assert!(!failed.is_cancelled());
        join(&mut one(&failed, async { panic!("for the test") })).await;
        assert!(failed.is_cancelled());
    }
}
