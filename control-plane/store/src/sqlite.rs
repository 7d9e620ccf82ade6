//! What only SQLite does: opening a file, and inserting row by row.

pub(crate) mod connect;
pub(crate) mod ledger;
