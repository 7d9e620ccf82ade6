//! `penstock usage series|top|chargeback|errors|clean`.

use std::io::IsTerminal;

use clap::ValueEnum;
use penstock_proto::admin::v1 as wire;

use super::By;
use super::filter::Filter;
use crate::args::duration::Millis;
use crate::args::moment::Past;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::output;
use crate::view;

const THIRTY_DAYS: Past = Past::Ago(Millis(30 * 86_400_000));
const DAY: Past = Past::Ago(Millis(86_400_000));

#[derive(clap::Args)]
pub(super) struct Series {
    #[command(flatten)]
    filter: Filter,
    /// How long a piece is; without --since the last 30 days are told
    #[arg(long, value_name = "HOW LONG", value_enum, default_value_t = Bucket::Day)]
    bucket: Bucket,
    /// Whose days, weeks and months: an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Bucket {
    Hour,
    Day,
    /// From Monday
    Week,
    Month,
}

impl Series {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let bucket = match self.bucket {
            Bucket::Hour => wire::UsageBucket::Hour,
            Bucket::Day => wire::UsageBucket::Day,
            Bucket::Week => wire::UsageBucket::Week,
            Bucket::Month => wire::UsageBucket::Month,
        };
        let otherwise = if self.bucket == Bucket::Hour {
            DAY
        } else {
            THIRTY_DAYS
        };
        let request = wire::GetUsageSeriesRequest {
            filter: Some(self.filter.wire_since(session, otherwise)),
            bucket: bucket.into(),
            time_zone: self.time_zone,
        };
        let answer = session.connect().await?.usage().get_usage_series(request).await?;
        session.print(&view::UsageSeries::from(answer.into_inner()))
    }
}

#[derive(clap::Args)]
pub(super) struct Top {
    /// Of what
    #[arg(value_enum)]
    of: By,
    #[command(flatten)]
    filter: Filter,
    /// What counts
    #[arg(long, value_enum, default_value_t = Order::Cost)]
    by: Order,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    Cost,
    /// In all classes
    Tokens,
    Requests,
}

impl Top {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let order = match self.by {
            Order::Cost => wire::UsageOrder::Cost,
            Order::Tokens => wire::UsageOrder::Tokens,
            Order::Requests => wire::UsageOrder::Requests,
        };
        let request = wire::SummarizeUsageRequest {
            filter: Some(self.filter.wire(session)),
            group_by: self.of.wire().into(),
            order: order.into(),
            limit: self.limit,
        };
        let answer = session.connect().await?.usage().summarize_usage(request).await?;
        session.print(&view::Usage::read(answer.into_inner(), Some(self.of.word())))
    }
}

#[derive(clap::Args)]
pub(super) struct Chargeback {
    /// Which month: 2026-11
    #[arg(long, value_name = "MONTH")]
    month: String,
    /// Whose month: an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// A line for each; whoever has several tags or groups is in the line of each
    #[arg(long, value_enum, default_value_t = ChargeBy::User)]
    by: ChargeBy,
    /// CSV on standard output, for spreadsheets
    #[arg(long)]
    csv: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ChargeBy {
    User,
    Key,
    /// Of the key or its user
    Tag,
    /// Provider groups that the key, or else its user, is held to
    Group,
}

impl Chargeback {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let (group_by, word) = match self.by {
            ChargeBy::User => (wire::ChargeGrouping::User, "user"),
            ChargeBy::Key => (wire::ChargeGrouping::Key, "key"),
            ChargeBy::Tag => (wire::ChargeGrouping::Tag, "tag"),
            ChargeBy::Group => (wire::ChargeGrouping::Group, "group"),
        };
        let request = wire::ListChargesRequest {
            month: self.month.clone(),
            time_zone: self.time_zone,
            group_by: group_by.into(),
        };
        let answer = session.connect().await?.usage().list_charges(request).await?;
        let charges = view::Charges::read(answer.into_inner(), self.month, word);
        match self.csv {
            true => output::raw(&charges.csv().map_err(Failure::other)?),
            false => session.print(&charges),
        }
    }
}

#[derive(clap::Args)]
pub(super) struct Errors {
    /// From when on: 24h, 7d, 2026-11-01 [default: 24h]
    #[arg(long, value_name = "TIME")]
    since: Option<Past>,
    /// Until when, written as --since [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<Past>,
    /// Name or id
    #[arg(long)]
    provider: Option<String>,
    /// As callers asked for it
    #[arg(long)]
    model: Option<String>,
}

impl Errors {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::ErrorTrendsRequest {
            from_ms: self.since.unwrap_or(DAY).resolve(session.now).0,
            to_ms: self.until.map_or(0, |until| until.resolve(session.now).0),
            provider: self.provider.unwrap_or_default(),
            model: self.model.unwrap_or_default(),
        };
        let answer = session.connect().await?.usage().error_trends(request).await?;
        session.print(&view::ErrorTrends::read(answer.into_inner())?)
    }
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Clean {
    /// Only tell what would go
    #[arg(long)]
    dry_run: bool,
    /// Clean, and tell how it goes on
    #[arg(long)]
    now: bool,
}

impl Clean {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::CleanUsageRequest {
            dry_run: self.dry_run,
        };
        let services = session.connect().await?;
        let mut answers = services.usage().clean_usage(request).await?.into_inner();
        let mut last = wire::CleanUsageResponse::default();
        while let Some(answer) = answers.message().await? {
            if self.now {
                progress(&answer);
            }
            last = answer;
        }
        session.print(&view::Cleaned::read(last, self.dry_run))
    }
}

fn progress(answer: &wire::CleanUsageResponse) {
    let kinds = answer.kinds.iter().filter(|kind| kind.rows > 0);
    let parts: Vec<String> = kinds.map(|kind| format!("{} {}", kind.rows, kind.kind)).collect();
    let line = match parts.is_empty() {
        true => "nothing went yet".to_owned(),
        false => format!("gone: {}", parts.join(", ")),
    };
    match std::io::stderr().is_terminal() {
        true => output::progress(&line, answer.done),
        false => output::remark(&line),
    }
}
