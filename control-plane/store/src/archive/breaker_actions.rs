//! What operators did to providers' breakers.

use crate::api::archive::{ArchiveTable, Column, Merge};

pub(super) static TABLE: ArchiveTable = ArchiveTable {
    name: "fleet_state_actions",
    columns: &[
        Column::id("id"),
        Column::int("at"),
        Column::text("actor"),
        Column::word("action"),
        Column::text("reason"),
        Column::id("provider_id"),
        Column::word("model"),
        Column::int("generation"),
    ],
    key: 1,
    merge: Merge::Keep,
    ledger: false,
};
