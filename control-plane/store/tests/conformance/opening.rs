//! Start-up faults are explained, with what to do.

use penstock_store::{Backend, OpenError, OpenOptions, migrate_up, migrations, open};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::bench::with_place;

/// Makes a test on each backend that starts without a schema.
macro_rules! without_schema {
    ($($name:ident),* $(,)?) => {
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                crate::bench::with_place(penstock_store::Backend::Postgres, super::$name).await;
            })*
        }
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                crate::bench::with_place(penstock_store::Backend::Sqlite, super::$name).await;
            })*
        }
    };
}

without_schema!(
    g15_pending_migrations_are_listed_when_auto_migration_is_off,
    g15_a_changed_checksum_is_refused,
    g15_a_newer_schema_is_refused,
    migrating_by_hand_is_enough,
    opening_twice_at_once_migrates_once,
);

async fn g15_pending_migrations_are_listed_when_auto_migration_is_off(url: String) {
    let text = refusal(&by_hand(&url)).await.to_string();
    assert!(
        text.starts_with("Migration failed: auto-migration is off"),
        "{text}"
    );
    assert!(
        text.contains("0001 create configuration, 0002 create history"),
        "{text}"
    );
    assert!(text.contains("penstock migrate up"), "{text}");
    let all = migrations(&url).await.unwrap();
    assert!(all.iter().all(|m| m.known && !m.applied), "{all:?}");
}

async fn g15_a_changed_checksum_is_refused(url: String) {
    migrate_up(&url).await.unwrap();
    run(
        &url,
        "UPDATE _sqlx_migrations SET checksum = checksum || checksum WHERE version = 2",
    )
    .await;
    let text = refusal(&OpenOptions::new(&url)).await.to_string();
    assert!(
        text.contains("migration 2 was applied to this database in another form"),
        "{text}"
    );
    assert!(migrations(&url).await.unwrap()[1].changed);
}

async fn g15_a_newer_schema_is_refused(url: String) {
    migrate_up(&url).await.unwrap();
    run(
        &url,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 9999, 'future', success, checksum, 1 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    let text = refusal(&OpenOptions::new(&url)).await.to_string();
    assert!(
        text.contains("newer than this release (it has migration 9999"),
        "{text}"
    );
    let last = migrations(&url).await.unwrap().pop().unwrap();
    assert_eq!((last.version, last.known, last.applied), (9999, false, true));
}

async fn migrating_by_hand_is_enough(url: String) {
    let all = migrate_up(&url).await.unwrap();
    assert!(all.iter().all(|m| m.applied && !m.changed), "{all:?}");
    assert_eq!(migrate_up(&url).await.unwrap(), all);
    open(&by_hand(&url)).await.unwrap().close().await;
}

async fn opening_twice_at_once_migrates_once(url: String) {
    if url.starts_with("sqlite:") {
        // One process owns a file.
        return;
    }
    let options = OpenOptions::new(&url);
    let (first, second) = tokio::join!(open(&options), open(&options));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.head().await.unwrap(), second.head().await.unwrap());
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn g15_a_missing_privilege_comes_with_its_grant() {
    with_place(Backend::Postgres, |url| async move {
        let role = format!("{}_poor", url.rsplit_once('/').unwrap().1);
        run(&url, &format!("CREATE ROLE {role} LOGIN PASSWORD 's3cret'")).await;
        let poor = url.replace("postgres://postgres@", &format!("postgres://{role}:s3cret@"));
        assert_ne!(poor, url);
        let error = refusal(&OpenOptions::new(&poor)).await;
        let OpenError::MissingPrivilege { grant, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(
            *grant,
            format!("GRANT USAGE, CREATE ON SCHEMA public TO \"{role}\";")
        );
        let text = format!("{error} {error:?}");
        assert!(
            text.starts_with("Migration failed: ") && text.contains(grant),
            "{text}"
        );
        assert!(!text.contains("s3cret"), "{text}");
        // On a schema that another role made, the tables are closed.
        migrate_up(&url).await.unwrap();
        let error = refusal(&OpenOptions::new(&poor)).await;
        let OpenError::MissingPrivilege { grant, .. } = &error else {
            panic!("{error}");
        };
        run(&url, grant).await;
        open(&OpenOptions::new(&poor)).await.unwrap().close().await;
        run(&url, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    })
    .await;
}

#[tokio::test]
async fn g15_a_database_that_is_down_or_missing_is_said_so() {
    let nobody = refusal(&OpenOptions::new("postgres://ann:s3cret@127.0.0.1:1/db")).await;
    let text = format!("{nobody} {nobody:?}");
    assert!(
        text.starts_with("Database connection failed: postgres://ann@127.0.0.1:1/db"),
        "{text}"
    );
    assert!(!text.contains("s3cret"), "{text}");
    let url = crate::bench::superuser_url();
    let url = format!("{}/no_such_database", url.rsplit_once('/').unwrap().0);
    let text = refusal(&OpenOptions::new(url)).await.to_string();
    assert!(text.contains("CREATE DATABASE \"no_such_database\";"), "{text}");
    let text = refusal(&OpenOptions::new("sqlite:/no/such/folder/x.db"))
        .await
        .to_string();
    assert!(text.contains("Check that the folder exists"), "{text}");
}

#[tokio::test]
async fn g15_a_bad_url_is_said_so_without_the_password() {
    for url in [
        "mysql://ann:s3cret@h/db",
        "s3cret",
        "postgres://ann:s3cret@h:port/db",
        "sqlite:x?mode=s3cret",
    ] {
        let error = refusal(&OpenOptions::new(url)).await;
        assert!(matches!(error, OpenError::BadUrl { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with("Database connection failed: the database URL "),
            "{text}"
        );
        assert!(url.starts_with("sqlite") || !text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_store_in_memory_works_without_a_file() {
    let store = open(&OpenOptions::new("sqlite::memory:")).await.unwrap();
    let put = crate::build::put_user(1, "alice");
    store.commit(crate::build::commit().with(put)).await.unwrap();
    assert_eq!(store.load().await.unwrap().resources.len(), 1);
    let other = open(&OpenOptions::new("sqlite::memory:")).await.unwrap();
    assert_eq!(other.load().await.unwrap().resources.len(), 0);
}

#[tokio::test]
async fn a_closed_store_is_unavailable_and_says_so_at_once() {
    with_place(Backend::Postgres, |url| async move {
        let store = open(&OpenOptions::new(&url)).await.unwrap();
        store.close().await;
        let error = store.head().await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_database_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("penstock.db");
    let store = open(&OpenOptions::new(format!("sqlite:{}", path.display())))
        .await
        .unwrap();
    for file in [path.clone(), dir.path().join("penstock.db-wal")] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    store.close().await;
}

fn by_hand(url: &str) -> OpenOptions {
    OpenOptions {
        auto_migrate: false,
        ..OpenOptions::new(url)
    }
}

async fn refusal(options: &OpenOptions) -> OpenError {
    match open(options).await {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

async fn run(url: &str, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}
