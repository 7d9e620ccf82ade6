//! Pooled HTTP connections to one provider's host.
//!
//! HTTP/1.1, and HTTP/2 where TLS negotiates it. The trusted authorities are those of the public web. Connections run
//! as tracked tasks that end with the node.

use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioTimer;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use super::connect::{Bounded, CheckedResolver};
use super::send_body::SendBody;
use crate::proxy::Tracked;

/// Sends requests to one host.
pub(super) type Client = legacy::Client<Bounded<HttpsConnector<HttpConnector<CheckedResolver>>>, SendBody>;

/// Providers close idle connections after a minute or more.
const POOL_IDLE: Duration = Duration::from_secs(50);
/// Idle connections kept for one host.
const POOL_MAX_IDLE: usize = 1024;
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
const HTTP2_PING: Duration = Duration::from_secs(20);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(10);
const HTTP2_STREAM_WINDOW: u32 = 1 << 20;
const HTTP2_CONNECTION_WINDOW: u32 = 8 << 20;
/// Of a response's head.
const MAX_HEAD_BYTES: usize = 256 * 1024;

/// TLS cannot be set up at all; a fault of the build, not of the configuration.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// Makes clients; all share the TLS configuration and its session cache.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    tls: Arc<ClientConfig>,
    tasks: Tracked,
}

impl Clients {
    /// `tasks` runs the connections.
    pub(crate) fn new(tasks: Tracked) -> Result<Self, TlsError> {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: Arc::new(tls),
            tasks,
        })
    }

    /// A client without connections.
    pub(super) fn make(&self, connect_timeout: Duration) -> Client {
        let mut tcp = HttpConnector::new_with_resolver(CheckedResolver::new());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(self.tls.as_ref().clone())
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        legacy::Client::builder(self.tasks.clone())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_MAX_IDLE)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .http2_keep_alive_interval(HTTP2_PING)
            .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .build(Bounded::new(https, connect_timeout))
    }
}
