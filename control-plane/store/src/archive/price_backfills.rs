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
        Column::int("finished_at").or_null(),
        Column::given("range_from"),
        Column::given("range_to"),
        Column::word("model").or_null(),
        Column::id("provider_id").or_null(),
        Column::id("through_id").or_null(),
        Column::int("scanned"),
        Column::int("changed"),
        Column::int("skipped"),
        Column::total("before_nanousd"),
        Column::total("after_nanousd"),
    ],
    key: 1,
    merge: Merge::Keep,
    ledger: true,
};
