//! The tables that backups take along as they are. One file for what belongs together; the order is that of a backup.

mod breaker_actions;
mod logs;
mod others;
mod price_backfills;
mod retention;
mod rollups;
mod spend;
mod sums;

use crate::api::archive::ArchiveTable;

pub use others::OTHER_TABLES;
pub use spend::{DAYS as SPEND_DAYS, MINUTES as SPEND_MINUTES};

/// All of them.
pub static TABLES: [&ArchiveTable; 14] = [
    &breaker_actions::TABLE,
    &price_backfills::TABLE,
    &rollups::TABLE,
    &sums::DAYS,
    &sums::TRAFFIC,
    &sums::OUTCOMES,
    &spend::TOTALS,
    &spend::MINUTES,
    &spend::DAYS,
    &spend::MARKS,
    &retention::MARKS,
    &logs::AUDIT,
    &logs::FAILED_CALLS,
    &logs::NOTIFICATIONS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g05_each_table_has_a_key_and_no_column_twice() {
        for table in TABLES {
            assert!(
                table.key > 0 && table.key <= table.columns.len(),
                "{}",
                table.name
            );
            let mut names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        }
    }
}
