//! Why the store refused or failed.
//!
//! The texts are for operators: they name the resource as people do (`provider "main"`, `key "alice/laptop"`) and say
//! what to do. They hold no secrets and no statements.

use penstock_core::invalid::Invalid;
use penstock_core::time::UnixMs;

/// What a store call can end with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The resource is not at the version that the caller expected.
    #[error("{}", conflict(.label, *.expected, *.actual, .changed_by.as_deref(), *.changed_at))]
    Conflict {
        label: String,
        /// None: the caller expected nothing to be there.
        expected: Option<u64>,
        /// None: nothing is there.
        actual: Option<u64>,
        /// Who made the newest version, when that is known.
        changed_by: Option<String>,
        changed_at: Option<UnixMs>,
    },

    /// Another resource of the same kind (for keys: of the same user) has the name.
    #[error("{label} exists already: choose another name")]
    NameTaken { label: String },

    /// Another key has the same secret, or had it until its last rotation.
    #[error("the secret of {label} belongs to another key already: use that key, or delete it first")]
    SecretTaken { label: String },

    /// The resource, or one that it names, does not exist.
    #[error("{label} does not exist")]
    NotFound { label: String },

    /// The resource is named by others and cannot be deleted.
    #[error("{label} is still used by {by}: change or delete that first")]
    InUse { label: String, by: String },

    /// The request makes no sense in itself; trying again is useless.
    #[error("{0}")]
    Invalid(#[from] Invalid),

    /// One row cannot be read.
    #[error("{label} is damaged in the database, or was written by a newer release: {problem}")]
    Corrupt { label: String, problem: String },

    /// The database cannot be asked now. A commit may have happened or not.
    #[error("the database is not available: {source}")]
    Unavailable { source: sqlx::Error },
}

impl Error {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Conflict { .. }
            | Self::NameTaken { .. }
            | Self::SecretTaken { .. }
            | Self::NotFound { .. }
            | Self::InUse { .. }
            | Self::Invalid(_)
            | Self::Corrupt { .. } => false,
        }
    }
}

fn conflict(
    label: &str,
    expected: Option<u64>,
    actual: Option<u64>,
    by: Option<&str>,
    at: Option<UnixMs>,
) -> String {
    let who = match (by, at) {
        (Some(by), Some(at)) => format!(" (changed by {by} at {at})"),
        (Some(by), None) => format!(" (changed by {by})"),
        (None, _) => String::new(),
    };
    match (expected, actual) {
        (None, Some(actual)) => {
            format!("{label} exists already, at version {actual}{who}: update it instead")
        }
        (Some(expected), Some(actual)) => format!(
            "{label} is at version {actual}{who}, not at version {expected}: read it again and repeat the change"
        ),
        (Some(expected), None) => format!("{label} is gone{who}; version {expected} of it was expected"),
        (None, None) => format!("{label} was changed by others at the same time: try again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stale(expected: Option<u64>, actual: Option<u64>) -> String {
        let error = Error::Conflict {
            label: "provider \"main\"".to_owned(),
            expected,
            actual,
            changed_by: Some("ann".to_owned()),
            changed_at: Some(UnixMs(1_700_000_000_000)),
        };
        error.to_string()
    }

    #[test]
    fn g01_a_conflict_names_resource_versions_author_and_time() {
        assert_eq!(
            stale(Some(3), Some(5)),
            "provider \"main\" is at version 5 (changed by ann at 2023-11-14T22:13:20Z), not at version 3: \
             read it again and repeat the change"
        );
        assert!(stale(None, Some(1)).contains("exists already"));
        assert!(stale(Some(2), None).contains("is gone (changed by ann"));
    }

    #[test]
    fn only_an_absent_database_is_worth_another_try() {
        let away = Error::Unavailable {
            source: sqlx::Error::PoolTimedOut,
        };
        assert!(away.is_retryable());
        let missing = Error::NotFound {
            label: "user \"x\"".to_owned(),
        };
        assert!(!missing.is_retryable());
    }
}
