//! `penstock usage`.

use clap::{Subcommand, ValueEnum};
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::args::duration::Millis;
use crate::args::moment::Past;
use crate::failure::Failure;
use crate::view;

const DAY: Past = Past::Ago(Millis(86_400_000));

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Usage {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    filter: Filter,
    /// Sums for each of these, too
    #[arg(long, value_name = "WHAT")]
    by: Option<By>,
}

#[derive(Subcommand)]
enum What {
    /// Single calls, newest first
    Records {
        #[command(flatten)]
        filter: Filter,
        /// At most this many, up to 1000
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only calls before the one of this id
        #[arg(long, value_name = "ID")]
        before: Option<String>,
    },
}

/// Which calls.
#[derive(Clone, Debug, clap::Args)]
struct Filter {
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    User,
    Key,
    Provider,
    Model,
    Hour,
}

impl Usage {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self.what {
            Some(What::Records {
                filter,
                limit,
                before,
            }) => records(session, &filter, limit, before).await,
            None => summary(session, &self.filter, self.by).await,
        }
    }
}

async fn summary(session: &Session, filter: &Filter, by: Option<By>) -> Result<(), Failure> {
    let request = wire::SummarizeUsageRequest {
        filter: Some(filter.wire(session)),
        group_by: by.map_or(wire::UsageGrouping::Unspecified, By::wire).into(),
    };
    let answer = session.connect().await?.usage().summarize_usage(request).await?;
    session.print(&view::Usage::read(answer.into_inner(), by.map(By::word)))
}

async fn records(
    session: &Session,
    filter: &Filter,
    limit: u32,
    before: Option<String>,
) -> Result<(), Failure> {
    let request = wire::ListUsageRecordsRequest {
        filter: Some(filter.wire(session)),
        limit,
        before_id: before.unwrap_or_default(),
    };
    let answer = session
        .connect()
        .await?
        .usage()
        .list_usage_records(request)
        .await?;
    session.print_list(answer.into_inner().records, view::UsageRecord::read)
}

impl Filter {
    fn wire(&self, session: &Session) -> wire::UsageFilter {
        wire::UsageFilter {
            from_ms: self.since.unwrap_or(DAY).resolve(session.now).0,
            // 0: the server's now, and a little more for clocks that run ahead.
            to_ms: self.until.map_or(0, |until| until.resolve(session.now).0),
            user: self.user.clone().unwrap_or_default(),
            key: self.key.clone().unwrap_or_default(),
            provider: self.provider.clone().unwrap_or_default(),
            model: self.model.clone().unwrap_or_default(),
        }
    }
}

impl By {
    fn wire(self) -> wire::UsageGrouping {
        match self {
            Self::User => wire::UsageGrouping::User,
            Self::Key => wire::UsageGrouping::Key,
            Self::Provider => wire::UsageGrouping::Provider,
            Self::Model => wire::UsageGrouping::Model,
            Self::Hour => wire::UsageGrouping::Hour,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Hour => "hour",
        }
    }
}
