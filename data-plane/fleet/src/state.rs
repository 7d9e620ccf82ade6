//! Whether Redis can be reached, as health, metrics and the start line say it.

use std::fmt;

/// The connection to the fleet's Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisState {
    /// None configured: this process is the fleet.
    None,
    Connected,
    /// Not yet, or not any more.
    Disconnected,
}

impl RedisState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
        }
    }
}

impl fmt::Display for RedisState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
