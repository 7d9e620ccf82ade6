//! A connection through a proxy: HTTP CONNECT, plain or inside TLS, and SOCKS5.
//!
//! Reaching the proxy and asking it for a connection are two steps with errors of their own: only while the proxy
//! cannot be reached may another way be tried. Each target is asked for by CONNECT, plain HTTP too, so that no proxy
//! sees a request. With `socks5` names are looked up here, and the address that was checked is the one asked for; with
//! the others the proxy looks them up, and only literal addresses can be checked here (see [`Bounded`]).
//!
//! [`Bounded`]: super::connect::Bounded

use std::future::{Ready, ready};
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use penstock_core::provider::{OutboundProxy, ProxyScheme};
use penstock_core::secret::Secret;
use tokio::net::TcpStream;
use tower_service::Service;

use super::address::{self, Reach};
use super::connect::{BoxError, CheckedResolver, ConnectError};

/// Dials TCP.
pub(super) type Plain = HttpConnector<CheckedResolver>;
/// TCP, or TLS to a proxy.
pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// The way through one proxy.
#[derive(Clone)]
pub(super) struct Through {
    reach: HttpsConnector<Plain>,
    uri: Uri,
    /// Without the user.
    name: Arc<str>,
    ask: Ask,
    /// For reaching it.
    patience: Duration,
}

/// How the proxy is asked for a connection.
#[derive(Clone)]
enum Ask {
    Connect(Option<HeaderValue>),
    Socks {
        login: Option<(String, Secret)>,
        /// None: the proxy looks names up.
        resolver: Option<CheckedResolver>,
    },
}

/// A proxy that cannot be called as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("its proxy cannot be used: {0}")]
pub struct BadProxy(#[from] http::Error);

impl Through {
    pub(super) fn new(
        proxy: &OutboundProxy,
        password: Option<&Secret>,
        reach: HttpsConnector<Plain>,
        resolver: CheckedResolver,
        patience: Duration,
    ) -> Result<Self, BadProxy> {
        let scheme = match proxy.scheme {
            ProxyScheme::Https => Scheme::HTTPS,
            ProxyScheme::Http | ProxyScheme::Socks5 | ProxyScheme::Socks5h => Scheme::HTTP,
        };
        let login = proxy.username.clone().map(|user| {
            let password = password.cloned().unwrap_or_else(|| Secret::new(""));
            (user, password)
        });
        let ask = match proxy.scheme {
            ProxyScheme::Http | ProxyScheme::Https => Ask::Connect(login.map(basic).transpose()?),
            ProxyScheme::Socks5 => Ask::Socks {
                login,
                resolver: Some(resolver),
            },
            ProxyScheme::Socks5h => Ask::Socks {
                login,
                resolver: None,
            },
        };
        Ok(Self {
            reach,
            uri: place(scheme, &proxy.host, proxy.port)?,
            name: format!("{}://{}:{}", proxy.scheme.as_str(), proxy.host, proxy.port).into(),
            ask,
            patience,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A connection to the host and port of `target`.
    pub(super) async fn connect(&self, target: &Uri) -> Result<Stream, ConnectError> {
        let reached = self
            .reach()
            .await
            .map_err(|source| ConnectError::ProxyUnreachable {
                proxy: Arc::clone(&self.name),
                source,
            })?;
        self.ask(reached, target)
            .await
            .map_err(|source| match source.downcast() {
                // The name was looked up here.
                Ok(own) => *own,
                Err(source) => ConnectError::ProxyRefused {
                    proxy: Arc::clone(&self.name),
                    source,
                },
            })
    }

    async fn reach(&self) -> Result<Stream, BoxError> {
        if let Some(host) = self.uri.host() {
            // Operators name proxies, also inside.
            Reach::Local.check_host(host).map_err(ConnectError::from)?;
        }
        let reaching = self.reach.clone().call(self.uri.clone());
        tokio::time::timeout(self.patience, reaching)
            .await
            .map_err(|_| ConnectError::Timeout(self.patience))?
    }

    async fn ask(&self, reached: Stream, target: &Uri) -> Result<Stream, BoxError> {
        let host = target
            .host()
            .ok_or_else(|| io::Error::other("the target has no host"))?;
        let port = match target.port_u16() {
            Some(port) => port,
            None if target.scheme() == Some(&Scheme::HTTP) => 80,
            None => 443,
        };
        let reached = Reached(Some(reached));
        match &self.ask {
            Ask::Connect(login) => {
                let mut tunnel = Tunnel::new(self.uri.clone(), reached);
                if let Some(login) = login {
                    tunnel = tunnel.with_auth(login.clone());
                }
                Ok(tunnel.call(place(Scheme::HTTP, host, port)?).await?)
            }
            Ask::Socks { login, resolver } => {
                let host = match resolver {
                    Some(resolver) if address::literal(host).is_none() => look_up(resolver, host).await?,
                    Some(_) | None => host.to_owned(),
                };
                let mut socks = SocksV5::new(self.uri.clone(), reached);
                if let Some((user, password)) = login {
                    // To the proxy that it was given for.
                    socks = socks.with_auth(user.clone(), password.expose().to_owned());
                }
                Ok(socks.call(place(Scheme::HTTP, &host, port)?).await?)
            }
        }
    }
}

/// The first address of a name, as it stands in a URL.
async fn look_up(resolver: &CheckedResolver, host: &str) -> Result<String, ConnectError> {
    let no_address = || ConnectError::NoAddress(host.to_owned());
    let name = Name::from_str(host).map_err(|_| no_address())?;
    let found = resolver.clone().look_up(name).await?;
    let first = found.first().ok_or_else(no_address)?;
    Ok(match first.ip() {
        std::net::IpAddr::V4(v4) => v4.to_string(),
        std::net::IpAddr::V6(v6) => format!("[{v6}]"),
    })
}

fn place(scheme: Scheme, host: &str, port: u16) -> Result<Uri, http::Error> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(scheme);
    parts.authority = Some(Authority::try_from(format!("{host}:{port}"))?);
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    Ok(Uri::from_parts(parts)?)
}

fn basic((user, password): (String, Secret)) -> Result<HeaderValue, http::Error> {
    // To the proxy that it was given for.
    let login = format!("{user}:{}", password.expose());
    let encoded = base64::engine::general_purpose::STANDARD.encode(login);
    let mut value = HeaderValue::try_from(format!("Basic {encoded}"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A connection that is there already, for connectors that want to open one.
struct Reached(Option<Stream>);

impl Service<Uri> for Reached {
    type Response = Stream;
    type Error = io::Error;
    type Future = Ready<Result<Stream, io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::Error::other("asked for twice")))
    }
}
