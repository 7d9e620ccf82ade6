//! Connecting to Postgres.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgConnection, PgPool};

use crate::open::OpenError;

/// Where a Postgres is and as whom to use it.
pub(crate) struct Target {
    options: PgConnectOptions,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Set on each connection instead of in the start-up packet, which poolers in front of Postgres refuse.
const LIMITS: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
                      SET idle_in_transaction_session_timeout = '60s'; SET TIME ZONE 'UTC'";

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::BadUrl {
            problem: "cannot be read as a Postgres URL (special characters in the password must be \
                      percent-encoded)"
                .to_owned(),
        })?;
        Ok(Self {
            options: options.application_name("penstock").disable_statement_logging(),
        })
    }

    /// Without the password.
    pub(crate) fn display(&self) -> String {
        format!(
            "postgres://{}@{}:{}/{}",
            self.options.get_username(),
            self.options.get_host(),
            self.options.get_port(),
            self.database()
        )
    }

    /// One connection, for migrations.
    pub(crate) async fn connect(&self) -> Result<PgConnection, OpenError> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.options.connect()).await {
            Ok(connected) => connected.map_err(|error| self.unreachable(error)),
            Err(_) => Err(self.unreachable(sqlx::Error::PoolTimedOut)),
        }
    }

    /// `max` connections and one for the listener.
    pub(crate) async fn pool(&self, max: u32) -> Result<PgPool, OpenError> {
        PgPoolOptions::new()
            .max_connections(max.max(1).saturating_add(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(LIMITS).await?;
                    Ok(())
                })
            })
            .connect_with(self.options.clone())
            .await
            .map_err(|error| self.unreachable(error))
    }

    /// What the database's owner must run when a privilege is missing.
    pub(crate) fn grant(&self, refusal: &sqlx::Error) -> String {
        let user = quoted(self.options.get_username());
        let text = refusal.to_string();
        if text.contains("permission denied for schema") {
            return format!("GRANT USAGE, CREATE ON SCHEMA public TO {user};");
        }
        if text.contains("permission denied for database") {
            let database = quoted(self.database());
            return format!("GRANT CONNECT, CREATE ON DATABASE {database} TO {user};");
        }
        if text.contains("must be owner") {
            let database = quoted(self.database());
            return format!(
                "ALTER DATABASE {database} OWNER TO {user}; (and so for the tables that it names)"
            );
        }
        format!(
            "GRANT USAGE, CREATE ON SCHEMA public TO {user}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user};"
        )
    }

    fn database(&self) -> &str {
        // As Postgres chooses it.
        self.options
            .get_database()
            .unwrap_or_else(|| self.options.get_username())
    }

    pub(crate) fn unreachable(&self, source: sqlx::Error) -> OpenError {
        let code = source.as_database_error().and_then(|e| e.code());
        let advice = match code.as_deref() {
            Some("28P01" | "28000") => {
                "Check user and password in the database URL, and that pg_hba.conf lets this host in"
                    .to_owned()
            }
            Some("3D000") => format!("Create it: CREATE DATABASE {};", quoted(self.database())),
            Some("53300") => "Raise max_connections of Postgres, or lower that of Penstock".to_owned(),
            Some(_) | None => "Check that Postgres runs, and host and port in the database URL".to_owned(),
        };
        OpenError::Unreachable {
            target: self.display(),
            advice,
            source,
        }
    }
}

/// As an SQL identifier, for people to paste.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g15_no_message_shows_the_password() {
        let target = Target::parse("postgres://ann:s3cret@db.example:5433/penstock").unwrap();
        let error = target.unreachable(sqlx::Error::PoolTimedOut);
        let text = error.to_string();
        assert!(text.starts_with("Database connection failed: postgres://ann@db.example:5433/penstock"));
        assert!(!format!("{text} {error:?}").contains("s3cret"));
    }

    #[test]
    fn g15_a_grant_can_be_pasted() {
        let target = Target::parse("postgres://od\"d@h/db").unwrap();
        assert!(
            target
                .grant(&sqlx::Error::PoolTimedOut)
                .contains("TO \"od\"\"d\";")
        );
    }
}
