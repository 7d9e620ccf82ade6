//! Backups: one that was made, what is in one, what restoring one changes.

use std::collections::BTreeMap;

use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{View, fields, rows, yes_no};
use crate::backup::inspect::Inspected;
use crate::failure::Failure;

/// A new file.
#[derive(Debug, Serialize)]
pub(crate) struct BackupMade {
    pub file: String,
    pub kind: String,
    pub rows: u64,
    pub bytes: u64,
    /// Which secrets could not be opened.
    pub remarks: Vec<String>,
}

/// What a file holds.
#[derive(Debug, Serialize)]
pub(crate) struct Backup {
    pub kind: String,
    pub created_at: String,
    /// The release that made it.
    pub product: String,
    pub schema: u32,
    /// None: nothing in it is sealed.
    pub master_key: Option<String>,
    /// Further ones that secrets in it are sealed under.
    pub other_master_keys: Vec<String>,
    pub encrypted: bool,
    pub include_usage: bool,
    pub bytes: u64,
    pub lines: u64,
    pub sha256: String,
    /// Rows by section.
    pub sections: BTreeMap<String, u64>,
}

/// What a restore changed, or would.
#[derive(Debug, Serialize)]
pub(crate) struct Restored {
    pub dry_run: bool,
    pub sections: Vec<Section>,
    pub remarks: Vec<String>,
    /// None: of a dry run.
    pub revision: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub name: String,
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    pub unchanged: u64,
}

impl Backup {
    pub(crate) fn of(inspected: &Inspected, encrypted: bool, bytes: u64) -> Self {
        let header = &inspected.header;
        Self {
            kind: header.kind.as_str().to_owned(),
            created_at: header.created_at.to_string(),
            product: header.product.clone(),
            schema: header.schema,
            master_key: header.master_key.clone(),
            other_master_keys: header.other_master_keys.clone(),
            encrypted,
            include_usage: header.include_usage,
            bytes,
            lines: inspected.mark.lines,
            sha256: inspected.mark.sha256.clone(),
            sections: inspected.counts.clone(),
        }
    }
}

impl BackupMade {
    /// Well, unless a part of it will be of no use: the exit code says so, for whoever reads nothing else.
    pub(crate) fn ended(&self) -> Result<(), Failure> {
        match self.remarks.is_empty() {
            true => Ok(()),
            false => Err(Failure::Unwell),
        }
    }
}

impl Restored {
    pub(crate) fn read(answer: wire::RestoreBackupResponse, dry_run: bool) -> Self {
        let section = |section: wire::RestoredSection| Section {
            name: section.name,
            rows: section.rows,
            created: section.created,
            updated: section.updated,
            deleted: section.deleted,
            unchanged: section.unchanged,
        };
        Self {
            dry_run,
            sections: answer.sections.into_iter().map(section).collect(),
            remarks: answer.remarks,
            revision: (!dry_run).then_some(answer.revision),
        }
    }
}

impl View for BackupMade {
    fn table(&self) -> String {
        let made = format!(
            "{} backup of {} rows in {} ({} bytes)",
            self.kind, self.rows, self.file, self.bytes
        );
        let remarks = self.remarks.iter();
        remarks.fold(made, |text, remark| format!("{text}\nwarning: {remark}"))
    }
}

impl View for Backup {
    fn table(&self) -> String {
        let others = (!self.other_master_keys.is_empty()).then(|| self.other_master_keys.join(", "));
        let about = fields(&[
            ("kind", self.kind.clone()),
            ("created", self.created_at.clone()),
            (
                "made by",
                format!("penstock {} (schema {})", self.product, self.schema),
            ),
            ("master key", super::or_dash(self.master_key.as_deref())),
            ("other master keys", super::or_dash(others.as_deref())),
            ("encrypted", yes_no(self.encrypted)),
            ("with the ledger", yes_no(self.include_usage)),
            (
                "whole",
                format!("yes: {} lines, sha256 {}", self.lines, self.sha256),
            ),
        ]);
        let sections = self.sections.iter();
        let sections = rows(
            &["SECTION", "ROWS"],
            sections.map(|(name, rows)| vec![name.clone(), rows.to_string()]),
        );
        format!("{about}\n\n{sections}")
    }
}

impl View for Restored {
    fn table(&self) -> String {
        let cells = |section: &Section| {
            let numbers = [
                section.rows,
                section.created,
                section.updated,
                section.deleted,
                section.unchanged,
            ];
            let numbers = numbers.iter().map(u64::to_string);
            std::iter::once(section.name.clone()).chain(numbers).collect()
        };
        let header = ["SECTION", "ROWS", "CREATED", "UPDATED", "DELETED", "UNCHANGED"];
        let mut text = rows(&header, self.sections.iter().map(cells));
        for remark in &self.remarks {
            text = format!("{text}\n{remark}");
        }
        match self.revision {
            Some(revision) => format!("{text}\nrevision {revision}"),
            None => format!("{text}\nnothing is changed: this was a dry run"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(remarks: &[&str]) -> BackupMade {
        BackupMade {
            file: "b".to_owned(),
            kind: "standard".to_owned(),
            rows: 1,
            bytes: 2,
            remarks: remarks.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn g05_a_backup_with_a_secret_that_cannot_be_opened_is_made_and_ends_with_1() {
        assert!(made(&[]).ended().is_ok());
        let troubled = made(&["the credential of provider \"x\" cannot be opened"]);
        assert_eq!(troubled.ended().unwrap_err().exit_code(), 1);
        assert!(
            troubled
                .table()
                .ends_with("\nwarning: the credential of provider \"x\" cannot be opened")
        );
    }
}
