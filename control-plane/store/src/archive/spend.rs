//! What users, keys and providers have spent, and how far each spool is delivered.

use crate::api::archive::{ArchiveTable, Column, Merge};

const SUBJECTS: [&str; 3] = ["key", "user", "provider"];

pub(super) static TOTALS: ArchiveTable = ArchiveTable {
    name: "spend_totals",
    columns: &[
        Column::one_of("subject_kind", &SUBJECTS),
        Column::id("subject_id"),
        Column::total("total_nanousd"),
    ],
    key: 2,
    merge: Merge::Greatest,
    ledger: true,
};

/// What was spent by minute.
pub static MINUTES: ArchiveTable = ArchiveTable {
    name: "spend_minutes",
    columns: &[
        Column::one_of("subject_kind", &SUBJECTS),
        Column::id("subject_id"),
        Column::int("minute"),
        Column::int("cost_nanousd"),
    ],
    key: 3,
    merge: Merge::Greatest,
    ledger: true,
};

/// By UTC day, of minutes that are no longer kept.
pub static DAYS: ArchiveTable = ArchiveTable {
    name: "spend_days",
    columns: &[
        Column::one_of("subject_kind", &SUBJECTS),
        Column::id("subject_id"),
        Column::int("day"),
        Column::int("cost_nanousd"),
    ],
    key: 3,
    merge: Merge::Greatest,
    ledger: true,
};

pub(super) static MARKS: ArchiveTable = ArchiveTable {
    name: "spool_marks",
    columns: &[
        Column::id("spool_id"),
        Column::int("through_sequence"),
        Column::int("updated_at"),
    ],
    key: 1,
    merge: Merge::Greatest,
    ledger: true,
};
