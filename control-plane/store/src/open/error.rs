//! Why the store cannot be opened, and what to do about it.
//!
//! Each text is complete: it is printed at start as it is. None contains the URL's password.

/// A start that cannot succeed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "Database connection failed: the database URL {problem}. Use postgres://USER:PASSWORD@HOST:PORT/DATABASE or \
         sqlite:PATH"
    )]
    BadUrl { problem: String },

    /// `target` names the database without its password.
    #[error("Database connection failed: {target}: {source}. {advice}")]
    Unreachable {
        target: String,
        advice: String,
        source: sqlx::Error,
    },

    #[error(
        "Migration failed: the database user lacks a privilege ({source}). Run this as the database's owner, then \
         start again: {grant}"
    )]
    MissingPrivilege { grant: String, source: sqlx::Error },

    #[error(
        "Migration failed: migration {version} was applied to this database in another form than this release has it \
         (its checksum differs). Run the release that the database belongs to, or restore a backup"
    )]
    ChecksumChanged { version: i64 },

    #[error(
        "Migration failed: the database is newer than this release (it has migration {version}, this release ends \
         at {newest}). Run the newer release, or restore a backup from before the upgrade"
    )]
    NewerSchema { version: i64, newest: i64 },

    #[error(
        "Migration failed: auto-migration is off and these migrations are pending: {}. Run `penstock migrate up` or \
         allow auto-migration",
        .list.join(", ")
    )]
    Pending { list: Vec<String> },

    #[error("Migration failed: {problem}: {source}")]
    Migration { problem: String, source: sqlx::Error },
}
