//! Flags and environment, as clap reads them.
//!
//! Secrets have no flag of their own, since a process list shows flags: they come from files or the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};

use super::{Bytes, Cidr, OtlpArgs, Span};

/// A Penstock data plane: authenticates, routes, proxies and meters calls to AI providers.
///
/// It takes its configuration from a control plane and serves on without it: a data directory with a last known good
/// snapshot is enough to start. Usage waits in the data directory until the control plane has stored it.
#[derive(Parser)]
#[command(name = "penstock-data-plane", version)]
#[expect(missing_debug_implementations, reason = "holds tokens from the environment")]
pub struct Config {
    #[command(flatten)]
    pub node: NodeArgs,
    #[command(flatten)]
    pub control_plane: ControlPlaneArgs,
    #[command(flatten)]
    pub traffic: TrafficArgs,

    /// trace, debug, info, warn or error, or a filter such as `info,penstock::call=warn`.
    #[arg(long, env = "PENSTOCK_LOG", default_value = "info", help_heading = "Process")]
    pub log_level: String,

    #[command(flatten)]
    pub log: penstock_log::LogArgs,

    /// Worker threads. Default: one for each core.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Process")]
    pub threads: Option<u16>,
}

/// Who this node is and where it keeps what must outlive it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Node")]
pub struct NodeArgs {
    /// Directory for the usage spool, the last known good snapshot and the node's id. One process at a time.
    #[arg(long, env = "PENSTOCK_DATA_DIR", default_value = "./penstock-data")]
    pub data_dir: PathBuf,

    /// The node's name to the control plane. Default: made once and kept in the data directory.
    #[arg(long, env = "PENSTOCK_NODE_ID")]
    pub node_id: Option<String>,

    /// Where the node runs, shown to operators: a zone, a rack, a site.
    #[arg(long, env = "PENSTOCK_ZONE", default_value = "")]
    pub zone: String,

    /// File with at least 32 secret bytes that seal the last known good snapshot. Default: a key derived from the
    /// node token, else from the TLS key.
    #[arg(long, env = "PENSTOCK_SEAL_KEY_FILE")]
    pub seal_key_file: Option<PathBuf>,
}

/// How to reach the control plane and prove to it who this is.
#[derive(Args, Clone)]
#[command(next_help_heading = "Control plane")]
#[expect(missing_debug_implementations, reason = "holds the node token")]
pub struct ControlPlaneArgs {
    /// URL of the control plane's gRPC port, such as `https://penstock:9090`. Give several, or a comma list, for
    /// several replicas.
    #[arg(
        long = "control-plane",
        env = "PENSTOCK_CONTROL_PLANE",
        value_delimiter = ',',
        value_name = "URL"
    )]
    pub urls: Vec<String>,

    /// File with the node token that the control plane knows. Or the token itself in `PENSTOCK_NODE_TOKEN`.
    #[arg(long, value_name = "FILE")]
    pub node_token_file: Option<PathBuf>,

    /// The node token, from the environment only.
    #[arg(
        long = "node-token-from-env",
        env = "PENSTOCK_NODE_TOKEN",
        hide = true,
        hide_env_values = true
    )]
    pub node_token: Option<String>,

    /// Certificates (PEM) of the authority that signed the control plane's. Default: the public web's authorities.
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,

    /// This node's certificate (PEM), for mutual TLS.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// The key (PEM) of this node's certificate.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Allow plain HTTP to a control plane that is not on this machine. Credentials cross the network readably.
    #[arg(long, env = "PENSTOCK_INSECURE_PLAINTEXT")]
    pub insecure_plaintext: bool,
}

/// What the node does with callers' traffic. `penstock up` has the same flags.
#[derive(Args, Clone)]
#[command(next_help_heading = "Traffic")]
#[expect(missing_debug_implementations, reason = "the Redis URL may hold a password")]
pub struct TrafficArgs {
    /// Where callers connect.
    #[arg(
        long,
        env = "PENSTOCK_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// Where health checks and metrics are served.
    #[arg(
        long,
        env = "PENSTOCK_LISTEN_ADMIN",
        default_value = "127.0.0.1:8081",
        value_name = "ADDRESS"
    )]
    pub listen_admin: SocketAddr,

    /// Redis that all data planes share: `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS; of a
    /// cluster some of its nodes, separated by commas. Without it, this process counts alone.
    #[arg(long, env = "PENSTOCK_REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<String>,

    /// How long a call waits for Redis, once; then limits are enforced as the setting `limits` says.
    #[arg(
        long,
        env = "PENSTOCK_REDIS_TIMEOUT",
        default_value = "50ms",
        value_name = "TIME"
    )]
    pub redis_timeout: Span,

    /// Addresses whose `x-forwarded-for` is believed. Repeat, or give a comma list.
    #[arg(
        long = "trusted-proxy",
        env = "PENSTOCK_TRUSTED_PROXY",
        value_delimiter = ',',
        value_name = "CIDR"
    )]
    pub trusted_proxies: Vec<Cidr>,

    /// The largest request body, before and after decompression. Larger ones: 413.
    #[arg(long, default_value = "32MB", value_name = "SIZE")]
    pub max_body_bytes: Bytes,

    /// Memory for all request bodies together. Beyond it: 503 with `Retry-After`.
    #[arg(long, default_value = "1GB", value_name = "SIZE")]
    pub max_bodies_bytes: Bytes,

    /// Callers' connections at one time. Further ones wait to be accepted.
    #[arg(long, default_value_t = 20_000, value_name = "NUMBER")]
    pub max_connections: u32,

    /// Disk space for usage that the control plane has not stored yet.
    #[arg(long, default_value = "1GB", value_name = "SIZE")]
    pub spool_max_bytes: Bytes,

    /// What happens when that space is used up: `drop` serves on and counts the records it loses, `shed` answers 503
    /// instead of losing any.
    #[arg(long, value_enum, default_value = "drop")]
    pub spool_full: WhenSpoolFull,

    /// Which addresses providers may have: `any` but link-local and metadata ones, or only `public` ones. Proxies may be
    /// inside all the same.
    #[arg(long, value_enum, default_value = "any", env = "PENSTOCK_PROVIDER_ADDRESSES")]
    pub provider_addresses: ProviderAddresses,

    /// How long calls under way may go on after a signal to stop.
    #[arg(long, default_value = "30s", value_name = "DURATION")]
    pub drain_timeout: Span,

    /// How long to keep accepting after readiness went off, so that load balancers notice first.
    #[arg(long, default_value = "0s", value_name = "DURATION")]
    pub drain_delay: Span,

    #[command(flatten)]
    pub otlp: OtlpArgs,
}

/// Which addresses providers may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProviderAddresses {
    /// Also loopback and private ones.
    #[default]
    Any,
    /// Of the public web only.
    Public,
}

/// What is given up when the spool is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WhenSpoolFull {
    /// The newest usage records, counted.
    Drop,
    /// New calls, with 503.
    Shed,
}
