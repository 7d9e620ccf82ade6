//! What the control plane is told at its start, by flag and environment.
//!
//! Groups of flags are types of their own, so that `penstock up` can take over those that make sense there. Nothing
//! here reads files; [`crate::startup`] does, and says what is wrong with them.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser};
use penstock_core::secret::Secret;

/// The control plane of Penstock: owns the configuration and the ledger, pushes to data planes, serves operators.
///
/// State lies in a database: Postgres for production (several replicas may share it), SQLite for one machine. Needed at
/// the first start: a database (--database-url), a master key under which provider credentials are sealed
/// (--master-key-file), an admin token for operators (`PENSTOCK_ADMIN_TOKEN`) and a node token for data planes
/// (--node-token-file). Everything else has a default.
#[derive(Clone, Debug, Parser)]
#[command(name = "penstock-control-plane", version, max_term_width = 110)]
pub struct Config {
    #[command(flatten)]
    pub listen: ListenArgs,

    #[command(flatten)]
    pub database: DatabaseArgs,

    #[command(flatten)]
    pub access: AccessArgs,

    #[command(flatten)]
    pub master_key: MasterKeyArgs,

    #[command(flatten)]
    pub tls: TlsArgs,

    #[command(flatten)]
    pub trust: TrustArgs,

    /// Directory for state on this machine. Without --database-url a SQLite database is kept in it.
    #[arg(long, env = "PENSTOCK_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// What is logged: trace, debug, info, warn, error, or a filter such as `info,penstock_control_plane=debug`.
    #[arg(long, env = "PENSTOCK_LOG", default_value = "info", value_name = "FILTER")]
    pub log_level: String,

    #[command(flatten)]
    pub log: penstock_log::LogArgs,

    /// How long a data plane's config stream lasts before it is ended, so that data planes spread over replicas.
    ///
    /// The true lifetime of each stream is a random 80 to 120 % of this. Units: ms, s, m, h.
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration)]
    pub stream_lifetime: Duration,

    /// This replica's name, shown to operators. Default: the host name.
    #[arg(long, env = "PENSTOCK_NAME", value_name = "NAME")]
    pub name: Option<String>,
}

/// Where it listens.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Listeners")]
pub struct ListenArgs {
    /// Address of gRPC, for data planes and operators. Off loopback it needs --tls-cert and --tls-key.
    #[arg(
        long,
        env = "PENSTOCK_LISTEN_GRPC",
        default_value = "127.0.0.1:9090",
        value_name = "ADDR"
    )]
    pub listen_grpc: SocketAddr,

    /// Address of the control plane's HTTP: /health/live, /health/ready, /health, /metrics.
    #[arg(
        long,
        env = "PENSTOCK_LISTEN_CONSOLE",
        default_value = "127.0.0.1:9091",
        value_name = "ADDR"
    )]
    pub listen_console: SocketAddr,
}

/// Where the state lies.
#[derive(Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// `postgres://user:password@host/database` or `sqlite:/path/to/file.db`.
    #[arg(long, env = "PENSTOCK_DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = secret)]
    pub database_url: Option<Secret>,

    /// Bring the database's schema up to date at start. With false a schema that is behind is an error, and
    /// `penstock migrate up` does it.
    #[arg(long, env = "PENSTOCK_AUTO_MIGRATE", default_value_t = true, action = ArgAction::Set, value_name = "true|false")]
    pub auto_migrate: bool,
}

/// Who may call.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessArgs {
    /// The operators' token, at least 32 characters. Better in the environment or a file than here, where the process
    /// list shows it. Make one with `openssl rand -hex 32`.
    #[arg(long, env = "PENSTOCK_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN", value_parser = secret)]
    pub admin_token: Option<Secret>,

    /// File with the operators' token.
    #[arg(
        long,
        env = "PENSTOCK_ADMIN_TOKEN_FILE",
        value_name = "FILE",
        conflicts_with = "admin_token"
    )]
    pub admin_token_file: Option<PathBuf>,

    /// File with a node token, which data planes present. May be given several times: all are valid, so that tokens can
    /// be rotated. Without a node token and without --tls-ca no data plane can connect over the network.
    #[arg(
        long,
        env = "PENSTOCK_NODE_TOKEN_FILE",
        value_name = "FILE",
        value_delimiter = ','
    )]
    pub node_token_file: Vec<PathBuf>,

    /// A node token. For the environment; here the process list shows it.
    #[arg(long, env = "PENSTOCK_NODE_TOKEN", hide_env_values = true, value_name = "TOKEN", value_parser = secret)]
    pub node_token: Option<Secret>,
}

/// What credentials are sealed under.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Master key")]
pub struct MasterKeyArgs {
    /// File with the master key: 32 bytes as hexadecimal or base64. Make one with `openssl rand -hex 32`; keep it, for
    /// without it every provider credential in the database is lost. `PENSTOCK_MASTER_KEY` may hold the key itself.
    #[arg(long, env = "PENSTOCK_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,

