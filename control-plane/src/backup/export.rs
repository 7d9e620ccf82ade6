//! Writing a backup: pieces of text, each made when the one before was taken.
//!
//! Nothing runs when nobody listens, so memory holds the configuration and one page of the ledger, however slow the
//! reader. The configuration and the access tokens are of one moment. The ledger is read page by page after it, records
//! first: sums that are read later can hold a little more than the records, never less, and a restore takes the greater.

mod count;

use std::collections::VecDeque;

use penstock_core::backup::{BackupKind, FORMAT, Header, VERSION, Writer};
use penstock_core::id::{ProviderId, RequestId};
use penstock_core::resource::{Kind, ResourceRef, SCHEMA};
use penstock_store::{ArchiveRow, Error, Loaded, Stored, StoredProvider, StoredSpec};
use serde::Serialize;
use serde_json::Value;

use super::held::{self, Held};
use super::resource::ResourceRow;
use super::sanitise::{self, Sanitiser};
use super::section::{self, Rest};
use super::survey::Survey;
use crate::clock;
use crate::context::Context;

/// Of a piece, about.
const PIECE: usize = 64 << 10;
/// Rows of the ledger, so that a piece stays far below the usual 4 MiB of a message.
const PAGE: u32 = 200;

/// A backup being written.
pub(crate) struct Export {
    context: Context,
    kind: BackupKind,
    sanitiser: Option<Sanitiser>,
    writer: Writer,
    header: Option<Header>,
    resources: VecDeque<Stored>,
    held: VecDeque<Held>,
    rest: VecDeque<Rest>,
    /// The last row of the section that is being written.
    cursor: Cursor,
    stage: Stage,
    rows: u64,
    expected: u64,
    remarks: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Configuration,
    Rest,
    End,
}

#[derive(Default)]
struct Cursor {
    row: Option<ArchiveRow>,
    record: Option<RequestId>,
}

