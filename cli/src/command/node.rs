//! `penstock node`.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::failure::Failure;
use crate::remote::Reason;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Data planes seen in the last 7 days, the revision that each runs, and what it refuses
    List,
    /// Take a data plane out of service, or back: it is not ready, and serves what is under way and what comes
    Drain(Drain),
}

#[derive(clap::Args)]
pub(crate) struct Drain {
    /// As `node list` names it
    #[arg(value_name = "NODE")]
    node: String,
    /// Back into service
    #[arg(long)]
    undo: bool,
    #[command(flatten)]
    reason: Reason,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List => {
                let services = session.connect().await?;
                let answer = services.fleet().list_nodes(wire::ListNodesRequest {}).await?;
                session.print(&view::Nodes::read(answer.into_inner()))
            }
            Self::Drain(drain) => drain.run(session).await,
        }
    }
}

impl Drain {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::DrainNodeRequest {
            node_id: self.node.clone(),
            undo: self.undo,
            change: self.reason.info(),
        };
        let services = session.connect().await?;
        let answer = services.fleet().drain_node(request).await?.into_inner();
        let done = match self.undo {
            true => format!("data plane {} is in service", self.node),
            false => format!("data plane {} is out of service; end it with --undo", self.node),
        };
        session.print_done(done, answer.revision)
    }
}
