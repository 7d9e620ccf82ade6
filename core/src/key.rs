//! Keys: what callers present, and whose they are.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::api_key::KeyHash;
use crate::id::UserId;
use crate::invalid::Invalid;
use crate::limits::Limits;
use crate::name;
use crate::time::UnixMs;

/// A credential of a user. Its secret is known only as a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Unique among the keys of its user.
    pub name: String,
    /// Never changes.
    pub user_id: UserId,
    pub access: Access,
    /// May be larger than the user's; those still hold.
    #[serde(default = "Limits::none")]
    pub limits: Arc<Limits>,
    /// First eight and last four characters of the secret; empty for imported hashes.
    pub hint: String,
    /// SHA-256 of the secret, or of secret ‖ suffix when `import_suffix` is set.
    pub hash: KeyHash,
    /// Name of the [`ImportSuffix`](crate::setting::ImportSuffix) inside the hash.
    pub import_suffix: Option<String>,
    /// The secret before the last rotation.
    pub previous: Option<PreviousSecret>,
}

/// A former secret that still works for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    pub hash: KeyHash,
    /// From this instant on it is refused.
    pub valid_until: UnixMs,
}

impl Key {
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check("name", &self.name)?;
        if let Some(suffix) = &self.import_suffix {
            name::check("import_suffix", suffix)?;
        }
        self.access.validate()?;
        self.limits.validate()
    }
}
