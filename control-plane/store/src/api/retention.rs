//! Records that are kept for some days.

use penstock_core::time::UnixMs;

/// A kind of records that are cleaned. A new one needs a line in [`Self::ALL`], [`Self::as_str`] and in the store's list
/// (`database/retention.rs`), and its days in the setting `retention`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retained {
    /// Single calls of the ledger. Its sums stay.
    UsageRecords,
    /// Records of the failure log.
    FailedCalls,
    AuditLog,
}

/// What one step took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub rows: u64,
    /// Partitions that were dropped whole; their rows are in `rows`.
    pub partitions: u32,
    /// There may be more.
    pub more: bool,
}

/// How it stands with one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aged {
    pub kind: Retained,
    /// Rows that are older than was asked about, at most [`Self::MAX_COUNT`].
    pub rows: u64,
    /// Partitions that hold nothing younger.
    pub partitions: u32,
    /// When it was cleaned the last time. None: never.
    pub cleaned_at: Option<UnixMs>,
    /// Cleaned in all.
    pub deleted: u64,
}

impl Retained {
    pub const ALL: [Self; 3] = [Self::UsageRecords, Self::FailedCalls, Self::AuditLog];

    /// Also the name of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UsageRecords => "usage_records",
            Self::FailedCalls => "failed_calls",
            Self::AuditLog => "audit_log",
        }
    }
}

impl Aged {
    /// More are not counted.
    pub const MAX_COUNT: u64 = 10_000_000;
}
