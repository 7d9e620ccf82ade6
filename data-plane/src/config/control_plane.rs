//! How this node reaches the control plane, checked.
//!
//! Off loopback the connection is TLS unless the operator says otherwise, and the node proves itself with a token or
//! a client certificate. On loopback plain HTTP is fine, but the control plane still asks for the token.

use std::net::IpAddr;
use std::path::Path;

use http::Uri;
use penstock_core::secret::Secret;

use super::{ConfigError, ControlPlaneArgs};

/// Where the control plane is and how to prove who this node is.
#[derive(Clone)]
#[expect(
    missing_debug_implementations,
    reason = "holds the node token and the TLS key"
)]
pub struct ControlPlane {
    /// At least one. Tried in turn.
    pub endpoints: Vec<Endpoint>,
    pub token: Option<Secret>,
    pub tls: Tls,
}

/// One address of the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub uri: Uri,
    pub encrypted: bool,
}

/// Certificates for the connection to the control plane.
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "holds a private key")]
pub struct Tls {
    /// PEM. None: the public web's authorities.
    pub ca: Option<String>,
    /// Certificate and key, PEM.
    pub identity: Option<(String, Secret)>,
}

const MIN_TOKEN: usize = 32;

impl ControlPlane {
    /// Checks the arguments and reads the files they name.
    pub fn new(args: &ControlPlaneArgs) -> Result<Self, ConfigError> {
        let urls = args
            .urls
            .iter()
            .map(|url| url.trim())
            .filter(|url| !url.is_empty());
        let endpoints = urls
            .map(|url| Endpoint::new(url, args.insecure_plaintext))
            .collect::<Result<Vec<_>, _>>()?;
        if endpoints.is_empty() {
            return Err(ConfigError::NoControlPlane);
        }
        let token = token(args)?;
        let tls = tls(args)?;
        if token.is_none() && tls.identity.is_none() {
            return Err(ConfigError::NoIdentity);
        }
        Ok(Self {
            endpoints,
            token,
            tls,
        })
    }
}

impl Endpoint {
    fn new(url: &str, plaintext_allowed: bool) -> Result<Self, ConfigError> {
        let bad = |problem: &str| ConfigError::ControlPlaneUrl {
            url: without_credentials(url),
            problem: problem.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| bad("it is not a URL"))?;
        let host = uri.host().ok_or_else(|| bad("it names no host"))?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(bad("it does not begin with https:// or http://")),
        };
        if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err(bad("it holds a user name; the node token goes into a file"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(bad("it has a path"));
        }
        if !encrypted && !plaintext_allowed && !is_loopback(host) {
            return Err(ConfigError::Plaintext { url: url.to_owned() });
        }
        Ok(Self { uri, encrypted })
    }
}

fn token(args: &ControlPlaneArgs) -> Result<Option<Secret>, ConfigError> {
    let token = match &args.node_token_file {
        Some(path) => Some(Secret::trimmed(&read("--node-token-file", path)?)),
        None => args.node_token.as_deref().map(Secret::trimmed),
    };
    match token {
        Some(token) if token.expose().chars().count() < MIN_TOKEN => Err(ConfigError::WeakToken {
            length: token.expose().chars().count(),
        }),
        token => Ok(token),
    }
}

fn tls(args: &ControlPlaneArgs) -> Result<Tls, ConfigError> {
    let ca = match &args.tls_ca {
        Some(path) => Some(read("--tls-ca", path)?),
        None => None,
    };
    let identity = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some((read("--tls-cert", cert)?, Secret::new(read("--tls-key", key)?))),
        (None, None) => None,
        (Some(_), None) => return Err(ConfigError::HalfCertificate { missing: "--tls-key" }),
        (None, Some(_)) => {
            return Err(ConfigError::HalfCertificate {
                missing: "--tls-cert",
            });
        }
    };
    Ok(Tls { ca, identity })
}

fn read(flag: &'static str, path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::File {
        flag,
        path: path.to_owned(),
        source,
    })
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

/// For error texts: somebody may have written a password into the URL.
fn without_credentials(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => url.to_owned(),
    }
}
