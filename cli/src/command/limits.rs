//! `penstock limits`.
//!
//! Limits themselves are set where the user, key or provider is: `penstock user update`, and so on.

use clap::Subcommand;
use penstock_core::limits::Dimension;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::limit_subject;
use penstock_proto::convert::enums::dimension_to_wire;

use super::session::Session;
use crate::args::choice;
use crate::failure::Failure;
use crate::remote::Reason;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// How much is used now; with a key also of its user's limits, which hold for it too
    Show {
        #[command(flatten)]
        subject: Subject,
    },
    /// When budgets are reached if spending goes on as it did, from the ledger
    Forecast {
        #[command(flatten)]
        subject: Subject,
        /// As it did in the last so many hours
        #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
        hours: u32,
    },
    /// Forget what was used until now: it counts no longer, on any data plane
    Reset {
        #[command(flatten)]
        subject: Subject,
        /// What to reset, several times if need be [default: all budgets]
        #[arg(long = "dimension", value_name = "DIMENSION", value_parser = choice::dimension())]
        dimensions: Vec<Dimension>,
        #[command(flatten)]
        reason: Reason,
    },
}

/// Whose limits.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Subject {
    /// user/key, the bare name while it is unique, or id
    #[arg(long)]
    key: Option<String>,
    /// Name or id
    #[arg(long)]
    user: Option<String>,
    /// Name or id
    #[arg(long)]
    provider: Option<String>,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Show { subject } => {
                let request = wire::ShowLimitsRequest {
                    subject: Some(subject.wire()),
                };
                let answer = session.connect().await?.limits().show_limits(request).await?;
                session.print(&view::LimitsUsed::read(answer.into_inner())?)
            }
            Self::Forecast { subject, hours } => {
                let request = wire::ForecastLimitsRequest {
                    subject: Some(subject.wire()),
                    hours,
                };
                let answer = session.connect().await?.limits().forecast_limits(request).await?;
                session.print(&view::Forecasts::read(answer.into_inner())?)
            }
            Self::Reset {
                subject,
                dimensions,
                reason,
            } => {
                let request = wire::ResetLimitsRequest {
                    subject: Some(subject.wire()),
                    dimensions: dimensions.into_iter().map(dimension_to_wire).collect(),
                    change: reason.info(),
                };
                let answer = session.connect().await?.limits().reset_limits(request).await?;
                session.print(&view::LimitsReset::read(answer.get_ref())?)
            }
        }
    }
}

impl Subject {
    /// The group lets exactly one through.
    fn wire(self) -> wire::LimitSubject {
        let key = self.key.map(limit_subject::Subject::Key);
        let user = self.user.map(limit_subject::Subject::User);
        let provider = self.provider.map(limit_subject::Subject::Provider);
        wire::LimitSubject {
            subject: key.or(user).or(provider),
        }
    }
}
