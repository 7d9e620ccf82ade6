//! How far each kind of record is cleaned. Who restores into a new installation takes it along, because sums are told from
//! records only where those cannot be gone. It comes after the records: what is older than the mark would count as counted.

use crate::api::archive::{ArchiveTable, Column, Merge};

pub(super) static MARKS: ArchiveTable = ArchiveTable {
    name: "retention_marks",
    columns: &[
        Column::word("kind"),
        Column::int("cleaned_before"),
        Column::int("cleaned_at"),
        Column::int("deleted"),
    ],
    key: 1,
    merge: Merge::Greatest,
    ledger: true,
};
