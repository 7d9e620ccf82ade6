//! Bringing a backup back, or saying what that would change.
//!
//! Twice through the same lines. The dry run reads, checks and opens everything, to the last line, and gives a ticket. The
//! restore wants the ticket and then goes through the lines again: at the checkpoint, when the configuration is proved to
//! be what was checked, it is committed; what follows is written in batches as it comes. So neither needs room for a
//! ledger, in memory or on a disk, and a broken backup never gets far enough to change anything. Should the second
//! reading differ behind the checkpoint after all, it stops there: what was written is right (each row was checked), and
//! the same restore can be made again, since nothing counts twice.

mod beside;

use std::collections::BTreeMap;

use penstock_core::backup::{Event, Mark, Reader};
use penstock_core::invalid::Invalid;
use penstock_core::usage::UsageRecord;
use penstock_store::{
    ArchiveRow, ArchiveTable, Committed, Delivered, Error, MAX_OPS, Op, SPEND_DAYS, SPEND_MINUTES,
    StoredOperator, Webhook, first_minute_kept,
};
use serde_json::Value;
use uuid::Uuid;

use super::intake::{self, RestRow, Unfit};
use super::old_minutes::OldMinutes;
use super::plan::{self, Tallies, Tally};
use super::resource::Item;
use super::section::RECORDS;
use super::ticket::Ticket;
use crate::clock;
use crate::context::Context;
use crate::credentials::SealError;

const BATCH: usize = 500;
/// Rows of the configuration. More than any commit can hold.
const MAX_ITEMS: usize = 1_000_000;

/// Commits the configuration; who and why is the caller's.
pub(crate) type CommitAll<'a> =
    &'a (dyn Fn(Vec<Op>) -> futures::future::BoxFuture<'a, Result<Committed, CommitError>> + Sync);

/// What the service makes of a commit that failed.
pub(crate) type CommitError = tonic::Status;

/// A restore under way.
pub(crate) struct Restore<'a> {
    context: &'a Context,
    commit: CommitAll<'a>,
    /// None: a dry run.
    ticket: Option<Ticket>,
    reader: Reader,
    items: Vec<Item>,
    configuration: Option<Mark>,
    end: Option<Mark>,
    records: Vec<UsageRecord>,
    rows: Vec<ArchiveRow>,
    table: Option<&'static ArchiveTable>,
    old_minutes: OldMinutes,
    /// Read when the first of their rows comes.
    accounts: Option<Vec<StoredOperator>>,
    webhooks: Option<Vec<Webhook>>,
    /// The spool of restored records has its mark.
    marked: bool,
    /// Older minutes that came with the records were moved to their days.
    folded: bool,
    tallies: Tallies,
    revision: u64,
    remarks: Vec<String>,
}

/// What was done, or would be.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    pub(crate) tallies: Tallies,
    /// Of a dry run.
    pub(crate) ticket: String,
    pub(crate) revision: u64,
    pub(crate) remarks: Vec<String>,
}

