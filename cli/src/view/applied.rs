//! What files changed, or would change.

use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::ApplyAction;
use serde::Serialize;

use super::View;
use super::change::Change;

/// `penstock apply`.
#[derive(Debug, Serialize)]
pub(crate) struct Applied {
    /// The new revision; 0 when nothing had to change, or on a dry run.
    pub revision: u64,
    pub dry_run: bool,
    pub created: usize,
    pub updated: usize,
    pub deleted: usize,
    pub unchanged: usize,
    /// What differs; what is as declared is only counted.
    pub items: Vec<Change>,
    /// Shown this once.
    pub generated: Vec<Generated>,
    pub warnings: Vec<String>,
}

/// The new secret of a key.
#[derive(Serialize)]
pub(crate) struct Generated {
    pub label: String,
    pub secret: String,
}

/// `penstock diff -f`: the differences alone.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Drift(pub(crate) Applied);

impl std::fmt::Debug for Generated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generated")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl Applied {
    pub(crate) fn read(answer: wire::ApplyManifestsResponse, dry_run: bool) -> Self {
        let count = |action| {
            answer
                .results
                .iter()
                .filter(|result| result.action() == action)
                .count()
        };
        let mut applied = Self {
            revision: answer.revision,
            dry_run,
            created: count(ApplyAction::Created),
            updated: count(ApplyAction::Updated),
            deleted: count(ApplyAction::Deleted),
            unchanged: count(ApplyAction::Unchanged),
            items: Vec::new(),
            generated: Vec::new(),
            warnings: answer.warnings,
        };
        for result in answer.results {
            let is_changed = result.action() != ApplyAction::Unchanged;
            let change = result.change.unwrap_or_default();
            if !result.generated_secret.is_empty() {
                applied.generated.push(Generated {
                    label: change.label.clone(),
                    secret: result.generated_secret,
                });
            }
            applied.items.extend(is_changed.then(|| Change::from(change)));
        }
        applied
    }

    pub(crate) fn differs(&self) -> bool {
        !self.items.is_empty()
    }

    fn lines(&self) -> Vec<String> {
        self.items.iter().flat_map(Change::lines).collect()
    }

    fn summary(&self) -> String {
        if !self.differs() {
            return format!("nothing to change: {} resources are as declared", self.unchanged);
        }
        let counts = [
            (self.created, "created"),
            (self.updated, "updated"),
            (self.deleted, "deleted"),
            (self.unchanged, "unchanged"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        match self.dry_run {
            true => format!("dry run, nothing was changed: {}", counts.join(", ")),
            false => format!("{} (revision {})", counts.join(", "), self.revision),
        }
    }
}

impl View for Applied {
    fn table(&self) -> String {
        let mut lines = self.lines();
        let secret =
            |new: &Generated| format!("the secret of {}, shown this once: {}", new.label, new.secret);
        lines.extend(self.generated.iter().map(secret));
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines.push(self.summary());
        lines.join("\n")
    }
}

impl View for Drift {
    fn table(&self) -> String {
        self.0.lines().join("\n")
    }
}
