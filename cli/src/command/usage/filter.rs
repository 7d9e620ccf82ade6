//! Which calls.

use penstock_core::usage::Outcome;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::outcome_to_wire;

use crate::args::choice;
use crate::args::duration::Millis;
use crate::args::moment::Past;
use crate::command::session::Session;

const DAY: Past = Past::Ago(Millis(86_400_000));

/// Which calls.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Filter {
    /// From when on: 24h, 7d, 2026-11-01, 2026-11-01T10:00:00Z [default: 24h]
    #[arg(long, value_name = "TIME")]
    since: Option<Past>,
    /// Until when, written as --since [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<Past>,
    /// Name or id
    #[arg(long)]
    user: Option<String>,
    /// user/key, the bare name while it is unique, or id
    #[arg(long)]
    key: Option<String>,
    /// Name or id
    #[arg(long)]
    provider: Option<String>,
    /// As callers asked for it
    #[arg(long)]
    model: Option<String>,
    /// Of keys, or of users, that carry it now; any of several
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// As `usage records` shows it; counted from single records
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// What callers saw: 429, 5xx, 400-499; counted from single records
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// How calls ended; counted from single records
    #[arg(long, value_parser = choice::outcome())]
    outcome: Option<Outcome>,
}

impl Filter {
    pub(super) fn wire(&self, session: &Session) -> wire::UsageFilter {
        self.wire_since(session, DAY)
    }

    /// With another beginning where none was given.
    pub(super) fn wire_since(&self, session: &Session, otherwise: Past) -> wire::UsageFilter {
        wire::UsageFilter {
            from_ms: self.since.unwrap_or(otherwise).resolve(session.now).0,
            // 0: the server's now, and a little more for clocks that run ahead.
            to_ms: self.until.map_or(0, |until| until.resolve(session.now).0),
            user: self.user.clone().unwrap_or_default(),
            key: self.key.clone().unwrap_or_default(),
            provider: self.provider.clone().unwrap_or_default(),
            model: self.model.clone().unwrap_or_default(),
            tags: self.tags.clone(),
            session: self.session.clone().unwrap_or_default(),
            status: self.status.clone().unwrap_or_default(),
            outcome: self.outcome.map_or(0, outcome_to_wire),
        }
    }
}
