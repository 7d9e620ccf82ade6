//! The way to the control plane: over the network with TLS and a proof of identity, or through memory in one process.
//!
//! Each stream opens a connection of its own and drops it with the stream, so that a reconnect can reach another
//! replica, and an update that is not read yet never holds up usage. Replicas are tried in turn, from a random one on. Idle connections carry pings; a peer that does not
//! answer one in time is gone.

mod error;
mod memory_pipe;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

use crate::clock;
use crate::config::{ControlPlane, Endpoint, Tls};
use crate::proxy::Tracked;
pub use error::LinkError;
pub use memory_pipe::Connector;
use memory_pipe::ConnectorService;

const CONNECT: Duration = Duration::from_secs(5);
const PING: Duration = Duration::from_secs(10);
/// What may be on its way to this node: four parts of an update, so that a large one is not paced by the distance.
const WINDOW: u32 = 4 << 20;

/// See the module.
#[expect(missing_debug_implementations, reason = "holds the node token")]
pub struct Link {
    way: Way,
    token: Option<MetadataValue<Ascii>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

enum Way {
    Network {
        replicas: Vec<tonic::transport::Endpoint>,
        turn: AtomicUsize,
    },
    Memory(Connector),
}

impl Link {
    /// Fails when a certificate or key cannot be used.
    pub fn network(control_plane: &ControlPlane) -> Result<Self, LinkError> {
        let replicas = control_plane
            .endpoints
            .iter()
            .map(|endpoint| replica(endpoint, &control_plane.tls))
            .collect::<Result<Vec<_>, _>>()?;
        // Presented to the control plane, over TLS or loopback.
        let token = match &control_plane.token {
            Some(token) => Some(bearer(token.expose())?),
            None => None,
        };
        let first = usize::try_from(clock::random()).unwrap_or(0);
        let turn = AtomicUsize::new(first);
        Ok(Self::new(Way::Network { replicas, turn }, token))
    }

    /// To a control plane in the same process.
    pub fn memory(connector: Connector) -> Self {
        Self::new(Way::Memory(connector), None)
    }

    fn new(way: Way, token: Option<MetadataValue<Ascii>>) -> Self {
        Self {
            way,
            token,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// A connection to the next replica.
    pub(crate) async fn connect(&self) -> Result<Channel, LinkError> {
        let tasks = Tracked::new(self.tasks.clone(), self.stop.clone());
        match &self.way {
            Way::Network { replicas, turn } => {
                let at = turn.fetch_add(1, Ordering::Relaxed);
                let replica = replicas
                    .get(at.checked_rem(replicas.len()).unwrap_or(0))
                    .ok_or(LinkError::Nowhere)?;
                let connecting = replica.clone().executor(tasks);
                connecting.connect().await.map_err(|source| LinkError::Connect {
                    url: replica.uri().to_string(),
                    source,
                })
            }
            Way::Memory(connector) => {
                let service = ConnectorService(Arc::clone(connector));
                let endpoint = tonic::transport::Endpoint::from_static("http://penstock.memory")
                    .initial_stream_window_size(WINDOW)
                    .initial_connection_window_size(WINDOW)
                    .executor(tasks);
                let connecting = endpoint.connect_with_connector(service);
                connecting.await.map_err(|source| LinkError::Connect {
                    url: "in this process".to_owned(),
                    source,
                })
            }
        }
    }

    /// A request that says who this node is.
    pub(crate) fn sign<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }

    /// Where it leads, for logs.
    pub fn describe(&self) -> String {
        match &self.way {
            Way::Network { replicas, .. } => {
                let urls: Vec<_> = replicas.iter().map(|replica| replica.uri().to_string()).collect();
                urls.join(", ")
            }
            Way::Memory(_) => "in this process".to_owned(),
        }
    }

    /// Ends what is left of connections and waits for it.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn replica(endpoint: &Endpoint, tls: &Tls) -> Result<tonic::transport::Endpoint, LinkError> {
    let url = endpoint.uri.to_string();
    let replica = tonic::transport::Endpoint::from(endpoint.uri.clone())
        .connect_timeout(CONNECT)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .keep_alive_while_idle(true);
    if !endpoint.encrypted {
        return Ok(replica);
    }
    let bad = |source| LinkError::Tls { url, source };
    replica.tls_config(client_tls(tls)).map_err(bad)
}

fn client_tls(tls: &Tls) -> ClientTlsConfig {
    let config = match &tls.ca {
        Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)),
        None => ClientTlsConfig::new().with_webpki_roots(),
    };
    match &tls.identity {
        // Goes into the TLS stack, which proves possession of it.
        Some((cert, key)) => config.identity(Identity::from_pem(cert, key.expose())),
        None => config,
    }
}

fn bearer(token: &str) -> Result<MetadataValue<Ascii>, LinkError> {
    let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(|_| LinkError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A connection carries one stream of bytes.
type Pipe = TokioIo<tokio::io::DuplexStream>;

#[cfg(test)]
mod tests {
    use super::*;
    use penstock_core::secret::Secret;

    fn control_plane(tls: Tls, encrypted: bool) -> ControlPlane {
        let uri = if encrypted {
            "https://127.0.0.1:1"
        } else {
            "http://127.0.0.1:1"
        };
        ControlPlane {
            endpoints: vec![Endpoint {
                uri: uri.parse().unwrap(),
                encrypted,
            }],
            token: Some(Secret::new("a-token-that-must-not-be-printed")),
            tls,
        }
    }

    #[test]
    fn g15_certificates_that_cannot_be_used_are_explained_at_start() {
        let identity = Some(("no certificate".to_owned(), Secret::new("no key")));
        let tls = Tls { ca: None, identity };
        let error = Link::network(&control_plane(tls, true))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("--tls-cert"), "{error}");
    }

    #[test]
    fn the_token_is_presented_and_never_printed() {
        let link = Link::network(&control_plane(Tls::default(), false)).unwrap();
        let request = link.sign(());
        let value = request.metadata().get("authorization").unwrap();
        assert!(value.to_str().unwrap().starts_with("Bearer a-token"));
        assert!(!format!("{:?} {}", request.metadata(), link.describe()).contains("a-token"));
    }

    #[tokio::test]
    async fn g15_a_control_plane_that_cannot_be_reached_is_named() {
        let link = Link::network(&control_plane(Tls::default(), false)).unwrap();
        let error = link.connect().await.err().unwrap().to_string();
        assert!(error.contains("http://127.0.0.1:1"), "{error}");
        link.close().await;
    }
}
