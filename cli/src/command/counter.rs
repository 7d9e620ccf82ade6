//! `penstock counter`.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::{Session, part};
use crate::failure::Failure;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What lies in Redis, by kind: number, type, time to live, size
    List,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List => {
                let services = session.connect().await?;
                let answer = services
                    .fleet()
                    .list_counters(wire::ListCountersRequest {})
                    .await?;
                let answer = answer.into_inner();
                let report = part("report", answer.report)?;
                session.print(&view::Counters::read(report, answer.node_id))
            }
        }
    }
}
