//! A control plane under test: started in this process, on free ports, with its database in a directory of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use penstock_control_plane::pipe::pipe;
use penstock_control_plane::store::{OpenOptions, Store, open};
use penstock_control_plane::{Config, Fault, Listeners, run};
use penstock_proto::admin::v1::user_service_client::UserServiceClient;
use penstock_proto::admin::v1::{CreateUserRequest, DeleteUserRequest, UpdateUserRequest, User};
use penstock_proto::config::v1 as config;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::PipeConnector;
use crate::node_client::{Node, with_token};

pub(crate) const ADMIN: &str = "7c1f0e5ab94d4d2c8a3e6f9b0d2c4e6a-admin";
pub(crate) const NODE: &str = "1d7e3b9a5f2c4e8d9a6b0c3f7e1d5a2b-node";

/// Nothing in a test takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the plane is started.
pub(crate) struct Start {
    args: Vec<String>,
    live_after: Option<CancellationToken>,
}

/// A running control plane. Dropped: it is stopped without being waited for.
pub(crate) struct Plane {
    pub(crate) grpc: SocketAddr,
    pub(crate) console: SocketAddr,
    pub(crate) pipe: PipeConnector,
    pub(crate) shutdown: CancellationToken,
    task: JoinSet<Result<(), Fault>>,
}

/// An empty directory for a control plane's state.
pub(crate) fn dir() -> TempDir {
    tempfile::tempdir().unwrap()
}

impl Start {
    /// With good secrets and the database in the directory.
    pub(crate) fn in_dir(dir: &Path) -> Self {
        let key = dir.join("master.key");
        let token = dir.join("node.token");
        if !key.exists() {
            penstock_control_plane::credentials::create_master_key_file(&key).unwrap();
            std::fs::write(&token, NODE).unwrap();
        }
        let args = ["penstock-control-plane", "--name", "cp-1", "--admin-token", ADMIN];
        let start = Self {
            args: args.map(str::to_owned).to_vec(),
            live_after: None,
        };
        start
            .with("--master-key-file", key)
            .with("--node-token-file", token)
            .with("--data-dir", dir)
    }

    /// A flag that is there already is replaced.
    pub(crate) fn with(mut self, flag: &str, value: impl Into<PathBuf>) -> Self {
        if let Some(position) = self.args.iter().position(|arg| arg == flag) {
            self.args.drain(position..position + 2);
        }
        self.args
            .extend([flag.to_owned(), value.into().display().to_string()]);
        self
    }

    pub(crate) fn without_admin_token(mut self) -> Self {
        self.args.retain(|arg| arg != "--admin-token" && arg != ADMIN);
        self
    }

    pub(crate) fn live_after(mut self, live_after: CancellationToken) -> Self {
        self.live_after = Some(live_after);
        self
    }

    /// Starts and waits until it answers.
    pub(crate) async fn run(self) -> Plane {
        let mut plane = self.spawn().await;
        let ready =
            async { while crate::console_client::get(plane.console, "/health/ready").await.0 != 200 {} };
        tokio::select! {
            () = ready => plane,
            Some(ended) = plane.task.join_next() => panic!("did not start: {:?}", ended.unwrap().err()),
        }
    }

    /// Starts and expects a fault. Its text.
    pub(crate) async fn fault(self) -> String {
        let mut plane = self.spawn().await;
        let ended = tokio::time::timeout(PATIENCE, plane.task.join_next())
            .await
            .expect("it started");
        ended.unwrap().unwrap().unwrap_err().to_string()
    }

    async fn spawn(self) -> Plane {
        let config = Config::try_parse_from(&self.args).unwrap();
        let (grpc, console) = (listener().await, listener().await);
        let (connector, accepting) = pipe();
        let shutdown = CancellationToken::new();
        let (grpc_addr, console_addr) = (grpc.local_addr().unwrap(), console.local_addr().unwrap());
        let listeners = Listeners {
            grpc: Some(grpc),
            console: Some(console),
            pipe: Some(accepting),
            live_after: self.live_after,
        };
        let mut task = JoinSet::new();
        task.spawn(run(config, listeners, shutdown.clone()));
        Plane {
            grpc: grpc_addr,
            console: console_addr,
            pipe: connector,
            shutdown,
            task,
        }
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

impl Plane {
    pub(crate) async fn start(dir: &TempDir) -> Self {
        Start::in_dir(dir.path()).run().await
    }

    /// Stops it in order, as a signal would.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task.join_next())
            .await
            .expect("it does not stop");
        ended.unwrap().unwrap().unwrap();
    }

    pub(crate) async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.grpc))
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    /// A node with a good token that holds nothing.
    pub(crate) async fn node(&self, id: &str) -> Node {
        Node::fresh(self.channel().await, Some(NODE), id).await.unwrap()
    }

    /// An operator creates a user.
    pub(crate) async fn create_user(&self, name: &str) -> User {
        let access = config::Access {
            enabled: true,
            ..config::Access::default()
        };
        let spec = config::User {
            limits: None,
            name: name.to_owned(),
            access: Some(access),
        };
        let request = CreateUserRequest {
            spec: Some(spec),
            change: None,
        };
        let created = self
            .users()
            .await
            .create_user(with_token(request, Some(ADMIN)))
            .await;
        created.unwrap().into_inner().user.unwrap()
    }

    /// An operator disables a user.
    pub(crate) async fn disable(&self, user: &User) {
        let mut spec = user.spec.clone().unwrap();
        spec.access.as_mut().unwrap().enabled = false;
        let request = UpdateUserRequest {
            user: user.id.clone(),
            expected_version: user.version,
            spec: Some(spec),
            change: None,
            update_mask: None,
        };
        self.users()
            .await
            .update_user(with_token(request, Some(ADMIN)))
            .await
            .unwrap();
    }

    pub(crate) async fn delete(&self, user: &User) {
        let request = DeleteUserRequest {
            user: user.id.clone(),
            expected_version: 0,
            change: None,
        };
        self.users()
            .await
            .delete_user(with_token(request, Some(ADMIN)))
            .await
            .unwrap();
    }

    async fn users(&self) -> UserServiceClient<Channel> {
        UserServiceClient::new(self.channel().await)
    }
}

/// The database of a directory, opened beside the control plane.
pub(crate) async fn store(dir: &TempDir) -> Arc<dyn Store> {
    let url = format!("sqlite:{}", dir.path().join("penstock.db").display());
    open(&OpenOptions::new(url)).await.unwrap()
}

/// Asks again until it holds.
pub(crate) async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("it never holds")
}
