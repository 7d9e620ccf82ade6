//! `penstock backup restore`: what it would change first, then, when that is wanted, the change.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use futures::stream;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::restore_backup_request::Part;

use super::confirm;
use crate::backup::inspect::unpacking;
use crate::backup::passphrase::Passphrase;
use crate::backup::progress::{Progress, Unit};
use crate::backup::read::Lines;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::{Reason, Services};
use crate::view;

#[derive(clap::Args)]
pub(crate) struct Restore {
    /// A backup of any kind but sanitised
    file: PathBuf,

    /// Check all of it and say what would change; change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask before the present configuration is replaced
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    passphrase: Passphrase,

    #[command(flatten)]
    reason: Reason,
}

impl Restore {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        // Asked for once, used twice.
        let mut known: Option<Secret> = None;
        let mut passphrase = || match &known {
            Some(secret) => Ok(secret.clone()),
            None => self
                .passphrase
                .known()
                .inspect(|secret| known = Some(secret.clone())),
        };
        let lines = Lines::open(&self.file, &mut passphrase)?;
        let services = session.connect().await?;
        let checked = self
            .send(&services, lines, true, "", "checking the backup")
            .await?;
        let ticket = checked.ticket.clone();
        let plan = view::Restored::read(checked, true);
        if self.dry_run {
            return session.print(&plan);
        }
        if !self.yes {
            session.remark(&view::View::table(&plan));
            let question = "The configuration will be that of the backup.";
            confirm::ask(question, "restore", "--yes")?;
        }
        let lines = Lines::open(&self.file, &mut passphrase)?;
        let restored = self
            .send(&services, lines, false, &ticket, "restoring the backup")
            .await?;
        session.print(&view::Restored::read(restored, false))
    }

    async fn send(
        &self,
        services: &Services,
        lines: Lines,
        dry_run: bool,
        ticket: &str,
        what: &str,
    ) -> Result<wire::RestoreBackupResponse, Failure> {
        let begin = wire::RestoreBegin {
            dry_run,
            ticket: ticket.to_owned(),
            change: self.reason.info(),
        };
        let progress = Arc::new(Progress::begin(what, Unit::Bytes, lines.size));
        let broken: Arc<Mutex<Option<std::io::Error>>> = Arc::default();
        let pieces = pieces(lines, Arc::clone(&progress), Arc::clone(&broken));
        let first = std::iter::once(message(Part::Begin(begin)));
        let answer = services
            .backups()
            .restore_backup(stream::iter(first.chain(pieces)))
            .await;
        progress.end();
        // The file's own fault tells more than the server's view of what came of it.
        if let Some(error) = broken.lock().ok().and_then(|mut broken| broken.take()) {
            return Err(unpacking(error));
        }
        Ok(answer?.into_inner())
    }
}

/// Ends at the end of the file, or where it cannot be read.
fn pieces(
    mut lines: Lines,
    progress: Arc<Progress>,
    broken: Arc<Mutex<Option<std::io::Error>>>,
) -> impl Iterator<Item = wire::RestoreBackupRequest> + Send {
    std::iter::from_fn(move || match lines.next_piece() {
        Ok(piece) if piece.is_empty() => None,
        Ok(piece) => {
            progress.at(lines.read.load(Ordering::Relaxed), lines.size);
            Some(message(Part::Lines(piece)))
        }
        Err(error) => {
            if let Ok(mut broken) = broken.lock() {
                *broken = Some(error);
            }
            None
        }
    })
}

fn message(part: Part) -> wire::RestoreBackupRequest {
    wire::RestoreBackupRequest { part: Some(part) }
}
