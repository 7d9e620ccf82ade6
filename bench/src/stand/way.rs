//! What may stand between the load generator and the provider.

use serde::Serialize;

/// How a request reaches the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    Direct,
    Nginx,
    /// nginx with `proxy_request_buffering off`.
    NginxUnbuffered,
    /// Keys and users without limits.
    DataPlane,
    /// The same data plane; keys and users have limits, which it counts in its own process.
    LimitsInProcess,
    /// A data plane that counts limits in Redis.
    LimitsInRedis,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::NginxUnbuffered => "nginx unbuffered",
            Self::DataPlane => "data plane",
            Self::LimitsInProcess => "limits in process",
            Self::LimitsInRedis => "limits in Redis",
        }
    }

    /// Whether requests go through one of our data planes.
    pub(crate) fn is_ours(self) -> bool {
        match self {
            Self::DataPlane | Self::LimitsInProcess | Self::LimitsInRedis => true,
            Self::Direct | Self::Nginx | Self::NginxUnbuffered => false,
        }
    }
}
