//! Settings: everything checked, nothing left to parse.

use std::path::PathBuf;
use std::time::Duration;

use penstock_core::secret::Secret;
use zeroize::Zeroizing;

use super::{
    Cidr, Config, ConfigError, ControlPlane, NodeArgs, OtlpSettings, ProviderAddresses, TrafficArgs,
    WhenSpoolFull,
};

/// What a running data plane was told. Shared and never changed.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds tokens and keys")]
pub struct Settings {
    pub node: NodeSettings,
    pub traffic: TrafficSettings,
    pub drain: DrainSettings,
    /// What seals the last known good snapshot; None: it is not written.
    pub seal_key: Option<SealKey>,
    /// None: this process is the fleet.
    pub redis_url: Option<Secret>,
    /// How long a call waits for Redis.
    pub redis_timeout: Duration,
    /// Where traces and metrics are exported to; None: nowhere.
    pub otlp: Option<OtlpSettings>,
}

/// Who this node is.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    pub data_dir: PathBuf,
    /// None: the one in the data directory.
    pub node_id: Option<String>,
    pub zone: String,
}

/// Bounds of callers' traffic and of what it leaves on disk.
#[derive(Clone, Debug)]
pub struct TrafficSettings {
    /// Of one request's body, as it arrives and as it is decoded.
    pub max_body_bytes: usize,
    /// Of all requests' bodies together.
    pub max_bodies_bytes: usize,
    pub max_connections: usize,
    pub trusted_proxies: Vec<Cidr>,
    pub spool_max_bytes: u64,
    pub spool_full: WhenSpoolFull,
    pub provider_addresses: ProviderAddresses,
}

/// How the node leaves.
#[derive(Clone, Copy, Debug)]
pub struct DrainSettings {
    /// Between readiness off and the end of accepting.
    pub delay: Duration,
    /// For calls under way.
    pub timeout: Duration,
}

/// Secret bytes from which the sealing key is derived, with the name of their source, so that the same bytes from
/// another source make another key.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "secret")]
pub struct SealKey {
    pub source: &'static str,
    pub bytes: Zeroizing<Vec<u8>>,
}

const MIN_SEAL_KEY: usize = 32;
const MIN_SPOOL: u64 = 1 << 20;

impl Settings {
    /// Checks a data plane's own configuration and reads the files that it names.
    pub fn new(config: &Config) -> Result<(Self, ControlPlane), ConfigError> {
        let control_plane = ControlPlane::new(&config.control_plane)?;
        let seal_key = match SealKey::from_file(&config.node)? {
            Some(key) => Some(key),
            None => SealKey::of_connection(&control_plane),
        };
        Ok((
            Self::from_parts(&config.node, &config.traffic, seal_key)?,
            control_plane,
        ))
    }

    /// For a caller that has the control plane in the same process and a seal key of its own.
    pub fn from_parts(
        node: &NodeArgs,
        traffic: &TrafficArgs,
        seal_key: Option<SealKey>,
    ) -> Result<Self, ConfigError> {
        if let Some(id) = &node.node_id {
            check_node_id(id)?;
        }
        Ok(Self {
            node: NodeSettings {
                data_dir: node.data_dir.clone(),
                node_id: node.node_id.clone(),
                zone: node.zone.clone(),
            },
            traffic: TrafficSettings::new(traffic)?,
            drain: DrainSettings {
                delay: traffic.drain_delay.0,
                timeout: traffic.drain_timeout.0,
            },
            seal_key,
            redis_url: traffic.redis_url.as_deref().map(Secret::trimmed),
            redis_timeout: redis_timeout(traffic.redis_timeout.0)?,
            otlp: OtlpSettings::new(&traffic.otlp)?,
        })
    }
}

impl TrafficSettings {
    fn new(args: &TrafficArgs) -> Result<Self, ConfigError> {
        let max_body_bytes = size("--max-body-bytes", args.max_body_bytes.0, 1024)?;
        let least = u64::try_from(max_body_bytes).unwrap_or(u64::MAX);
        at_least("--spool-max-bytes", args.spool_max_bytes.0, MIN_SPOOL)?;
        Ok(Self {
            max_body_bytes,
            max_bodies_bytes: size("--max-bodies-bytes", args.max_bodies_bytes.0, least)?,
            max_connections: size("--max-connections", u64::from(args.max_connections), 1)?,
            trusted_proxies: args.trusted_proxies.clone(),
            spool_max_bytes: args.spool_max_bytes.0,
            spool_full: args.spool_full,
            provider_addresses: args.provider_addresses,
        })
    }
}

impl SealKey {
    /// `bytes` may be of any form; 32 random ones are right.
    pub fn new(source: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            source,
            bytes: Zeroizing::new(bytes.into()),
        }
    }

    fn from_file(node: &NodeArgs) -> Result<Option<Self>, ConfigError> {
        let Some(path) = &node.seal_key_file else {
            return Ok(None);
        };
        let bytes = std::fs::read(path).map_err(|source| ConfigError::File {
            flag: "--seal-key-file",
            path: path.clone(),
            source,
        })?;
        if bytes.len() < MIN_SEAL_KEY {
            return Err(ConfigError::WeakSealKey {
                path: path.clone(),
                length: bytes.len(),
            });
        }
        Ok(Some(Self::new("file", bytes)))
    }

    fn of_connection(control_plane: &ControlPlane) -> Option<Self> {
        // The key is derived from them, one way; they are not stored.
        let token = control_plane.token.as_ref();
        let key = control_plane.tls.identity.as_ref().map(|(_, key)| key);
        token
            .map(|token| Self::new("node token", token.expose()))
            .or_else(|| key.map(|key| Self::new("TLS key", key.expose())))
    }
}

fn check_node_id(id: &str) -> Result<(), ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        return Err(ConfigError::NodeId { id: id.to_owned() });
    }
    Ok(())
}

fn redis_timeout(timeout: Duration) -> Result<Duration, ConfigError> {
    let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    at_least("--redis-timeout (in ms)", milliseconds, 1)?;
    Ok(timeout)
}

fn at_least(flag: &'static str, value: u64, least: u64) -> Result<(), ConfigError> {
    if value < least {
        return Err(ConfigError::TooSmall { flag, least, value });
    }
    Ok(())
}

fn size(flag: &'static str, value: u64, least: u64) -> Result<usize, ConfigError> {
    at_least(flag, value, least)?;
    Ok(usize::try_from(value).unwrap_or(usize::MAX))
}
