//! When costs were counted again, and with what outcome. Of one that is there already the present state stays: it may
//! have come further since.

use crate::api::archive::{ArchiveTable, Column, Merge};

pub(super) static TABLE: ArchiveTable = ArchiveTable {
    name: "price_backfills",
    columns: &[
        Column::id("id"),
        Column::text("actor"),
        Column::text("reason"),
        Column::int("started_at"),
        Column::int("finished_at"),
        Column::int("range_from"),
        Column::int("range_to"),
        Column::word("model"),
        Column::id("provider_id"),
        Column::id("through_id"),
        Column::int("scanned"),
        Column::int("changed"),
        Column::int("skipped"),
        Column::int("before_nanousd"),
        Column::int("after_nanousd"),
    ],
    key: 1,
    merge: Merge::Keep,
    ledger: true,
};
