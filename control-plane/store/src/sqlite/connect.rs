//! Opening a SQLite file.
//!
//! One connection writes, several read beside it on the write-ahead log. Every commit is synced to disk
//! (`synchronous = FULL`): an acknowledged usage record or a revoked key must also survive a power cut.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use crate::open::OpenError;
use crate::sql::tx::Pools;

/// Where a SQLite database is.
pub(crate) struct Target {
    options: SqliteConnectOptions,
    in_memory: bool,
}

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Writers queue for the one connection; an import of the largest size ends within this.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
const READERS: u32 = 4;

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::from_str(url).map_err(|error| OpenError::BadUrl {
            problem: format!("cannot be read as a SQLite URL ({error})"),
        })?;
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        Ok(Self {
            options: options
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
                .disable_statement_logging(),
            in_memory,
        })
    }

    pub(crate) fn display(&self) -> String {
        format!("sqlite:{}", self.options.get_filename().display())
    }

    pub(crate) fn exists(&self) -> bool {
        !self.in_memory && self.options.get_filename().exists()
    }

    /// One connection, for migrations by hand.
    pub(crate) async fn connect(&self) -> Result<SqliteConnection, OpenError> {
        self.create_private();
        self.options
            .connect()
            .await
            .map_err(|error| self.unreachable(error))
    }

    /// All connections, and the writing ones apart, for migrations.
    pub(crate) async fn pools(&self) -> Result<(Pools, SqlitePool), OpenError> {
        self.create_private();
        let pool = |max: u32, timeout: Duration| {
            let pool = SqlitePoolOptions::new()
                .max_connections(max)
                .acquire_timeout(timeout);
            // A connection in memory is the database.
            match self.in_memory {
                true => pool.idle_timeout(None).max_lifetime(None),
                false => pool,
            }
        };
        let connect = |pool: SqlitePoolOptions| pool.connect_with(self.options.clone());
        let writer: SqlitePool = connect(pool(1, WRITE_TIMEOUT))
            .await
            .map_err(|error| self.unreachable(error))?;
        let readers = match self.in_memory {
            true => writer.clone(),
            false => connect(pool(READERS, READ_TIMEOUT))
                .await
                .map_err(|error| self.unreachable(error))?,
        };
        let pools = Pools::Sqlite {
            writer: writer.clone(),
            readers,
        };
        Ok((pools, writer))
    }

    /// A new file is readable by its owner only; SQLite gives its companions the same mode.
    fn create_private(&self) {
        if self.in_memory {
            return;
        }
        if let Err(error) = create_private(self.options.get_filename()) {
            // SQLite fails at the same place and its error is reported.
            tracing::debug!(%error, "the database file cannot be created");
        }
    }

    pub(crate) fn unreachable(&self, source: sqlx::Error) -> OpenError {
        OpenError::Unreachable {
            target: self.display(),
            advice:
                "Check that the folder exists, that this user may write to it, and that the file is a SQLite \
                     database"
                    .to_owned(),
            source,
        }
    }
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map(drop)
}

#[cfg(not(unix))]
fn create_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
