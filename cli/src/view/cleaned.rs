//! What was cleaned, or would be.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{View, or_dash, rows};

/// `penstock usage clean`.
#[derive(Debug, Serialize)]
pub(crate) struct Cleaned {
    /// Nothing is cleaned: items are what would go.
    pub dry_run: bool,
    pub items: Vec<CleanedKind>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CleanedKind {
    /// `usage_records`, `failed_calls`, `audit_log`.
    pub kind: String,
    pub days: u32,
    /// What is older goes.
    pub before: String,
    /// In a dry run counted up to 10 000 000.
    pub rows: u64,
    /// Partitions of whole months.
    pub partitions: u32,
    /// In a dry run: when it was cleaned before.
    pub cleaned_at: Option<String>,
}

impl Cleaned {
    pub(crate) fn read(answer: wire::CleanUsageResponse, dry_run: bool) -> Self {
        let kind = |kind: wire::CleanedKind| CleanedKind {
            kind: kind.kind,
            days: kind.days,
            before: UnixMs(kind.before_ms).to_string(),
            rows: kind.rows,
            partitions: kind.partitions,
            cleaned_at: kind.cleaned_at_ms.map(|at| UnixMs(at).to_string()),
        };
        Self {
            dry_run,
            items: answer.kinds.into_iter().map(kind).collect(),
        }
    }
}

impl View for Cleaned {
    fn table(&self) -> String {
        let gone = if self.dry_run { "WOULD GO" } else { "GONE" };
        let header = [
            "RECORDS",
            "DAYS",
            "OLDER THAN",
            gone,
            "PARTITIONS",
            "CLEANED BEFORE",
        ];
        let line = |kind: &CleanedKind| {
            vec![
                kind.kind.clone(),
                kind.days.to_string(),
                kind.before.clone(),
                kind.rows.to_string(),
                kind.partitions.to_string(),
                or_dash(kind.cleaned_at.as_deref()),
            ]
        };
        rows(&header, self.items.iter().map(line))
    }
}
