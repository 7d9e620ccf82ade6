//! A new database for each test, and the test on each backend.

use std::future::Future;
use std::sync::Arc;

use penstock_store::{Backend, OpenOptions, Store, open};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;

/// A new database.
pub(crate) enum Place {
    Postgres { url: String, name: String },
    Sqlite { url: String, dir: TempDir },
}

/// An open store on a new database.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) url: String,
}

/// Makes a test on each backend of each function.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::bench::run(penstock_store::Backend::Postgres, super::$name).await;
            })*
        }
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::bench::run(penstock_store::Backend::Sqlite, super::$name).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// Runs a test with an open store and takes the database away afterwards, also when the test fails.
pub(crate) async fn run<F, T>(backend: Backend, test: F)
where
    F: FnOnce(Bench) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    with_place(backend, |url| async move {
        let store = open(&OpenOptions::new(&url)).await.unwrap();
        let bench = Bench { store, url };
        test(bench.clone()).await;
        bench.store.close().await;
    })
    .await;
}

/// Runs a test with the URL of a new, empty database.
pub(crate) async fn with_place<F, T>(backend: Backend, test: F)
where
    F: FnOnce(String) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let place = Place::new(backend).await;
    let url = place.url().to_owned();
    let mut task = JoinSet::new();
    task.spawn(async move { test(url).await });
    let ended = task.join_next().await.unwrap();
    place.remove().await;
    if let Err(failed) = ended {
        std::panic::resume_unwind(failed.into_panic());
    }
}

impl Place {
    pub(crate) async fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let dir = TempDir::new().unwrap();
                let url = format!("sqlite:{}/penstock.db", dir.path().display());
                Self::Sqlite { url, dir }
            }
            Backend::Postgres => {
                let name = format!("penstock_store_{}", Uuid::now_v7().simple());
                as_superuser(format!("CREATE DATABASE {name}")).await;
                let url = superuser_url();
                let (server, _) = url.rsplit_once('/').unwrap();
                let url = format!("{server}/{name}");
                Self::Postgres { url, name }
            }
        }
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Postgres { url, .. } | Self::Sqlite { url, .. } => url,
        }
    }

    async fn remove(self) {
        match self {
            Self::Postgres { name, .. } => {
                as_superuser(format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
            Self::Sqlite { dir, .. } => drop(dir),
        }
    }
}

impl Bench {
    /// Another store on the same database, as of another replica.
    pub(crate) async fn another(&self) -> Arc<dyn Store> {
        open(&OpenOptions::new(&self.url)).await.unwrap()
    }

    /// The one text column of each row that a query of the test itself finds, past the store.
    pub(crate) async fn texts(&self, query: String) -> Vec<String> {
        let query = AssertSqlSafe(query);
        match self.store.backend() {
            Backend::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                let found = sqlx::query_scalar(query).fetch_all(&mut connection).await;
                connection.close().await.unwrap();
                found.unwrap()
            }
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                let found = sqlx::query_scalar(query).fetch_all(&mut connection).await;
                connection.close().await.unwrap();
                found.unwrap()
            }
        }
    }

    /// Runs a statement of the test itself, past the store.
    pub(crate) async fn execute(&self, statement: String) {
        match self.store.backend() {
            Backend::Postgres => on_database(&self.url, statement).await,
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(statement))
                    .execute(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
            }
        }
    }
}

/// The Postgres of this test run.
pub(crate) fn superuser_url() -> String {
    std::env::var("PENSTOCK_TEST_POSTGRES_URL").expect(
        "PENSTOCK_TEST_POSTGRES_URL is not set: run the tests by ./test -p penstock-store, which starts a Postgres",
    )
}

pub(crate) async fn as_superuser(statement: String) {
    on_database(&superuser_url(), statement).await;
}

/// Runs statements of the test itself. They are put together from names that the test made.
pub(crate) async fn on_database(url: &str, statement: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}