/// A piece of the text, and how far it goes.
pub(crate) struct Piece {
    pub(crate) lines: Vec<u8>,
    pub(crate) rows: u64,
    pub(crate) expected: u64,
    /// With the first one: which secrets could not be opened.
    pub(crate) remarks: Vec<String>,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error("{0} cannot be read by this release: a backup would lack it. Mend or delete it first")]
    Unreadable(ResourceRef),
    #[error("a row cannot be written")]
    Row(#[from] serde_json::Error),
    #[error("the system has no random numbers")]
    Random(#[from] getrandom::Error),
}

impl Export {
    pub(crate) async fn begin(
        context: &Context,
        kind: BackupKind,
        include_usage: bool,
    ) -> Result<Self, ExportError> {
        if include_usage {
            fold(context).await;
        }
        let loaded = context.store.load().await?;
        if let Some(unreadable) = loaded.unreadable.first() {
            return Err(ExportError::Unreadable(unreadable.reference.clone()));
        }
        let (resources, tokens) = sorted(loaded);
        let held = held::read(&*context.store, tokens).await?;
        let (standard, sanitised) = (kind == BackupKind::Standard, kind == BackupKind::Sanitised);
        let survey = match sanitised {
            true => Survey::default(),
            false => Survey::of(&context.sealer, &resources, &held),
        };
        if !survey.is_well() {
            tracing::warn!(
                "a backup is being made with secrets that cannot be opened; whoever makes it is told which"
            );
        }
        let rest = Rest::all(include_usage);
        let counts = count::rows(context, &resources, &held, &rest).await;
        let expected = counts.values().sum();
        let present = standard.then(|| context.sealer.key_id());
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            product: env!("CARGO_PKG_VERSION").to_owned(),
            schema: SCHEMA,
            kind,
            created_at: clock::now(),
            master_key: present.map(str::to_owned),
            other_master_keys: present.map_or_else(Vec::new, |key| survey.other_keys(key)),
            include_usage,
            counts,
        };
        Ok(Self {
            remarks: survey.remarks(),
            context: context.clone(),
            kind,
            sanitiser: sanitised.then(Sanitiser::new).transpose()?,
            writer: Writer::default(),
            header: Some(header),
            resources,
            held,
            rest: rest.into(),
            cursor: Cursor::default(),
            stage: Stage::Configuration,
            rows: 0,
            expected,
        })
    }

    /// None after the last piece.
    pub(crate) async fn next_piece(&mut self) -> Result<Option<Piece>, ExportError> {
        let mut text = String::new();
        if let Some(header) = self.header.take() {
            text += &self.writer.header(&header)?;
        }
        while text.len() < PIECE {
            match self.stage {
                Stage::Configuration => match self.resources.pop_front() {
                    Some(stored) => text += &self.resource(&stored)?,
                    None => {
                        text += &self.writer.checkpoint()?;
                        self.stage = Stage::Rest;
                    }
                },
                Stage::Rest => match self.rest.front().copied() {
                    Some(section) => self.page(section, &mut text).await?,
                    None => {
                        text += &self.writer.end()?;
                        self.stage = Stage::End;
                    }
                },
                Stage::End => break,
            }
        }
        Ok((!text.is_empty()).then(|| Piece {
            lines: text.into_bytes(),
            rows: self.rows,
            expected: self.expected,
            remarks: std::mem::take(&mut self.remarks),
        }))
    }

    fn resource(&mut self, stored: &Stored) -> Result<String, ExportError> {
        let kind = stored.reference.kind();
        let row = ResourceRow::of(&self.context.sealer, stored, self.kind);
        let named = !matches!(kind, Kind::Provider | Kind::User | Kind::Key);
        self.row(section::name_of(kind), kind.as_str(), row, named)
    }

    /// A page of a section that is no configuration; after its last one the section is done.
    async fn page(&mut self, section: Rest, text: &mut String) -> Result<(), ExportError> {
        let store = self.context.store.clone();
        let before = self.rows;
        match section {
            Rest::Tokens | Rest::Operators | Rest::Webhooks => {
                let of = |held: &mut Held| held.section().name() == section.name();
                if let Some(held) = self.held.pop_front_if(of) {
                    let what = held.what();
                    if let Some(row) = held.row(&self.context.sealer, self.kind) {
                        *text += &self.row(section.name(), what, row, false)?;
                    }
                    return Ok(());
                }
            }
            Rest::Records => {
                for record in store.usage_with_decisions(self.cursor.record, PAGE).await? {
                    self.cursor.record = Some(record.id);
                    *text += &self.row(section.name(), "record", record, false)?;
                }
            }
            Rest::Table(table) => {
                for row in store.archive_rows(table, self.cursor.row.as_ref(), PAGE).await? {
                    let written = match &self.sanitiser {
                        Some(sanitiser) => sanitiser.archived(table, row.clone()),
                        None => row.clone(),
                    };
                    self.cursor.row = Some(row);
                    self.rows += 1;
                    *text += &self.writer.row(table.name, &written)?;
                }
            }
        }
        if self.rows == before {
            self.rest.pop_front();
            self.cursor = Cursor::default();
        }
        Ok(())
    }

    fn row(
        &mut self,
        section: &str,
        what: &str,
        row: impl Serialize,
        named: bool,
    ) -> Result<String, ExportError> {
        self.rows += 1;
        let Some(sanitiser) = &self.sanitiser else {
            return Ok(self.writer.row(section, &row)?);
        };
        let row: Value = sanitise::json(&row)?;
        let row = sanitiser.row(what, row, named);
        Ok(self.writer.row(section, &row)?)
    }
}

/// In the order of the sections, in each by id; and the providers that have a token.
fn sorted(loaded: Loaded) -> (VecDeque<Stored>, Vec<(ProviderId, Box<StoredProvider>)>) {
    let place = |kind| section::CONFIGURATION.iter().position(|(of, _)| *of == kind);
    let mut resources = loaded.resources;
    resources.sort_by(|a, b| {
        let of = |stored: &Stored| place(stored.reference.kind());
        of(a).cmp(&of(b)).then_with(|| a.reference.cmp(&b.reference))
    });
    let with_token = resources
        .iter()
        .filter_map(|stored| match (&stored.reference, &stored.spec) {
            (ResourceRef::Provider(id), StoredSpec::Provider(provider)) if provider.token.is_some() => {
                Some((*id, provider.clone()))
            }
            (_, _) => None,
        });
    let tokens = with_token.collect();
    (resources.into(), tokens)
}

/// A record that came very late made a minute beside its day, which is right here: they are added. A restore takes the
/// greater of the two, so they are added before.
async fn fold(context: &Context) {
    if let Err(error) = context.store.fold_spend(clock::now()).await {
        tracing::warn!(%error, "old minutes of spend are not summed up before the backup; it may tell what came late too low");
    }
}
