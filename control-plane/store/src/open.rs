//! Connecting to the database at start.
//!
//! A start that cannot succeed says in one message what is wrong and what to do ([`OpenError`]).

mod error;
mod migrate;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use penstock_core::time::UnixMs;
use sqlx::migrate::MigrateError;
use sqlx::{Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

pub use error::OpenError;
pub(crate) use migrate::newest_migration;

use crate::api::store::Store;
use crate::database::Database;
use crate::sql::query::sql;
use crate::sql::tx::Pools;
use crate::{postgres, sqlite};

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

/// Where a database is.
enum Target {
    Postgres(postgres::connect::Target),
    Sqlite(sqlite::connect::Target),
}

/// Connects, brings the schema up to date if asked to, and makes the ledger's next partitions.
pub async fn open(options: &OpenOptions) -> Result<Arc<dyn Store>, OpenError> {
    let pools = match Target::parse(&options.url)? {
        Target::Postgres(target) => {
            on_postgres(&target, options.auto_migrate).await?;
            let pool = target.pool(options.max_connections).await?;
            let pools = Pools::Postgres(pool);
            make_head(&pools).await.map_err(|error| refused(&target, error))?;
            pools
        }
        Target::Sqlite(target) => {
            let (pools, writer) = target.pools().await?;
            let mut connection = writer
                .acquire()
                .await
                .map_err(|error| target.unreachable(error))?;
            on_sqlite(&target, &mut connection, options.auto_migrate).await?;
            drop(connection);
            make_head(&pools)
                .await
                .map_err(|error| target.unreachable(error))?;
            pools
        }
    };
    let store = Database::start(pools);
    if let Err(error) = store.prepare_ledger(now()).await {
        tracing::warn!(%error, "the ledger's partitions were not made; records go to the default partition");
    }
    Ok(Arc::new(store))
}

/// The migrations of this release and of the database, by version. Changes nothing.
pub async fn migrations(url: &str) -> Result<Vec<MigrationStatus>, OpenError> {
    match Target::parse(url)? {
        Target::Postgres(target) => {
            let mut connection = target.connect().await?;
            let all = postgres_status(&target, &mut connection).await?;
            close(connection).await;
            Ok(all)
        }
        Target::Sqlite(target) if target.exists() => {
            let mut connection = target.connect().await?;
            let all = sqlite_status(&target, &mut connection).await?;
            close(connection).await;
            Ok(all)
        }
        Target::Sqlite(_) => Ok(migrate::none_applied(&migrate::SQLITE)),
    }
}

/// Applies what is pending and answers with all migrations.
pub async fn migrate_up(url: &str) -> Result<Vec<MigrationStatus>, OpenError> {
    match Target::parse(url)? {
        Target::Postgres(target) => on_postgres(&target, true).await,
        Target::Sqlite(target) => {
            let mut connection = target.connect().await?;
            let all = on_sqlite(&target, &mut connection, true).await?;
            close(connection).await;
            Ok(all)
        }
    }
}

impl Target {
    fn parse(url: &str) -> Result<Self, OpenError> {
        match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => postgres::connect::Target::parse(url).map(Self::Postgres),
            Some(("sqlite", _)) => sqlite::connect::Target::parse(url).map(Self::Sqlite),
            Some((scheme, _)) => Err(OpenError::BadUrl {
                problem: format!("begins with {scheme:?}, which is no database that Penstock knows"),
            }),
            None => Err(OpenError::BadUrl {
                problem: "has no scheme".to_owned(),
            }),
        }
    }
}

async fn on_postgres(
    target: &postgres::connect::Target,
    auto_migrate: bool,
) -> Result<Vec<MigrationStatus>, OpenError> {
    let mut connection = target.connect().await?;
    let mut all = postgres_status(target, &mut connection).await?;
    let pending = migrate::pending(&all)?;
    if !pending.is_empty() {
        if !auto_migrate {
            return Err(OpenError::Pending { list: pending });
        }
        let migrated = migrate::up(&mut connection, &migrate::POSTGRES).await;
        // Closing the connection also gives up the migration lock, whatever happened.
        migrated.map_err(|error| migration_failed(target, error))?;
        all = postgres_status(target, &mut connection).await?;
    }
    close(connection).await;
    Ok(all)
}

async fn on_sqlite(
    target: &sqlite::connect::Target,
    connection: &mut SqliteConnection,
    auto_migrate: bool,
) -> Result<Vec<MigrationStatus>, OpenError> {
    let all = sqlite_status(target, connection).await?;
    let pending = migrate::pending(&all)?;
    if pending.is_empty() {
        return Ok(all);
    }
    if !auto_migrate {
        return Err(OpenError::Pending { list: pending });
    }
    migrate::up(connection, &migrate::SQLITE).await.map_err(|error| {
        let (problem, source) = migrate::explain(error, &migrate::SQLITE);
        OpenError::Migration { problem, source }
    })?;
    sqlite_status(target, connection).await
}

async fn postgres_status(
    target: &postgres::connect::Target,
    connection: &mut PgConnection,
) -> Result<Vec<MigrationStatus>, OpenError> {
    let migrated = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| refused(target, error))?;
    migrate::status(connection, &migrate::POSTGRES, migrated)
        .await
        .map_err(|error| migration_failed(target, error))
}

async fn sqlite_status(
    target: &sqlite::connect::Target,
    connection: &mut SqliteConnection,
) -> Result<Vec<MigrationStatus>, OpenError> {
    let migrated =
        sqlx::query_scalar("SELECT COUNT(*) > 0 FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| target.unreachable(error))?;
    migrate::status(connection, &migrate::SQLITE, migrated)
        .await
        .map_err(|error| target.unreachable(migrate::explain(error, &migrate::SQLITE).1))
}

/// A new history starts with an epoch of its own.
async fn make_head(pools: &Pools) -> Result<(), sqlx::Error> {
    let query = sql(
        "INSERT INTO config_head (only_row, epoch, revision) VALUES (1, $1, 0) \
         ON CONFLICT (only_row) DO NOTHING",
    );
    let mut tx = pools.write().await?;
    tx.execute(query.bind(Uuid::now_v7())).await?;
    tx.commit().await
}

fn migration_failed(target: &postgres::connect::Target, error: MigrateError) -> OpenError {
    let (problem, source) = migrate::explain(error, &migrate::POSTGRES);
    match postgres::is_privilege(&source) {
        true => refused(target, source),
        false => OpenError::Migration { problem, source },
    }
}

fn refused(target: &postgres::connect::Target, source: sqlx::Error) -> OpenError {
    match postgres::is_privilege(&source) {
        true => OpenError::MissingPrivilege {
            grant: target.grant(&source),
            source,
        },
        false => target.unreachable(source),
    }
}

async fn close(connection: impl Connection) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection did not close politely");
    }
}

fn now() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
