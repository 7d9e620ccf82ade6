//! Backups: out as a stream, in as a stream.
//!
//! Both are logged with their author, those with secrets as warnings: whoever holds such a file can call every provider.

use std::pin::Pin;

use futures::{FutureExt, Stream, stream};
use penstock_core::backup::BackupKind;
use penstock_core::invalid::Invalid;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::ChangeInfo;
use penstock_proto::admin::v1::backup_service_server::BackupService;
use penstock_proto::admin::v1::restore_backup_request::Part;
use penstock_store::Op;
use tonic::{Request, Response, Status, Streaming};

use super::author::Author;
use super::status;
use crate::backup::{Export, ExportError, Restore, RestoreError, Restored, Unfit};
use crate::context::Context;

/// Longer pieces are not needed, and would only take room.
const MAX_PIECE: usize = 1 << 20;

pub(super) struct Backups(pub(super) Context);

type Answers = Pin<Box<dyn Stream<Item = Result<wire::CreateBackupResponse, Status>> + Send>>;

#[tonic::async_trait]
impl BackupService for Backups {
    type CreateBackupStream = Answers;

    async fn create_backup(
        &self,
        request: Request<wire::CreateBackupRequest>,
    ) -> Result<Response<Answers>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let kind = read_kind(request.kind)?;
        author.about("backup", kind.as_str());
        let (actor, reason) = author.signed(request.change)?;
        let export = Export::begin(&self.0, kind, request.include_usage).await;
        let export = export.map_err(from_export)?;
        let usage = request.include_usage;
        match kind.has_plain_secrets() {
            true => {
                tracing::warn!(
                    actor,
                    reason,
                    kind = kind.as_str(),
                    usage,
                    "a backup with all secrets is being made"
                );
            }
            false => tracing::info!(
                actor,
                reason,
                kind = kind.as_str(),
                usage,
                "a backup is being made"
            ),
        }
        Ok(Response::new(Box::pin(pieces(export))))
    }

    async fn restore_backup(
        &self,
        request: Request<Streaming<wire::RestoreBackupRequest>>,
    ) -> Result<Response<wire::RestoreBackupResponse>, Status> {
        let author = Author::of(&request);
        let mut stream = request.into_inner();
        let Some(Part::Begin(begin)) = stream.message().await?.and_then(|first| first.part) else {
            return Err(status::invalid(&Invalid::new("begin", "must come first")));
        };
        if begin.dry_run == begin.ticket.is_empty() {
            let restored = self.restore(author, begin, stream).await?;
            return Ok(Response::new(answer(restored)));
        }
        let problem = match begin.dry_run {
            true => "is for the restore itself, not for a dry run",
            false => "is missing: make a dry run first, and send the ticket that it gives",
        };
        Err(status::invalid(&Invalid::new("begin.ticket", problem)))
    }
}

impl Backups {
    async fn restore(
        &self,
        author: Author,
        begin: wire::RestoreBegin,
        mut stream: Streaming<wire::RestoreBackupRequest>,
    ) -> Result<Restored, Status> {
        let about = if begin.dry_run { "dry run" } else { "restored" };
        author.about("backup", about);
        author.because(begin.change.clone())?;
        let change = begin.change.unwrap_or_default();
        let reason = match change.reason.as_str() {
            "" => "restore of a backup".to_owned(),
            given => given.to_owned(),
        };
        let (context, name) = (&self.0, author.name().to_owned());
        let commit = |ops: Vec<Op>| {
            let change = Some(ChangeInfo {
                reason: reason.clone(),
            });
            author.clone().commit_all(context, change, ops).boxed()
        };
        let mut restore = Restore::begin(context, &begin.ticket, &commit).map_err(from_restore)?;
        while let Some(message) = stream.message().await? {
            match message.part {
                Some(Part::Lines(lines)) if lines.len() <= MAX_PIECE => {
                    restore.feed(&lines).await.map_err(from_restore)?;
                }
                Some(Part::Lines(_)) => {
                    let problem = format!("is longer than {MAX_PIECE} bytes");
                    return Err(status::invalid(&Invalid::new("lines", problem)));
                }
                Some(Part::Begin(_)) | None => {
                    return Err(status::invalid(&Invalid::new(
                        "part",
                        "must be lines of the backup",
                    )));
                }
            }
        }
        let restored = restore.finish().map_err(from_restore)?;
        // A commit names what it changes; all of it is more than its first few resources.
        author.about("backup", about);
        if restored.ticket.is_empty() {
            tracing::warn!(
                actor = name,
                reason,
                revision = restored.revision,
                "a backup was restored"
            );
        }
        Ok(restored)
    }
}

fn pieces(export: Export) -> impl Stream<Item = Result<wire::CreateBackupResponse, Status>> + Send {
    stream::unfold(Some(export), |export| async {
        let mut export = export?;
        match export.next_piece().await {
            Ok(None) => None,
            Ok(Some(piece)) => {
                let answer = wire::CreateBackupResponse {
                    lines: piece.lines,
                    rows: piece.rows,
                    rows_expected: piece.expected,
                    remarks: piece.remarks,
                };
                Some((Ok(answer), Some(export)))
            }
            Err(error) => Some((Err(from_export(error)), None)),
        }
    })
}

fn read_kind(kind: i32) -> Result<BackupKind, Status> {
    match wire::BackupKind::try_from(kind) {
        Ok(wire::BackupKind::Standard) => Ok(BackupKind::Standard),
        Ok(wire::BackupKind::Sanitised) => Ok(BackupKind::Sanitised),
        Ok(wire::BackupKind::WithSecrets) => Ok(BackupKind::WithSecrets),
        Ok(wire::BackupKind::Encrypted) => Ok(BackupKind::Encrypted),
        Ok(wire::BackupKind::Unspecified) | Err(_) => {
            Err(status::invalid(&Invalid::new("kind", "is none of the kinds")))
        }
    }
}

fn answer(restored: Restored) -> wire::RestoreBackupResponse {
    let sections = restored.tallies.into_iter();
    wire::RestoreBackupResponse {
        sections: sections
            .map(|(name, tally)| wire::RestoredSection {
                name: name.to_owned(),
                rows: tally.rows,
                created: tally.created,
                updated: tally.updated,
                deleted: tally.deleted,
                unchanged: tally.unchanged,
            })
            .collect(),
        ticket: restored.ticket,
        revision: restored.revision,
        remarks: restored.remarks,
    }
}

fn from_export(error: ExportError) -> Status {
    match error {
        ExportError::Store(error) => status::from_store(error),
        ExportError::Unreadable(_) => Status::failed_precondition(error.to_string()),
        ExportError::Row(_) | ExportError::Random(_) => Status::internal(error.to_string()),
    }
}

fn from_restore(error: RestoreError) -> Status {
    match error {
        RestoreError::Store(error) => status::from_store(error),
        RestoreError::Commit(status) => *status,
        RestoreError::Seal(_) => Status::internal(error.to_string()),
        RestoreError::Unchecked => Status::failed_precondition(error.to_string()),
        RestoreError::Unfit(unfit) => match unfit {
            Unfit::Broken(_) | Unfit::Invalid(_) => Status::invalid_argument(unfit.to_string()),
            Unfit::Section(_) | Unfit::Sanitised | Unfit::OtherKey { .. } | Unfit::Newer { .. } => {
                Status::failed_precondition(unfit.to_string())
            }
        },
    }
}