/// Why a restore did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("this is not the backup that was checked: begin with a dry run of it")]
    Unchecked,
    #[error(transparent)]
    Store(#[from] Error),
    #[error("the configuration was not committed")]
    Commit(#[source] Box<CommitError>),
    #[error("no ticket can be made")]
    Seal(#[from] SealError),
}

impl From<Invalid> for RestoreError {
    fn from(invalid: Invalid) -> Self {
        Self::Unfit(invalid.into())
    }
}

impl<'a> Restore<'a> {
    /// With the ticket of the dry run; empty: this is the dry run.
    pub(crate) fn begin(
        context: &'a Context,
        ticket: &str,
        commit: CommitAll<'a>,
    ) -> Result<Self, RestoreError> {
        let ticket = match ticket {
            "" => None,
            text => Some(Ticket::read(text, &context.sealer, clock::now()).ok_or(RestoreError::Unchecked)?),
        };
        Ok(Self {
            context,
            commit,
            ticket,
            reader: Reader::default(),
            items: Vec::new(),
            configuration: None,
            end: None,
            records: Vec::new(),
            rows: Vec::new(),
            table: None,
            old_minutes: OldMinutes::before(first_minute_kept(clock::now())),
            accounts: None,
            webhooks: None,
            marked: false,
            folded: false,
            tallies: Tallies::new(),
            revision: 0,
            remarks: Vec::new(),
        })
    }

    /// Takes more of the backup.
    pub(crate) async fn feed(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        self.reader.feed(bytes);
        while let Some(event) = self.reader.next_event().map_err(Unfit::from)? {
            match event {
                Event::Header(header) => {
                    intake::check_header(&header, &self.context.sealer)?;
                }
                Event::Row { section, row } => self.row(&section, row).await?,
                Event::Checkpoint(mark) => self.configure(mark).await?,
                Event::End(end) => self.finish_rest(end.mark).await?,
            }
        }
        Ok(())
    }

    /// After the last piece.
    pub(crate) fn finish(self) -> Result<Restored, RestoreError> {
        self.reader.finish().map_err(Unfit::from)?;
        let ticket = match (self.ticket, self.configuration, self.end) {
            (None, Some(configuration), Some(end)) => {
                let at = clock::now();
                Ticket {
                    configuration,
                    end,
                    at,
                }
                .write(&self.context.sealer)?
            }
            (_, _, _) => String::new(),
        };
        Ok(Restored {
            tallies: self.tallies,
            ticket,
            revision: self.revision,
            remarks: self.remarks,
        })
    }

    async fn row(&mut self, section: &str, row: Value) -> Result<(), RestoreError> {
        let sealer = &self.context.sealer;
        if self.configuration.is_none() {
            if self.items.len() == MAX_ITEMS {
                return Err(Invalid::new("the backup", "holds too many resources").into());
            }
            self.items.push(intake::resource(section, row, sealer)?);
            return Ok(());
        }
        match intake::rest(section, row, sealer)? {
            RestRow::Token(token) => self.token(*token).await,
            RestRow::Operator(operator) => self.operator(*operator).await,
            RestRow::Webhook(webhook, remark) => self.webhook(*webhook, remark).await,
            RestRow::Record(record) => {
                self.tally(RECORDS).rows += 1;
                self.records.push(*record);
                match self.records.len() < BATCH {
                    true => Ok(()),
                    false => self.write_records().await,
                }
            }
            RestRow::Archived(table, row) => {
                // Sums come after all records, and one table after the other.
                self.write_records().await?;
                if self.table.is_some_and(|last| last.name != table.name) || self.rows.len() == BATCH {
                    self.write_rows().await?;
                }
                self.table = Some(table);
                self.tally(table.name).rows += 1;
                self.rows.push(row);
                Ok(())
            }
        }
    }

    /// The configuration is whole.
    async fn configure(&mut self, mark: Mark) -> Result<(), RestoreError> {
        if self
            .ticket
            .as_ref()
            .is_some_and(|ticket| ticket.configuration != mark)
        {
            return Err(RestoreError::Unchecked);
        }
        let items = std::mem::take(&mut self.items);
        intake::check_whole(&items)?;
        self.remarks.extend(items.iter().flat_map(Item::remarks));
        let loaded = self.context.store.load().await?;
        let plan = plan::make(loaded, items, &self.context.sealer)?;
        self.tallies.clone_from(&plan.tallies);
        self.configuration = Some(mark);
        let commits = plan.commits();
        if commits.len() > 1 {
            self.remarks.push(format!(
                "the configuration comes back in {} revisions, since one holds {MAX_OPS} changes",
                commits.len()
            ));
        }
        if self.ticket.is_some() {
            for ops in commits {
                let committed = (self.commit)(ops).await;
                let committed = committed.map_err(|status| RestoreError::Commit(Box::new(status)))?;
                self.revision = committed.head.revision;
            }
        }
        Ok(())
    }

    async fn write_records(&mut self) -> Result<(), RestoreError> {
        let records = std::mem::take(&mut self.records);
        if records.is_empty() || self.ticket.is_none() {
            return Ok(());
        }
        // Of no spool: the marks of those come by themselves.
        let delivered = Delivered {
            spool: Uuid::nil(),
            through: 0,
            at: clock::now(),
        };
        if !self.marked {
            // With its mark: what cleaning took away here was counted, and is not to be counted again.
            self.context.store.ingest_usage(&[], delivered).await?;
            self.marked = true;
        }
        let ingested = self.context.store.ingest_usage(&records, delivered).await?;
        for (id, problem) in &ingested.refused {
            self.remarks
                .push(format!("the usage record {id} was left out: {problem}"));
        }
        self.written(RECORDS, records.len(), ingested.fresh);
        Ok(())
    }

    async fn write_rows(&mut self) -> Result<(), RestoreError> {
        let rows = std::mem::take(&mut self.rows);
        let Some(table) = self.table.filter(|_| !rows.is_empty() && self.ticket.is_some()) else {
            return Ok(());
        };
        let number = rows.len();
        if table.ledger && !self.folded {
            self.context.store.fold_spend(clock::now()).await?;
            self.folded = true;
        }
        let (rows, days) = match table.name == SPEND_MINUTES.name {
            true => self.old_minutes.take(rows),
            false => (rows, self.old_minutes.finish()),
        };
        let mut changed = 0;
        for (table, rows) in [(table, rows), (&SPEND_DAYS, days)] {
            if !rows.is_empty() {
                changed += self.context.store.restore_rows(table, &rows).await?;
            }
        }
        self.written(table.name, number, changed);
        Ok(())
    }

    async fn finish_rest(&mut self, mark: Mark) -> Result<(), RestoreError> {
        if self.ticket.as_ref().is_some_and(|ticket| ticket.end != mark) {
            return Err(RestoreError::Unchecked);
        }
        self.write_records().await?;
        self.write_rows().await?;
        self.end = Some(mark);
        Ok(())
    }

    fn written(&mut self, section: &'static str, rows: usize, changed: u64) {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        let tally = self.tally(section);
        tally.created += changed;
        tally.unchanged += rows.saturating_sub(changed);
    }

    fn tally(&mut self, section: &'static str) -> &mut Tally {
        let tallies: &mut BTreeMap<_, _> = &mut self.tallies;
        tallies.entry(section).or_default()
    }
}
