//! `penstock backup`.

mod confirm;
mod create;
mod restore;

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Subcommand;

use super::session::Session;
use crate::backup::inspect::inspect;
use crate::backup::passphrase::Passphrase;
use crate::backup::progress::{Progress, Unit};
use crate::backup::read::Lines;
use crate::failure::Failure;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write the installation to a file: configuration, access tokens, and the ledger if asked
    Create(create::Create),
    /// What a backup holds, and whether it is whole; asks no server
    Inspect {
        file: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Bring a backup back: its configuration in place of the present one, its ledger beside it
    Restore(restore::Restore),
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::Inspect { file, passphrase } => {
                let mut lines = Lines::open(&file, &mut || passphrase.known())?;
                let progress = Progress::begin("reading the backup", Unit::Bytes, lines.size);
                let seen = |lines: &Lines| progress.at(lines.read.load(Ordering::Relaxed), lines.size);
                let inspected = inspect(&mut lines, seen)?;
                progress.end();
                session.print(&view::Backup::of(&inspected, lines.encrypted, lines.size))
            }
            Self::Restore(restore) => restore.run(session).await,
        }
    }
}
