//! A credential that the provider refused.
//!
//! The first refusal sets the provider aside for 30 s, while the node that saw it probes with that credential. A probe
//! that is accepted ends it at once; one that is refused makes the credential failed: out of rotation, probed again
//! every 30 min. A probe that says neither leaves it as it was. A refusal that no waiting mends (the organisation is
//! disabled) waits for an operator: a new credential or a reset.

use serde::{Deserialize, Serialize};

use crate::time::UnixMs;

/// While the first probe runs.
pub const SUSPECT_MS: u64 = 30_000;
/// Between the probes of a failed credential.
pub const PROBE_EVERY_MS: u64 = 1_800_000;

/// Of two reports that do not know of each other, the greater holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    #[default]
    Accepted,
    /// Refused, and being probed.
    Suspect { until: UnixMs },
    /// `credential_failed`.
    Failed { probe_at: UnixMs },
    /// Refused for good.
    Revoked,
}

impl Credential {
    pub fn in_force(self, now: UnixMs) -> bool {
        match self {
            Self::Accepted => false,
            Self::Suspect { until } => now < until,
            Self::Failed { .. } | Self::Revoked => true,
        }
    }

    /// After a call was refused for it. None: it stays.
    pub fn refused(self, permanent: bool, now: UnixMs) -> Option<Self> {
        match self {
            Self::Revoked => None,
            _ if permanent => Some(Self::Revoked),
            Self::Failed { .. } => None,
            Self::Suspect { until } if now < until => None,
            Self::Accepted | Self::Suspect { .. } => Some(Self::Suspect {
                until: now.plus_ms(SUSPECT_MS),
            }),
        }
    }

    /// After a call went well. None: it stays. What ends while it is in force may have begun before.
    pub fn succeeded(self, now: UnixMs) -> Option<Self> {
        match self {
            Self::Suspect { until } if until <= now => Some(Self::Accepted),
            Self::Accepted | Self::Suspect { .. } | Self::Failed { .. } | Self::Revoked => None,
        }
    }

    /// After a probe with it. None: it stays.
    pub fn probed(self, accepted: bool, now: UnixMs) -> Option<Self> {
        match (self, accepted) {
            (Self::Accepted, true) => None,
            (_, true) => Some(Self::Accepted),
            (Self::Revoked, false) => None,
            (_, false) => Some(Self::Failed {
                probe_at: now.plus_ms(PROBE_EVERY_MS),
            }),
        }
    }
}
