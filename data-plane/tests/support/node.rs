//! A data plane in this process, on free ports, with a data directory that the test keeps.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use penstock_data_plane::app::App;
use penstock_data_plane::config::{Config, SealKey, Settings};
use penstock_data_plane::link::Link;
use penstock_data_plane::run::{DataPlane, Listeners, RunError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::control_plane::{FakeControlPlane, within};

pub(crate) struct NodeBuilder<'a> {
    directory: &'a Path,
    link: Link,
    seal_key: Option<[u8; 32]>,
    arguments: Vec<String>,
    live_after: Option<CancellationToken>,
}

pub(crate) struct Node {
    pub(crate) app: Arc<App>,
    pub(crate) traffic: SocketAddr,
    admin: SocketAddr,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl<'a> NodeBuilder<'a> {
    pub(crate) fn new(directory: &'a Path, control_plane: &FakeControlPlane) -> Self {
        Self::linked(directory, Link::memory(control_plane.connector()))
    }

    pub(crate) fn linked(directory: &'a Path, link: Link) -> Self {
        Self {
            directory,
            link,
            seal_key: Some([7; 32]),
            arguments: Vec::new(),
            live_after: None,
        }
    }

    /// A node whose control plane cannot be reached.
    pub(crate) fn alone(directory: &'a Path) -> Self {
        let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        Self::linked(
            directory,
            Link::memory(Arc::new(move || Box::pin(async move { Err(refused()) }))),
        )
    }

    pub(crate) fn seal_key(mut self, key: Option<[u8; 32]>) -> Self {
        self.seal_key = key;
        self
    }

    pub(crate) fn flag(mut self, flag: &str, value: &str) -> Self {
        self.arguments.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// As `penstock up` does.
    pub(crate) fn live_after(mut self, token: CancellationToken) -> Self {
        self.live_after = Some(token);
        self
    }

    pub(crate) async fn start(self) -> Node {
        self.try_start().await.unwrap()
    }

    pub(crate) async fn try_start(self) -> Result<Node, RunError> {
        let directory = self.directory.to_str().unwrap().to_owned();
        let fixed = [
            "data-plane",
            "--listen",
            "127.0.0.1:0",
            "--listen-admin",
            "127.0.0.1:0",
            "--data-dir",
        ];
        let arguments = fixed
            .map(str::to_owned)
            .into_iter()
            .chain([directory])
            .chain(self.arguments);
        let config = Config::try_parse_from(arguments).unwrap();
        let seal_key = self.seal_key.map(|key| SealKey::new("caller", key));
        let settings = Settings::from_parts(&config.node, &config.traffic, seal_key)?;
        let mut listeners = Listeners::bind(&config.traffic).await?;
        listeners.live_after = self.live_after;
        let plane = DataPlane::open(settings, self.link)?;
        let shutdown = CancellationToken::new();
        Ok(Node {
            app: Arc::clone(plane.app()),
            traffic: listeners.traffic.local_addr().unwrap(),
            admin: listeners.admin.local_addr().unwrap(),
            running: spawn(serve(plane, listeners, shutdown.clone())),
            shutdown,
        })
    }
}

impl Node {
    /// Status and body of a GET on the admin port.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        get(self.admin, path, "").await
    }

    pub(crate) fn revision(&self) -> u64 {
        self.app.live.load().revision()
    }

    /// Begins the shutdown.
    pub(crate) fn begin_stop(&self) {
        self.shutdown.cancel();
    }

    /// Shuts down and waits until everything has ended.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        within("the end of the node", self.running).await.unwrap();
    }
}

/// Status and body of a GET, over a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the handle is joined by stop()")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}

async fn serve(plane: DataPlane, listeners: Listeners, shutdown: CancellationToken) {
    plane.serve(listeners, shutdown).await.unwrap();
}
