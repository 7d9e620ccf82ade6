//! Connecting to the database at start.
//!
//! A start that cannot succeed says in one message what is wrong and what to do ([`OpenError`]).

mod error;

use std::sync::Arc;

pub use error::OpenError;

use crate::api::store::Store;

/// Which database stands behind the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Postgres,
    Sqlite,
}

/// How to open the store.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the URL can hold a password")]
pub struct OpenOptions {
    /// `postgres://…`, `sqlite:PATH` or, for tests, `sqlite::memory:`.
    pub url: String,
    /// Apply pending migrations; otherwise they are refused with [`OpenError::Pending`].
    pub auto_migrate: bool,
    /// Connections to Postgres, the listener's not counted.
    pub max_connections: u32,
}

/// One migration of this release, or one that the database has and this release does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    pub version: i64,
    pub description: String,
    pub applied: bool,
    /// This release has it.
    pub known: bool,
    /// What was applied is not what this release has under this number.
    pub changed: bool,
}

impl Backend {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

impl OpenOptions {
    /// Migrations are applied, and there are 16 connections.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            auto_migrate: true,
            max_connections: 16,
        }
    }
}

/// Connects, brings the schema up to date if asked to, and makes the ledger's next partitions.
pub async fn open(options: &OpenOptions) -> Result<Arc<dyn Store>, OpenError> {
    Err(OpenError::BadUrl {
        problem: format!("nothing can be opened yet ({} characters)", options.url.len()),
    })
}

/// The migrations of this release and of the database, by version. Changes nothing.
pub async fn migrations(url: &str) -> Result<Vec<MigrationStatus>, OpenError> {
    Err(OpenError::BadUrl {
        problem: format!("nothing can be opened yet ({} characters)", url.len()),
    })
}

/// Applies what is pending and answers with it.
pub async fn migrate_up(url: &str) -> Result<Vec<MigrationStatus>, OpenError> {
    migrations(url).await
}
