//! The first line of a backup.

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::time::UnixMs;

/// What every backup says that it is.
pub const FORMAT: &str = "penstock-backup";
/// Of the form; raised when an older release could misunderstand it.
pub const VERSION: u32 = 1;

/// What this file is and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// At most [`VERSION`].
    pub version: u32,
    /// The release that wrote it.
    pub product: String,
    /// The [`SCHEMA`](crate::resource::SCHEMA) of that release.
    pub schema: u32,
    pub kind: BackupKind,
    pub created_at: UnixMs,
    /// Names the master key that its secrets are sealed under. None: nothing in it is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_key: Option<String>,
    /// Further keys that secrets in it are sealed under: of a rotation that had not come to its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_master_keys: Vec<String>,
    /// Whether it holds the ledger.
    pub include_usage: bool,
    /// About how many rows there were when it was begun, to show how far it has come: the last line tells what there is.
    pub counts: Counts,
}

/// What becomes of secrets and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupKind {
    /// Secrets as they are sealed, keys as hashes: of use under the same master key.
    Standard,
    /// No secrets, and other names and ids, the same ones everywhere. To be read, not to be restored.
    Sanitised,
    /// Secrets in plain text.
    WithSecrets,
    /// As with secrets, and encrypted as a whole.
    Encrypted,
}

impl BackupKind {
    pub const ALL: [Self; 4] = [
        Self::Standard,
        Self::Sanitised,
        Self::WithSecrets,
        Self::Encrypted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Sanitised => "sanitised",
            Self::WithSecrets => "with-secrets",
            Self::Encrypted => "encrypted",
        }
    }

    /// Whether its lines hold secrets that anybody can read.
    pub fn has_plain_secrets(self) -> bool {
        match self {
            Self::WithSecrets | Self::Encrypted => true,
            Self::Standard | Self::Sanitised => false,
        }
    }
}