    /// The master key itself. For the environment; here the process list shows it.
    #[arg(
        long,
        env = "PENSTOCK_MASTER_KEY",
        hide_env_values = true,
        value_name = "KEY",
        value_parser = secret,
        conflicts_with = "master_key_file"
    )]
    pub master_key: Option<Secret>,

    /// File with another master key, which opens what is sealed under it and seals nothing: while the key is replaced (see
    /// `penstock master-key`). Repeatable.
    #[arg(
        long,
        env = "PENSTOCK_OTHER_MASTER_KEY_FILES",
        value_name = "FILE",
        value_delimiter = ','
    )]
    pub other_master_key_file: Vec<PathBuf>,
}

/// What may be called inside the network.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Hosts of your own")]
pub struct TrustArgs {
    /// Host of an authorization server, a webhook's receiver or price files of your own, perhaps with a port. What this
    /// program calls must have public addresses (and of service accounts be Google's); this host may have a private or
    /// loopback address and speak plain http. Repeatable.
    #[arg(
        long,
        env = "PENSTOCK_TRUSTED_HOSTS",
        value_name = "HOST[:PORT]",
        value_delimiter = ','
    )]
    pub trusted_host: Vec<String>,
}

/// How gRPC is protected on the network.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Certificate chain of the gRPC listener, PEM.
    #[arg(long, env = "PENSTOCK_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the gRPC listener, PEM.
    #[arg(long, env = "PENSTOCK_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Authority that signs data planes' client certificates, PEM: a client with such a certificate is a data plane.
    #[arg(long, env = "PENSTOCK_TLS_CA", value_name = "FILE", requires = "tls_cert")]
    pub tls_ca: Option<PathBuf>,

    /// Serve gRPC without TLS also off loopback. Credentials then cross the network in the clear: only where something
    /// else encrypts (a mesh, a tunnel).
    #[arg(long, env = "PENSTOCK_INSECURE_PLAINTEXT")]
    pub insecure_plaintext: bool,
}

/// Whether each secret is there, never the secret.
impl fmt::Debug for DatabaseArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseArgs")
            .field("database_url", &self.database_url.is_some())
            .field("auto_migrate", &self.auto_migrate)
            .finish()
    }
}

impl fmt::Debug for AccessArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessArgs")
            .field("admin_token", &self.admin_token.is_some())
            .field("admin_token_file", &self.admin_token_file)
            .field("node_token_file", &self.node_token_file)
            .field("node_token", &self.node_token.is_some())
            .finish()
    }
}

impl fmt::Debug for MasterKeyArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeyArgs")
            .field("master_key_file", &self.master_key_file)
            .field("master_key", &self.master_key.is_some())
            .field("other_master_key_file", &self.other_master_key_file)
            .finish()
    }
}

impl Default for DatabaseArgs {
    fn default() -> Self {
        Self {
            database_url: None,
            auto_migrate: true,
        }
    }
}

fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::trimmed(text))
}

/// `500ms`, `30s`, `10m`, `2h`; never zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    let problem = || format!("{text:?} is not a duration; write it as 500ms, 30s, 10m or 2h");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(problem)?;
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(problem()),
    };
    let ms = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor))
        .ok_or_else(problem)?;
    if ms == 0 {
        return Err("must not be zero".to_owned());
    }
    Ok(Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(args: &[&str]) -> Result<Config, clap::Error> {
        Config::try_parse_from([&["penstock-control-plane"], args].concat())
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Config::command().debug_assert();
    }

    #[test]
    fn defaults_stay_on_loopback() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.listen.listen_grpc.to_string(), "127.0.0.1:9090");
        assert_eq!(config.listen.listen_console.to_string(), "127.0.0.1:9091");
        assert!(config.database.auto_migrate);
        assert_eq!(config.stream_lifetime, Duration::from_secs(600));
    }

    #[test]
    fn durations_have_units_and_are_never_zero() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in ["", "10", "s", "0s", "1d", "-1s", "1.5s", "99999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn half_a_tls_configuration_is_refused() {
        assert!(parse(&["--tls-cert", "c.pem"]).is_err());
        assert!(parse(&["--tls-ca", "ca.pem"]).is_err());
        assert!(parse(&["--tls-cert", "c.pem", "--tls-key", "k.pem", "--tls-ca", "ca.pem"]).is_ok());
    }

    #[test]
    fn several_node_tokens_may_be_given() {
        let config = parse(&["--node-token-file", "a", "--node-token-file", "b,c"]).unwrap();
        assert_eq!(config.access.node_token_file.len(), 3);
    }

    #[test]
    fn printing_the_configuration_shows_no_secret() {
        let config = parse(&[
            "--admin-token",
            "marked-secret",
            "--database-url",
            "postgres://u:marked-secret@h/d",
            "--master-key",
            "marked-secret",
        ]);
        assert!(!format!("{:?}", config.unwrap()).contains("marked-secret"));
    }
}
