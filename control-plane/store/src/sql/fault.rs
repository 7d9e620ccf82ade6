//! What a database error means: final, or worth doing the transaction again.
//!
//! Clashes between transactions are not answered from the error itself, which names only a constraint. The transaction
//! is run again; by then the winner's rows are visible, and the ordinary checks find the clash and name it.

use std::time::Duration;

use penstock_core::invalid::Invalid;
use sqlx::error::{DatabaseError, ErrorKind};

use crate::api::error::Error;

/// Why a transaction did not happen.
#[derive(Debug)]
pub(crate) enum Fault {
    Final(Error),
    /// Another transaction was in the way.
    Again(sqlx::Error),
}

/// Counts attempts and waits between them.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    made: u32,
}

impl Attempts {
    const MAX: u32 = 8;

    /// How many attempts have failed.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// Waits before the next attempt; gives the error back when there were enough.
    pub(crate) async fn again(&mut self, fault: Fault) -> Result<(), Error> {
        let error = match fault {
            Fault::Final(error) => return Err(error),
            Fault::Again(error) => error,
        };
        self.made += 1;
        if self.made >= Self::MAX {
            return Err(Error::Unavailable { source: error });
        }
        tokio::time::sleep(Duration::from_millis(2 << self.made)).await;
        Ok(())
    }
}

impl Fault {
    /// A row was no longer as it had been read.
    pub(crate) fn overtaken() -> Self {
        Self::Again(sqlx::Error::InvalidArgument(
            "others keep changing the same rows".to_owned(),
        ))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        Self::Final(Error::Invalid(invalid))
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(database) if is_clash(database) => Self::Again(error),
            Some(_) | None => Self::Final(error.into()),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(|e| e.code()) {
            // Class 22: a value that the database cannot hold, such as a NUL inside JSON.
            Some(code) if code.len() == 5 && code.starts_with("22") => {
                Self::Invalid(Invalid::new("spec", "holds a value that cannot be stored"))
            }
            Some(_) | None => Self::Unavailable { source: error },
        }
    }
}

fn is_clash(error: &dyn DatabaseError) -> bool {
    // Serialization failure, deadlock; SQLite: busy, locked, busy snapshot.
    const TRANSIENT: [&str; 5] = ["40001", "40P01", "5", "6", "517"];
    let by_constraint = matches!(
        error.kind(),
        // The last one Postgres says when a record meets the default partition while the right one is being attached.
        ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation | ErrorKind::CheckViolation
    );
    by_constraint
        || error
            .code()
            .is_some_and(|code| TRANSIENT.contains(&code.as_ref()))
}
