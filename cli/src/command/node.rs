//! `penstock node`.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::failure::Failure;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Data planes seen in the last 7 days, the revision that each runs, and what it refuses
    List,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List => {
                let services = session.connect().await?;
                let answer = services.fleet().list_nodes(wire::ListNodesRequest {}).await?;
                session.print(&view::Nodes::read(answer.into_inner()))
            }
        }
    }
}
