//! Migrations: what the database has, what this release has, and bringing the one to the other.
//!
//! The database is looked at first and migrated only when something is pending, so that a database user without the
//! right to make tables can run on a schema that its owner has migrated.

use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};

use super::{Backend, MigrationStatus, OpenError};

pub(super) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");
pub(super) static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// The number of the last migration of this release.
pub(crate) fn newest_migration(backend: Backend) -> i64 {
    let migrator = match backend {
        Backend::Postgres => &POSTGRES,
        Backend::Sqlite => &SQLITE,
    };
    migrator.iter().map(|known| known.version).max().unwrap_or(0)
}

/// How the migrations of one database stand, by version.
///
/// `migrated`: the database has a table of migrations.
pub(super) async fn status<C: Migrate>(
    connection: &mut C,
    migrator: &Migrator,
    migrated: bool,
) -> Result<Vec<MigrationStatus>, MigrateError> {
    if !migrated {
        return Ok(none_applied(migrator));
    }
    let applied = connection.list_applied_migrations(&migrator.table_name).await?;
    let mut all = none_applied(migrator);
    for (known, status) in migrator.iter().zip(&mut all) {
        let here = applied.iter().find(|a| a.version == known.version);
        status.applied = here.is_some();
        status.changed = here.is_some_and(|here| here.checksum != known.checksum);
    }
    all.extend(
        applied
            .iter()
            .filter(|a| !migrator.version_exists(a.version))
            .map(|a| MigrationStatus {
                version: a.version,
                description: String::new(),
                applied: true,
                known: false,
                changed: false,
            }),
    );
    all.sort_by_key(|migration| migration.version);
    Ok(all)
}

/// The migrations of this release on a database that has none.
pub(super) fn none_applied(migrator: &Migrator) -> Vec<MigrationStatus> {
    let known = migrator.iter().map(|known| MigrationStatus {
        version: known.version,
        description: known.description.to_string(),
        applied: false,
        known: true,
        changed: false,
    });
    known.collect()
}

/// Refuses a database that does not belong to this release; otherwise names what is pending.
pub(super) fn pending(all: &[MigrationStatus]) -> Result<Vec<String>, OpenError> {
    let newest = all.iter().filter(|m| m.known).map(|m| m.version).max();
    for migration in all {
        if !migration.known {
            return Err(OpenError::NewerSchema {
                version: migration.version,
                newest: newest.unwrap_or(0),
            });
        }
        if migration.changed {
            return Err(OpenError::ChecksumChanged {
                version: migration.version,
            });
        }
    }
    let pending = all.iter().filter(|m| !m.applied);
    Ok(pending
        .map(|m| format!("{:04} {}", m.version, m.description))
        .collect())
}

pub(super) async fn up<C: Migrate>(connection: &mut C, migrator: &Migrator) -> Result<(), MigrateError> {
    migrator.run_direct(None, connection, false).await
}

/// What went wrong in words, and the database's own error.
pub(super) fn explain(error: MigrateError, migrator: &Migrator) -> (String, sqlx::Error) {
    if let MigrateError::ExecuteMigration(source, version) = error {
        let failed = migrator.iter().find(|m: &&Migration| m.version == version);
        let name = failed.map(|m| m.description.as_ref()).unwrap_or_default();
        let problem = format!("migration {version:04} {name} cannot be applied, and nothing of it was kept");
        return (problem, source);
    }
    let problem = "the migrations cannot be read or applied".to_owned();
    if let MigrateError::Execute(source) = error {
        return (problem, source);
    }
    (problem, sqlx::Error::Migrate(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(version: i64, applied: bool) -> MigrationStatus {
        MigrationStatus {
            version,
            description: "create things".to_owned(),
            applied,
            known: true,
            changed: false,
        }
    }

    #[test]
    fn what_is_pending_is_named() {
        let all = [migration(1, true), migration(2, false)];
        assert_eq!(pending(&all).unwrap(), ["0002 create things"]);
    }

    #[test]
    fn g15_a_newer_database_is_not_touched() {
        let newer = MigrationStatus {
            known: false,
            ..migration(3, true)
        };
        let text = pending(&[migration(1, true), newer]).unwrap_err().to_string();
        assert!(
            text.contains("it has migration 3, this release ends at 1"),
            "{text}"
        );
    }

    #[test]
    fn both_databases_have_the_same_migrations() {
        let names = |migrator: &Migrator| -> Vec<(i64, String)> {
            migrator
                .iter()
                .map(|m| (m.version, m.description.to_string()))
                .collect()
        };
        assert_eq!(names(&POSTGRES), names(&SQLITE));
    }
}
