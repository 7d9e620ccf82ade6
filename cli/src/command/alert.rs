//! `penstock alert`: what is wrong, and what was told.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::failure::Failure;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What is wrong now
    List,
    /// What was told, newest first
    History {
        /// At most this many, up to 1000
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let services = session.connect().await?;
        match self {
            Self::List => {
                let answer = services
                    .notifications()
                    .list_alerts(wire::ListAlertsRequest {})
                    .await?;
                session.print_list(answer.into_inner().alerts, |alert| Ok(view::Alert::read(alert)))
            }
            Self::History { limit } => {
                let request = wire::ListNotificationsRequest {
                    limit,
                    before: String::new(),
                };
                let answer = services.notifications().list_notifications(request).await?;
                session.print_list(answer.into_inner().notifications, |notification| {
                    Ok(view::Notification::read(notification))
                })
            }
        }
    }
}
