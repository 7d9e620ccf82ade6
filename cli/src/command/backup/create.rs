//! `penstock backup create`.

use std::path::PathBuf;

use penstock_proto::admin::v1 as wire;

use super::confirm;
use crate::backup::passphrase::Passphrase;
use crate::backup::progress::{Progress, Unit};
use crate::backup::write::BackupFile;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::{Reason, Services};
use crate::view;

#[derive(clap::Args)]
pub(crate) struct Create {
    /// A new file; it gets mode 0600
    file: PathBuf,

    /// What becomes of secrets and names
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,

    /// With the ledger (usage records, their sums, what limits are counted from), failed calls and the audit log
    #[arg(long)]
    include_usage: bool,

    /// Do not ask before secrets are written in plain text
    #[arg(long)]
    yes_i_know: bool,

    #[command(flatten)]
    passphrase: Passphrase,

    #[command(flatten)]
    reason: Reason,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Restores everything under the same master key
    #[default]
    Standard,
    /// Names and ids replaced, no secrets: to show to others, not to restore
    Sanitised,
    /// Secrets in plain text: restores everything under any master key
    WithSecrets,
    /// As with secrets, encrypted with a passphrase (age)
    Encrypted,
}

impl Create {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let passphrase = match self.kind {
            Kind::Encrypted => Some(self.passphrase.chosen()?),
            Kind::Standard | Kind::Sanitised | Kind::WithSecrets => None,
        };
        if self.kind == Kind::WithSecrets && !self.yes_i_know {
            let question = "The file will hold every provider's credential in plain text.";
            confirm::ask(question, "yes", "--yes-i-know")?;
            let question = "Whoever reads it can use them all. With --kind encrypted they could not.";
            confirm::ask(question, "plain text", "--yes-i-know")?;
        }
        let services = session.connect().await?;
        let mut file = BackupFile::create(&self.file, passphrase.as_ref())?;
        let (rows, remarks) = match self.fill(&services, &mut file).await {
            Ok(filled) => filled,
            Err(failure) => {
                file.discard();
                return Err(failure);
            }
        };
        let bytes = file.finish()?;
        let made = view::BackupMade {
            file: self.file.display().to_string(),
            kind: self.kind.name().to_owned(),
            rows,
            bytes,
            remarks,
        };
        session.print(&made)?;
        made.ended()
    }

    /// The number of rows, and what the server says of them.
    async fn fill(&self, services: &Services, file: &mut BackupFile) -> Result<(u64, Vec<String>), Failure> {
        let request = wire::CreateBackupRequest {
            kind: self.kind.on_the_wire().into(),
            include_usage: self.include_usage,
            change: self.reason.info(),
        };
        let mut pieces = services.backups().create_backup(request).await?.into_inner();
        let progress = Progress::begin("writing the backup", Unit::Rows, 0);
        let (mut rows, mut remarks) = (0, Vec::new());
        while let Some(piece) = pieces.message().await? {
            file.write(&piece.lines)?;
            rows = piece.rows;
            remarks.extend(piece.remarks);
            progress.at(rows, piece.rows_expected);
        }
        progress.end();
        Ok((rows, remarks))
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Sanitised => "sanitised",
            Self::WithSecrets => "with-secrets",
            Self::Encrypted => "encrypted",
        }
    }

    fn on_the_wire(self) -> wire::BackupKind {
        match self {
            Self::Standard => wire::BackupKind::Standard,
            Self::Sanitised => wire::BackupKind::Sanitised,
            Self::WithSecrets => wire::BackupKind::WithSecrets,
            Self::Encrypted => wire::BackupKind::Encrypted,
        }
    }
}
