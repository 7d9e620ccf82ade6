//! The audit log.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{Row, or_dash};

/// One action of one caller.
#[derive(Debug, Serialize)]
pub(crate) struct AuditEntry {
    id: String,
    at: String,
    /// None: nobody that is known.
    actor: Option<String>,
    role: Option<String>,
    action: String,
    target: Option<String>,
    /// None: it has not ended, or nobody knows how.
    outcome: Option<String>,
    revision: Option<u64>,
    /// None: the control plane's own process.
    peer: Option<String>,
    reason: Option<String>,
}

impl AuditEntry {
    pub(crate) fn read(entry: wire::AuditEntry) -> Self {
        let given = |text: String| (!text.is_empty()).then_some(text);
        Self {
            id: entry.id,
            at: UnixMs(entry.at_ms).to_string(),
            actor: given(entry.actor),
            role: given(entry.role),
            action: entry.action,
            target: given(entry.target),
            outcome: given(entry.outcome),
            revision: (entry.revision != 0).then_some(entry.revision),
            peer: given(entry.peer),
            reason: given(entry.reason),
        }
    }
}

impl Row for AuditEntry {
    const COLUMNS: &'static [&'static str] = &[
        "AT", "ACTOR", "ROLE", "ACTION", "TARGET", "OUTCOME", "REVISION", "FROM", "REASON",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.at.clone(),
            or_dash(self.actor.as_deref()),
            or_dash(self.role.as_deref()),
            self.action.clone(),
            or_dash(self.target.as_deref()),
            self.outcome.clone().unwrap_or_else(|| "unfinished".to_owned()),
            self.revision
                .map_or_else(|| "-".to_owned(), |revision| revision.to_string()),
            or_dash(self.peer.as_deref()),
            or_dash(self.reason.as_deref()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g10_an_entry_without_an_outcome_says_so() {
        let entry = AuditEntry::read(wire::AuditEntry::default());
        assert_eq!(entry.cells().len(), AuditEntry::COLUMNS.len());
        assert_eq!(entry.cells()[5], "unfinished");
        assert!(serde_json::to_value(&entry).unwrap()["outcome"].is_null());
    }
}
