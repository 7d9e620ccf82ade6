//! What was done, what failed, and what operators were told. Of these everything stays as it was written.

use crate::api::archive::{ArchiveTable, Column, Merge};

pub(super) static AUDIT: ArchiveTable = ArchiveTable {
    name: "audit_log",
    columns: &[
        Column::id("id"),
        Column::int("at"),
        Column::name("actor"),
        Column::word("role"),
        Column::word("action"),
        Column::text("target"),
        Column::word("outcome"),
        Column::int("revision").or_null(),
        Column::name("peer"),
        Column::text("reason"),
    ],
    key: 1,
    merge: Merge::Keep,
    ledger: true,
};

pub(super) static FAILED_CALLS: ArchiveTable = ArchiveTable {
    name: "failed_calls",
    columns: &[
        Column::id("id"),
        Column::int("number"),
        Column::flag("is_final"),
        Column::int("started_at"),
        Column::id("user_id"),
        Column::id("key_id"),
        Column::id("provider_id").or_null(),
        Column::word("model"),
        Column::name("session").or_null(),
        Column::int("status"),
        // A provider's word, if it gave one.
        Column::name("error_type"),
        Column::word("error_class"),
        Column::int("duration_ms"),
        Column::name("node_id"),
        Column::json("record"),
    ],
    key: 2,
    merge: Merge::Keep,
    ledger: true,
};

pub(super) static NOTIFICATIONS: ArchiveTable = ArchiveTable {
    name: "notifications",
    columns: &[
        Column::id("id"),
        Column::word("rule"),
        Column::name("subject"),
        Column::one_of("event", &["fired", "recovered"]),
        Column::text("title"),
        Column::text("detail"),
        Column::int("at"),
    ],
    key: 1,
    merge: Merge::Keep,
    ledger: true,
};
