//! What only Postgres does: connecting over the network, telling other replicas of commits, bulk inserts, partitions.

pub(crate) mod connect;
pub(crate) mod ledger;
pub(crate) mod listen;
pub(crate) mod retention;
pub(crate) mod spend;

/// The database user may not do this.
pub(crate) fn is_privilege(error: &sqlx::Error) -> bool {
    const INSUFFICIENT_PRIVILEGE: &str = "42501";
    error
        .as_database_error()
        .and_then(|e| e.code())
        .is_some_and(|code| code == INSUFFICIENT_PRIVILEGE)
}
