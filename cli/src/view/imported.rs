//! What an import made, left as it was, and could not take over.

use std::collections::BTreeMap;

use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{View, rows};
use crate::import::draft::Remark;

/// See the module.
#[derive(Debug, Serialize)]
pub(crate) struct Imported {
    pub dry_run: bool,
    pub items: Vec<ImportedRecord>,
    /// Fields and records that have no counterpart.
    pub notes: Vec<Note>,
    /// None: of a dry run.
    pub revision: Option<u64>,
}

/// One resource.
#[derive(Debug, Serialize)]
pub(crate) struct ImportedRecord {
    pub source: String,
    pub kind: String,
    pub name: String,
    /// `created`, `unchanged`, `kept` (it is there, and different), `refused`.
    pub outcome: &'static str,
    pub detail: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Note {
    pub source: String,
    pub note: String,
}

const OUTCOMES: [&str; 4] = ["created", "unchanged", "kept", "refused"];

impl Imported {
    pub(crate) fn read(answer: wire::ImportResourcesResponse, notes: Vec<Remark>, dry_run: bool) -> Self {
        let notes = notes.into_iter().map(|remark| Note {
            source: remark.source,
            note: remark.note,
        });
        Self {
            dry_run,
            items: answer.items.into_iter().map(ImportedRecord::read).collect(),
            notes: notes.collect(),
            revision: (!dry_run).then_some(answer.revision),
        }
    }

    /// Whether all that was to be made could be.
    pub(crate) fn is_whole(&self) -> bool {
        self.items.iter().all(|item| item.outcome != "refused")
    }

    fn summary(&self) -> String {
        let mut counts: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for item in &self.items {
            *counts
                .entry(&item.kind)
                .or_default()
                .entry(item.outcome)
                .or_default() += 1;
        }
        let cells = |(kind, of): (&&str, &BTreeMap<&str, u64>)| {
            let numbers = OUTCOMES
                .iter()
                .map(|outcome| of.get(outcome).copied().unwrap_or_default().to_string());
            std::iter::once((*kind).to_owned()).chain(numbers).collect()
        };
        rows(
            &["KIND", "CREATED", "UNCHANGED", "KEPT", "REFUSED"],
            counts.iter().map(cells),
        )
    }
}

impl ImportedRecord {
    fn read(item: wire::ImportedItem) -> Self {
        let outcome = match item.outcome() {
            wire::ImportOutcome::Created => "created",
            wire::ImportOutcome::Unchanged => "unchanged",
            wire::ImportOutcome::Kept => "kept",
            wire::ImportOutcome::Refused | wire::ImportOutcome::Unspecified => "refused",
        };
        Self {
            source: item.source,
            kind: item.kind,
            name: item.name,
            outcome,
            detail: item.detail,
        }
    }
}

impl View for Imported {
    /// A dry run shows everything; an import what is not as it should be.
    fn table(&self) -> String {
        let mut parts = Vec::new();
        let shown = |item: &&ImportedRecord| self.dry_run || ["kept", "refused"].contains(&item.outcome);
        let items: Vec<Vec<String>> = self
            .items
            .iter()
            .filter(shown)
            .map(|item| {
                vec![
                    item.source.clone(),
                    item.kind.clone(),
                    item.name.clone(),
                    item.outcome.to_owned(),
                    item.detail.clone(),
                ]
            })
            .collect();
        if !items.is_empty() {
            parts.push(rows(
                &["THERE", "KIND", "HERE", "OUTCOME", "DETAIL"],
                items.into_iter(),
            ));
        }
        if !self.notes.is_empty() {
            let notes = self
                .notes
                .iter()
                .map(|note| vec![note.source.clone(), note.note.clone()]);
            parts.push(rows(&["THERE", "NOT TAKEN OVER, OR NOT AS IT WAS"], notes));
        }
        parts.push(self.summary());
        parts.push(match self.revision {
            Some(revision) => format!("revision {revision}"),
            None => "nothing is made: this was a dry run".to_owned(),
        });
        parts.join("\n\n")
    }
}
