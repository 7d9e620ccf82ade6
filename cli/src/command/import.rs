//! `penstock import`.

use std::path::PathBuf;

use clap::Subcommand;
use futures::stream;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::import_resources_request::Part;

use super::session::Session;
use crate::failure::Failure;
use crate::import::draft::Draft;
use crate::import::{claude_code_hub, claude_relay_service};
use crate::input;
use crate::remote::Reason;
use crate::target::process_env;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// A Postgres dump of Claude Code Hub: a folder of CSV or JSON files by table, or one JSON file
    ClaudeCodeHub {
        #[arg(value_name = "FILE|FOLDER")]
        from: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// An export of Claude Relay Service, or the keys of its Redis, as JSON
    ClaudeRelayService {
        file: PathBuf,
        /// Environment variable that holds the old gateway's `ENCRYPTION_KEY`
        #[arg(long, value_name = "VAR")]
        encryption_key_env: Option<String>,
        /// Whom keys belong to that belong to nobody there
        #[arg(long, default_value = "claude-relay-service")]
        user: String,
        /// Name of the import suffix that `ENCRYPTION_KEY` becomes
        #[arg(long, default_value = "claude-relay-service")]
        suffix_name: String,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct How {
    /// Say what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the old gateway's days began (its TZ or `TIMEZONE_OFFSET`)
    #[arg(long, value_name = "ZONE", default_value = "Asia/Shanghai")]
    time_zone: String,
    #[command(flatten)]
    reason: Reason,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::ClaudeCodeHub { from, how } => {
                let options = claude_code_hub::Options {
                    zone: how.time_zone.clone(),
                };
                make(session, claude_code_hub::read(&from, &options)?, &how).await
            }
            Self::ClaudeRelayService {
                file,
                encryption_key_env,
                user,
                suffix_name,
                how,
            } => {
                let options = claude_relay_service::Options {
                    encryption_key: encryption_key(encryption_key_env.as_deref())?,
                    user,
                    suffix: suffix_name,
                    zone: how.time_zone.clone(),
                };
                make(session, claude_relay_service::read(&file, &options)?, &how).await
            }
        }
    }
}

/// As it is: space around it would be part of the hash there too, but no variable has any.
fn encryption_key(variable: Option<&str>) -> Result<Option<Secret>, Failure> {
    match variable {
        None => Ok(None),
        Some(_) => input::read(None, None, variable, &process_env),
    }
}

async fn make(session: &Session, draft: Draft, how: &How) -> Result<(), Failure> {
    let (items, notes) = draft.into_parts();
    let begin = Part::Begin(wire::ImportBegin {
        dry_run: how.dry_run,
        change: how.reason.info(),
    });
    let parts = std::iter::once(begin).chain(items.into_iter().map(|item| Part::Item(Box::new(item))));
    let messages = parts.map(|part| wire::ImportResourcesRequest { part: Some(part) });
    let services = session.connect().await?;
    let answer = services
        .imports()
        .import_resources(stream::iter(messages))
        .await?;
    let imported = view::Imported::read(answer.into_inner(), notes, how.dry_run);
    session.print(&imported)?;
    match imported.is_whole() {
        true => Ok(()),
        false => Err(Failure::Input("some of it was refused: see above".into())),
    }
}
