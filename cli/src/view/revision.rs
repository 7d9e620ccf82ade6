//! The history of the configuration, and going back in it.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::change::Change;
use super::{Row, View, fields, or_dash, rows};

/// `penstock config history`.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    /// The newest revision.
    pub head: u64,
    /// Newest first.
    pub items: Vec<Revision>,
}

/// One commit.
#[derive(Debug, Serialize)]
pub(crate) struct Revision {
    pub revision: u64,
    pub at: String,
    pub actor: String,
    pub reason: String,
    /// All that it changed; in a listing `changes` holds at most 20 of them.
    pub change_count: u32,
    pub changes: Vec<Change>,
}

/// `penstock config rollback`.
#[derive(Debug, Serialize)]
pub(crate) struct Rollback {
    /// The state that came back.
    pub to: u64,
    /// The new revision; 0 when nothing had to change, or on a dry run.
    pub revision: u64,
    pub dry_run: bool,
    pub changes: Vec<Change>,
    /// What was left as it is, and why.
    pub skipped: Vec<String>,
}

impl From<wire::Revision> for Revision {
    fn from(revision: wire::Revision) -> Self {
        Self {
            revision: revision.revision,
            at: UnixMs(revision.at_ms).to_string(),
            actor: revision.actor,
            reason: revision.reason,
            change_count: revision.change_count,
            changes: revision.changes.into_iter().map(Into::into).collect(),
        }
    }
}

impl Rollback {
    pub(crate) fn read(answer: wire::RollbackResponse, to: u64, dry_run: bool) -> Self {
        Self {
            to,
            revision: answer.revision,
            dry_run,
            changes: answer.changes.into_iter().map(Into::into).collect(),
            skipped: answer.skipped,
        }
    }

    fn summary(&self) -> String {
        let changes = self.changes.len();
        match (self.dry_run, changes) {
            (_, 0) if !self.skipped.is_empty() => "nothing changes".to_owned(),
            (_, 0) => format!("nothing to change: this is the state of revision {}", self.to),
            (true, _) => format!(
                "dry run: {changes} resources would go back to revision {}",
                self.to
            ),
            (false, _) => format!(
                "{changes} resources went back to revision {} (revision {})",
                self.to, self.revision
            ),
        }
    }
}

impl View for History {
    fn table(&self) -> String {
        rows(Revision::COLUMNS, self.items.iter().map(Row::cells))
    }
}

impl Row for Revision {
    const COLUMNS: &'static [&'static str] = &["REVISION", "AT", "ACTOR", "CHANGES", "REASON"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.revision.to_string(),
            self.at.clone(),
            self.actor.clone(),
            self.labels(),
            or_dash(Some(&self.reason)),
        ]
    }
}

impl Revision {
    /// The first changes, and how many more there are.
    fn labels(&self) -> String {
        const SHOWN: usize = 3;
        let first = self
            .changes
            .iter()
            .take(SHOWN)
            .map(|change| format!("{} {}", change.action, change.label));
        let mut text = first.collect::<Vec<_>>().join(", ");
        let count = usize::try_from(self.change_count).unwrap_or(usize::MAX);
        if let Some(more @ 1..) = count.checked_sub(self.changes.len().min(SHOWN)) {
            text.push_str(&format!(" and {more} more"));
        }
        text
    }
}

impl View for Revision {
    fn table(&self) -> String {
        let head = fields(&[
            ("revision", self.revision.to_string()),
            ("at", self.at.clone()),
            ("actor", self.actor.clone()),
            ("reason", or_dash(Some(&self.reason))),
        ]);
        let changes = self.changes.iter().flat_map(Change::lines);
        std::iter::once(head)
            .chain(changes)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl View for Rollback {
    fn table(&self) -> String {
        let changes = self.changes.iter().flat_map(Change::lines);
        let skipped = self.skipped.iter().map(|why| format!("left: {why}"));
        changes
            .chain(skipped)
            .chain(std::iter::once(self.summary()))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(count: usize) -> Vec<wire::Change> {
        let change = wire::Change {
            label: "user \"a\"".into(),
            after_json: "{}".into(),
            ..wire::Change::default()
        };
        vec![change; count]
    }

    #[test]
    fn g01_a_revision_says_who_when_and_what() {
        let revision = Revision::from(wire::Revision {
            revision: 12,
            at_ms: 1_700_000_000_000,
            actor: "admin".into(),
            reason: "lost laptop".into(),
            changes: changes(20),
            change_count: 25,
        });
        let cells = revision.cells();
        assert_eq!(cells[0], "12");
        assert!(cells[3].ends_with("and 22 more"), "{}", cells[3]);
        assert_eq!((cells[2].as_str(), cells[4].as_str()), ("admin", "lost laptop"));
    }

    #[test]
    fn g01_a_rollback_says_what_it_left() {
        let answer = wire::RollbackResponse {
            revision: 9,
            changes: changes(2),
            skipped: vec!["key \"a/b\" stays disabled".into()],
        };
        let table = Rollback::read(answer, 4, false).table();
        assert!(table.contains("left: key \"a/b\" stays disabled"), "{table}");
        assert!(
            table.ends_with("2 resources went back to revision 4 (revision 9)"),
            "{table}"
        );
    }

    #[test]
    fn g01_a_dry_run_says_that_it_is_one() {
        let answer = wire::RollbackResponse {
            changes: changes(1),
            ..wire::RollbackResponse::default()
        };
        assert!(Rollback::read(answer, 4, true).table().starts_with("+ user"));
        let nothing = Rollback::read(wire::RollbackResponse::default(), 4, true);
        assert!(nothing.table().contains("nothing to change"));
    }
}
