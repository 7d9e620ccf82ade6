//! `penstock session`.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::failure::Failure;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Sessions with calls in the last hours, the newest first
    List(List),
    /// Take a session its provider and its slot away; its next call is routed anew
    Kick {
        /// As `session list` shows it
        id: String,
    },
}

#[derive(clap::Args)]
pub(crate) struct List {
    /// Name or id
    #[arg(long)]
    user: Option<String>,
    /// user/key, the bare name while it is unique, or id
    #[arg(long)]
    key: Option<String>,
    /// Name or id
    #[arg(long)]
    provider: Option<String>,
    /// Of the last so many hours
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=168))]
    hours: u32,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(session).await,
            Self::Kick { id } => {
                let request = wire::KickSessionRequest { id: id.clone() };
                let answer = session.connect().await?.sessions().kick_session(request).await?;
                session.print(&view::KickedSession::read(id, answer.into_inner()))
            }
        }
    }
}

impl List {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::ListSessionsRequest {
            user: self.user.unwrap_or_default(),
            key: self.key.unwrap_or_default(),
            provider: self.provider.unwrap_or_default(),
            hours: self.hours,
            limit: self.limit,
        };
        let answer = session.connect().await?.sessions().list_sessions(request).await?;
        session.print_list(answer.into_inner().sessions, |session| {
            Ok(view::Session::from(session))
        })
    }
}
