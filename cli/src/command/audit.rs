//! `penstock audit`.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::args::moment::Past;
use crate::failure::Failure;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Who did what, newest first
    List(List),
}

#[derive(clap::Args)]
pub(crate) struct List {
    /// From when on: 24h, 7d, 2026-11-01, 2026-11-01T10:00:00Z [default: the beginning]
    #[arg(long, value_name = "TIME")]
    since: Option<Past>,
    /// Until when, written as --since [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<Past>,
    /// An operator's name; `admin` is the admin token
    #[arg(long)]
    actor: Option<String>,
    /// A part of the action: `KeyService`, `CreateKey`, sign-in
    #[arg(long)]
    action: Option<String>,
    /// A part of what it was about: alice
    #[arg(long)]
    target: Option<String>,
    /// How it ended: ok, `permission_denied`, unauthenticated, unfinished, …
    #[arg(long)]
    outcome: Option<String>,
    /// At most this many, up to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Only entries before the one of this id
    #[arg(long, value_name = "ID")]
    before: Option<String>,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let Self::List(list) = self;
        let instant = |past: Option<Past>| past.map_or(0, |past| past.resolve(session.now).0);
        let filter = wire::AuditFilter {
            from_ms: instant(list.since),
            to_ms: instant(list.until),
            actor: list.actor.unwrap_or_default(),
            action: list.action.unwrap_or_default(),
            target: list.target.unwrap_or_default(),
            outcome: list.outcome.unwrap_or_default(),
        };
        let request = wire::ListAuditEntriesRequest {
            filter: Some(filter),
            limit: list.limit,
            before_id: list.before.unwrap_or_default(),
        };
        let answer = session
            .connect()
            .await?
            .audit()
            .list_audit_entries(request)
            .await?;
        session.print_list(answer.into_inner().entries, |entry| {
            Ok(view::AuditEntry::read(entry))
        })
    }
}
