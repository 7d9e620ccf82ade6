//! Pooled HTTP connections of one provider.
//!
//! HTTP/1.1, and HTTP/2 where TLS negotiates it. The trusted authorities are those of the public web and the provider's
//! own. Connections run as tracked tasks that end with the node.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::ResponseFuture;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioTimer;
use penstock_core::provider::{Outbound, Provider};
use penstock_core::secret::Secret;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::address::Reach;
use super::connect::{Bounded, CheckedResolver};
use super::dial::{Dial, Fallback};
use super::through::{BadProxy, Plain, Through};
use super::tracked::Tracked;

/// How the connections of one provider are made.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "may hold the proxy's password")]
pub struct Pools {
    tasks: Tracked,
    connector: Bounded<HttpsConnector<Dial>>,
}

/// Sends requests to the hosts of one provider; one connection to each that speaks HTTP/2. Cheap to clone; clones share
/// the connections.
#[expect(missing_debug_implementations, reason = "hyper's client says nothing")]
pub struct Client<B>(legacy::Client<Bounded<HttpsConnector<Dial>>, B>);

/// Providers close idle connections after a minute or more.
const POOL_IDLE: Duration = Duration::from_secs(50);
/// Idle connections kept for one host.
const POOL_MAX_IDLE: usize = 1024;
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
const HTTP2_PING: Duration = Duration::from_secs(20);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(10);
/// What one caller who reads slowly may leave unread.
const HTTP2_STREAM_WINDOW: u32 = 128 << 10;
/// The largest there is: what some leave unread must not stop the others on their connection.
const HTTP2_CONNECTION_WINDOW: u32 = (1 << 31) - 1;
/// Until the other side has said how many it allows.
const HTTP2_FIRST_STREAMS: usize = 8;
/// Of a response's head.
const MAX_HEAD_BYTES: usize = 256 * 1024;

/// TLS cannot be set up at all; a fault of the build, not of the configuration.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// All that makes one connection differ from another. A provider whose changes leave this alone keeps its connections.
#[derive(PartialEq)]
#[expect(missing_debug_implementations, reason = "holds the proxy's password")]
pub struct Connections {
    connect_timeout: Duration,
    outbound: Outbound,
    proxy_password: Option<Secret>,
    reach: Reach,
}

/// Connections that cannot be made as they are configured. The text is for operators.
#[derive(Debug, thiserror::Error)]
pub enum BadConnections {
    /// No PEM, or no certificates in it.
    #[error("its own authorities (--ca-file) cannot be read: {0}")]
    Authorities(String),
    /// See there.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// See there.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
}

/// Makes clients; those without authorities of their own share the TLS configuration and its session cache.
#[derive(Clone, Debug)]
pub struct Clients {
    tls: Arc<ClientConfig>,
    tasks: Tracked,
}

impl<B> Client<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Sends a request, over a connection that is idle or a new one.
    pub fn request(&self, request: Request<B>) -> ResponseFuture {
        self.0.request(request)
    }
}

impl<B> Clone for Client<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Connections {
    /// As a provider's configuration says.
    pub fn of(provider: &Provider, proxy_password: Option<&Secret>, reach: Reach) -> Self {
        Self {
            connect_timeout: provider.connect_timeout(),
            outbound: provider.outbound.clone(),
            proxy_password: proxy_password.cloned(),
            reach,
        }
    }

    /// Without a proxy, to whatever host is asked for.
    pub fn direct(connect_timeout: Duration, reach: Reach) -> Self {
        Self {
            connect_timeout,
            outbound: Outbound::default(),
            proxy_password: None,
            reach,
        }
    }

    fn plain(&self, through_proxy: bool) -> Plain {
        let reach = match through_proxy {
            // Operators name proxies, also inside.
            true => Reach::Local,
            false => self.reach,
        };
        let resolver = CheckedResolver::new(self.outbound.family(through_proxy), reach);
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        tcp
    }

    fn dial(&self, tls: &ClientConfig) -> Result<Dial, BadProxy> {
        let fallback = match self.outbound.fallback_to_direct {
            true => Fallback::Direct(Arc::default()),
            false => Fallback::None,
        };
        // Where there is another way, time must be left for it.
        let patience = match fallback {
            Fallback::Direct(_) => self.connect_timeout / 2,
            Fallback::None => self.connect_timeout,
        };
        let through = self.outbound.proxy.as_ref().map(|proxy| {
            let reach = HttpsConnectorBuilder::new()
                .with_tls_config(tls.clone())
                .https_or_http()
                .enable_http1()
                .wrap_connector(self.plain(true));
            let resolver = CheckedResolver::new(self.outbound.family(true), self.reach);
            Through::new(proxy, self.proxy_password.as_ref(), reach, resolver, patience)
        });
        Ok(Dial {
            direct: self.plain(false),
            through: through.transpose()?,
            fallback,
        })
    }
}

impl Clients {
    /// `tasks` runs the connections.
    pub fn new(tasks: Tracked) -> Result<Self, TlsError> {
        Ok(Self {
            tls: Arc::new(trusting(public_roots())?),
            tasks,
        })
    }

    /// What clients with these connections are made with.
    pub fn make(&self, connections: &Connections) -> Result<Pools, BadConnections> {
        let own;
        let tls = match connections.outbound.ca_pem.as_str() {
            "" => &*self.tls,
            pem => {
                own = trusting(roots_with(pem)?)?;
                &own
            }
        };
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1();
        let dial = connections.dial(tls)?;
        let https = match connections.outbound.http2 {
            true => https.enable_http2().wrap_connector(dial),
            false => https.wrap_connector(dial),
        };
        Ok(Pools {
            tasks: self.tasks.clone(),
            connector: Bounded::new(https, connections.connect_timeout, connections.reach),
        })
    }
}

impl Pools {
    /// A client with connections of its own, none yet.
    pub fn open<B>(&self) -> Client<B>
    where
        B: Body + Send,
        B::Data: Send,
    {
        let client = legacy::Client::builder(self.tasks.clone())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_MAX_IDLE)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .http2_initial_max_send_streams(HTTP2_FIRST_STREAMS)
            .http2_keep_alive_interval(HTTP2_PING)
            .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .build(self.connector.clone());
        Client(client)
    }
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    Ok(
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

fn public_roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

fn roots_with(pem: &str) -> Result<RootCertStore, BadConnections> {
    let mut roots = public_roots();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| BadConnections::Authorities(e.to_string()))?;
        roots
            .add(certificate)
            .map_err(|e| BadConnections::Authorities(e.to_string()))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests;
