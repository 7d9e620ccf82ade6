//! The two planes in this process, joined by a pipe.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use penstock_control_plane::config::{AccessArgs, DatabaseArgs, MasterKeyArgs, TlsArgs};
use penstock_control_plane::pipe::{PipeConnector, pipe};
use penstock_control_plane::{Config, Fault, Listeners};
use penstock_data_plane::config::{NodeArgs, SealKey, Settings};
use penstock_data_plane::link::Link;
use penstock_data_plane::run::RunError;
use penstock_proto::admin::v1 as admin;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use super::Args;
use super::home::Home;
use crate::failure::Failure;

const STREAM_LIFETIME: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(20);

/// Both planes under way.
#[derive(Debug)]
pub(crate) struct Running {
    grpc: SocketAddr,
    console: SocketAddr,
    traffic: SocketAddr,
    admin: SocketAddr,
    connector: PipeConnector,
    live: CancellationToken,
    /// A plane has ended.
    ending: CancellationToken,
    planes: Mutex<JoinSet<Result<(), Ended>>>,
    shutdown: CancellationToken,
}

/// Why a plane stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error(transparent)]
    ControlPlane(#[from] Fault),
    #[error(transparent)]
    DataPlane(#[from] RunError),
}

/// Binds all ports, then starts both planes. The control plane outlives the data plane, which has usage to report.
pub(crate) async fn start(
    args: &Args,
    home: &Home,
    shutdown: &CancellationToken,
) -> Result<Running, Failure> {
    let bind = penstock_control_plane::startup::bind;
    let grpc = bind("--listen-grpc", args.listen.listen_grpc)
        .await
        .map_err(Failure::other)?;
    let console = bind("--listen-console", args.listen.listen_console)
        .await
        .map_err(Failure::other)?;
    let mut traffic = penstock_data_plane::run::Listeners::bind(&args.traffic)
        .await
        .map_err(Failure::other)?;
    let settings = settings(args, home)?;
    let (connector, pipe) = pipe();
    let live = CancellationToken::new();
    traffic.live_after = Some(live.clone());
    let address = |listener: &tokio::net::TcpListener| listener.local_addr().map_err(Failure::other);
    let mut running = Running {
        grpc: address(&grpc)?,
        console: address(&console)?,
        traffic: address(&traffic.traffic)?,
        admin: address(&traffic.admin)?,
        connector: connector.clone(),
        live: live.clone(),
        ending: CancellationToken::new(),
        planes: Mutex::new(JoinSet::new()),
        shutdown: shutdown.clone(),
    };
    let data_plane_gone = CancellationToken::new();
    let listeners = Listeners {
        grpc: Some(grpc),
        console: Some(console),
        pipe: Some(pipe),
        live_after: Some(live.clone()),
    };
    let control = penstock_control_plane::run(control_plane(args, home), listeners, data_plane_gone.clone());
    let link = Link::memory(Arc::new(move || {
        let connector = connector.clone();
        Box::pin(async move { connector.connect().await })
    }));
    let stop = shutdown.child_token();
    let data = async move {
        let ended = penstock_data_plane::run::run(settings, link, traffic, stop).await;
        data_plane_gone.cancel();
        ended
    };
    let planes = running.planes.get_mut().unwrap_or_else(PoisonError::into_inner);
    let (guard, other) = (
        running.ending.clone().drop_guard(),
        running.ending.clone().drop_guard(),
    );
    planes.spawn(async move {
        let _guard = guard;
        Ok(control.await?)
    });
    planes.spawn(async move {
        let _guard = other;
        Ok(data.await?)
    });
    Ok(running)
}

impl Running {
    /// Waits until the data plane runs the newest revision. False when a plane has ended or is told to.
    pub(crate) async fn ready(&self) -> Result<bool, Failure> {
        let connected = async {
            let mut fleet = admin::fleet_service_client::FleetServiceClient::new(self.channel().await?);
            loop {
                let nodes = fleet.list_nodes(admin::ListNodesRequest {}).await?.into_inner();
                if nodes
                    .nodes
                    .iter()
                    .any(|node| node.connected && node.revision == nodes.head)
                {
                    return Ok(true);
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            ready = connected => ready,
            () = self.shutdown.cancelled() => Ok(false),
            // Why is what `ended` returns.
            () = self.ending.cancelled() => Ok(false),
        }
    }

    /// Lets health say that this process is live, once the data plane runs the newest revision.
    pub(crate) async fn live(&self) -> Result<(), Failure> {
        if self.ready().await? {
            self.live.cancel();
        }
        Ok(())
    }

    /// Waits until both planes have ended. When one fails, the other is told to end.
    pub(crate) async fn ended(&self) -> Result<(), Failure> {
        let mut planes = std::mem::take(&mut *self.planes.lock().unwrap_or_else(PoisonError::into_inner));
        let mut first = Ok(());
        while let Some(ended) = planes.join_next().await {
            self.shutdown.cancel();
            let ended = result(ended);
            first = first.and(ended);
        }
        first
    }

    /// To the control plane, through the pipe.
    pub(crate) async fn channel(&self) -> Result<Channel, Failure> {
        let connector = self.connector.clone();
        let connect = tower::service_fn(move |_| {
            let connector = connector.clone();
            async move { connector.connect().await.map(TokioIo::new) }
        });
        // The address is a name only; the connector decides.
        let endpoint = Endpoint::from_static("http://penstock.in.memory");
        endpoint
            .connect_with_connector(connect)
            .await
            .map_err(Failure::other)
    }

    pub(crate) fn server(&self) -> String {
        format!("http://{}", self.grpc)
    }

    pub(crate) fn console_url(&self) -> String {
        format!("http://{}", self.console)
    }

    pub(crate) fn traffic_url(&self) -> String {
        format!("http://{}", self.traffic)
    }

    pub(crate) fn admin_url(&self) -> String {
        format!("http://{}", self.admin)
    }
}

fn result(ended: Result<Result<(), Ended>, tokio::task::JoinError>) -> Result<(), Failure> {
    ended.map_err(Failure::other)?.map_err(Failure::other)
}

fn control_plane(args: &Args, home: &Home) -> Config {
    Config {
        listen: args.listen.clone(),
        database: DatabaseArgs {
            database_url: Some(home.database_url()),
            auto_migrate: true,
        },
        access: AccessArgs {
            admin_token: Some(home.admin_token.clone()),
            ..AccessArgs::default()
        },
        master_key: MasterKeyArgs {
            master_key_file: Some(home.master_key_file.clone()),
            master_key: None,
            other_master_key_file: args.other_master_key_file.clone(),
        },
        tls: TlsArgs::default(),
        trust: args.trust.clone(),
        data_dir: Some(home.path.clone()),
        log_level: args.log_level.clone(),
        log: args.log.clone(),
        stream_lifetime: STREAM_LIFETIME,
        name: Some("up".to_owned()),
    }
}

fn settings(args: &Args, home: &Home) -> Result<Settings, Failure> {
    let node = NodeArgs {
        data_dir: home.node_dir(),
        node_id: Some("up".to_owned()),
        zone: String::new(),
        seal_key_file: None,
    };
    let seal_key = SealKey::new("master key", home.seal_key()?);
    Settings::from_parts(&node, &args.traffic, Some(seal_key)).map_err(Failure::other)
}
