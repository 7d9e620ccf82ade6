//! Why a control plane does not start, or stops.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use penstock_store::OpenError;

use crate::access::TokenError;
use crate::credentials::{KeyFileError, MasterKeyError, SealError};

/// Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error(
        "no database is configured: give --database-url (PENSTOCK_DATABASE_URL), such as \
        postgres://user:password@host/penstock, or --data-dir for a SQLite database in that directory"
    )]
    NoDatabase,
    #[error(
        "the data directory {path} cannot be made: {source}; give --data-dir a place that this user may write to"
    )]
    DataDir { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("the database cannot be read: {0}")]
    Load(#[source] penstock_store::Error),
    #[error(
        "no admin token is configured: set PENSTOCK_ADMIN_TOKEN or give --admin-token-file; make one with: \
        openssl rand -hex 32"
    )]
    NoAdminToken,
    #[error("the admin token {0}")]
    AdminToken(#[source] TokenError),
    #[error("the node token from {origin} {source}")]
    NodeToken { origin: String, source: TokenError },
    #[error("the token file {path} cannot be read: {source}")]
    TokenFile { path: PathBuf, source: io::Error },
    #[error(
        "no master key is configured: give --master-key-file (PENSTOCK_MASTER_KEY_FILE); make one with: \
        openssl rand -hex 32 > master.key; chmod 600 master.key"
    )]
    NoMasterKey,
    #[error(transparent)]
    MasterKeyFile(#[from] KeyFileError),
    #[error("PENSTOCK_MASTER_KEY cannot be used: {0}")]
    MasterKey(#[from] MasterKeyError),
    #[error(
        "the master key is not the one that the database's credentials are sealed under (key {sealed_with}, given is \
        {given}): give the master key of this installation, or that of the backup the database came from"
    )]
    WrongMasterKey { sealed_with: String, given: String },
    #[error("the master key cannot be used: {0}")]
    Seal(#[source] SealError),
    #[error(transparent)]
    Outbound(penstock_outbound::TlsError),
    #[error("{flag} {path} cannot be read: {source}")]
    TlsFile {
        flag: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "the TLS files cannot be used ({0}): --tls-cert must be a PEM certificate chain, --tls-key its PEM private key, \
        --tls-ca a PEM certificate"
    )]
    Tls(#[source] tonic::transport::Error),
    #[error(
        "gRPC would listen on {0}, which is not loopback, without TLS, and credentials would cross the network in the \
        clear: give --tls-cert and --tls-key, or --insecure-plaintext when something else encrypts"
    )]
    Plaintext(SocketAddr),
    #[error("{flag} {addr} cannot be listened on: {source}{hint}")]
    Listen {
        flag: &'static str,
        addr: SocketAddr,
        source: io::Error,
        hint: &'static str,
    },
    #[error("the shipped prices cannot be read: {0}; the binary is damaged, install it again")]
    Prices(#[from] penstock_core::price::shipped::ParseError),
    #[error(transparent)]
    Log(#[from] penstock_log::StartError),
    #[error("the runtime cannot be started: {0}")]
    Runtime(#[source] io::Error),
    #[error("a part of the control plane failed: {0}; please report it with the log before this line")]
    Task(#[source] tokio::task::JoinError),
    #[error(
        "a part of the control plane ended before it was told to; please report it with the log before this line"
    )]
    Ended,
    #[error("gRPC stopped: {0}")]
    Grpc(#[source] tonic::transport::Error),
    #[error("the HTTP listener stopped: {0}")]
    Console(#[source] io::Error),
    #[error("gRPC reflection cannot be set up: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}
