//! What is wrong with a data plane's configuration, in words that end with the fix.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A start that cannot go on. The text is for the operator and never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "no control plane is named; give --control-plane https://HOST:9090 (or PENSTOCK_CONTROL_PLANE), \
         or run `penstock up` for both planes in one process"
    )]
    NoControlPlane,
    #[error("--control-plane {url:?} is not usable: {problem}; give it as https://HOST:9090")]
    ControlPlaneUrl { url: String, problem: String },
    #[error(
        "--control-plane {url} is plain HTTP off loopback, which would show credentials to the network; use https:// \
         (with --tls-ca for a private CA), or add --insecure-plaintext when the network itself is encrypted"
    )]
    Plaintext { url: String },
    #[error(
        "no proof of identity for the control plane; give --node-token-file FILE (or PENSTOCK_NODE_TOKEN), or a client \
         certificate with --tls-cert and --tls-key"
    )]
    NoIdentity,
    #[error(
        "the node token has {length} characters and needs at least 32; make one with \
         `head -c 32 /dev/urandom | base64` and give it to the control plane too"
    )]
    WeakToken { length: usize },
    #[error("--tls-cert and --tls-key belong together; {missing} is missing")]
    HalfCertificate { missing: &'static str },
    #[error("{flag} {path:?} cannot be read: {source}; check the path and that this user may read it")]
    File {
        flag: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "--seal-key-file {path:?} holds {length} bytes and needs at least 32; make one with `head -c 32 /dev/urandom > FILE`"
    )]
    WeakSealKey { path: PathBuf, length: usize },
    #[error("--node-id {id:?} must be 1 to 64 letters, digits, '.', '_' and '-'")]
    NodeId { id: String },
    #[error("{flag} must be at least {least}, is {value}")]
    TooSmall {
        flag: &'static str,
        least: u64,
        value: u64,
    },
    #[error("--otlp-endpoint cannot be used: {problem}; give the collector's gRPC port as http://HOST:4317")]
    OtlpEndpoint { problem: &'static str },
    #[error(
        "--otlp-headers has a header that is not NAME=VALUE, with its value percent-encoded where it is not plain"
    )]
    OtlpHeader,
    #[error(transparent)]
    Redis(#[from] penstock_fleet::BadRedisUrl),
    #[error("{flag} {address} cannot be opened: {source}; {advice}")]
    Listen {
        flag: &'static str,
        address: SocketAddr,
        source: std::io::Error,
        advice: &'static str,
    },
}

impl ConfigError {
    /// Explains why a port cannot be opened.
    pub fn listen(flag: &'static str, address: SocketAddr, source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let advice = if source.kind() == ErrorKind::AddrInUse {
            "another process has the port: stop it or choose another port"
        } else if source.kind() == ErrorKind::PermissionDenied {
            "ports under 1024 need a privilege: choose a higher one"
        } else if source.kind() == ErrorKind::AddrNotAvailable {
            "this machine does not have that address: use one of its own, or 0.0.0.0 for all"
        } else {
            "choose another address"
        };
        Self::Listen {
            flag,
            address,
            source,
            advice,
        }
    }
}
