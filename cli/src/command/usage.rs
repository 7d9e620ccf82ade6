//! `penstock usage`.

mod export;
mod filter;
mod more;

use clap::{Subcommand, ValueEnum};
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::failure::Failure;
use crate::view;
use filter::Filter;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Usage {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    summary: Summary,
}

#[derive(clap::Args)]
struct Summary {
    #[command(flatten)]
    filter: Filter,
    /// Sums for each of these, too
    #[arg(long, value_name = "WHAT")]
    by: Option<By>,
}

#[derive(Subcommand)]
enum What {
    /// Sums, as without a word behind `usage`
    Summary(Summary),
    /// Sums by hour, day, week or month
    Series(more::Series),
    /// Who used or cost the most
    Top(more::Top),
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
    /// Sessions with calls in the last hours, as `session list`
    Sessions(super::sessions::List),
    /// Single calls as a file, oldest first, however many
    Export(export::Export),
    /// What a month cost, for each user, key, tag or group
    Chargeback(more::Chargeback),
    /// How calls ended and how long they took: by hour, by error, by provider and model
    Errors(more::Errors),
    /// Clean what is older than the setting `retention` says; it is cleaned each hour anyway
    Clean(more::Clean),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    User,
    Key,
    Provider,
    Model,
    Hour,
    /// Counted from single records
    Session,
}

impl Usage {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self.what {
            None => self.summary.run(session).await,
            Some(What::Summary(summary)) => summary.run(session).await,
            Some(What::Series(series)) => series.run(session).await,
            Some(What::Top(top)) => top.run(session).await,
            Some(What::Records {
                filter,
                limit,
                before,
            }) => records(session, &filter, limit, before).await,
            Some(What::Sessions(list)) => list.run(session).await,
            Some(What::Export(export)) => export.run(session).await,
            Some(What::Chargeback(chargeback)) => chargeback.run(session).await,
            Some(What::Errors(errors)) => errors.run(session).await,
            Some(What::Clean(clean)) => clean.run(session).await,
        }
    }
}

impl Summary {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::SummarizeUsageRequest {
            filter: Some(self.filter.wire(session)),
            group_by: self.by.map_or(wire::UsageGrouping::Unspecified, By::wire).into(),
            order: 0,
            limit: 0,
        };
        let answer = session.connect().await?.usage().summarize_usage(request).await?;
        session.print(&view::Usage::read(answer.into_inner(), self.by.map(By::word)))
    }
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

impl By {
    fn wire(self) -> wire::UsageGrouping {
        match self {
            Self::User => wire::UsageGrouping::User,
            Self::Key => wire::UsageGrouping::Key,
            Self::Provider => wire::UsageGrouping::Provider,
            Self::Model => wire::UsageGrouping::Model,
            Self::Hour => wire::UsageGrouping::Hour,
            Self::Session => wire::UsageGrouping::Session,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Hour => "hour",
            Self::Session => "session",
        }
    }
}
