//! `penstock migrate`: looks at the database itself, so that it works while no control plane can start.

use clap::Subcommand;
use penstock_control_plane::store;
use penstock_core::secret::Secret;

use super::session::Session;
use crate::failure::Failure;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Which migrations are applied and which are pending
    Status(Database),
    /// Apply what is pending
    Up(Database),
}

#[derive(clap::Args)]
pub(crate) struct Database {
    /// postgres://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:PATH; with a password better in the environment
    #[arg(long, env = "PENSTOCK_DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = url)]
    database_url: Secret,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        // To connect with it.
        let listed = match &self {
            Self::Status(database) => store::migrations(database.database_url.expose()).await,
            Self::Up(database) => store::migrate_up(database.database_url.expose()).await,
        };
        let items: Vec<_> = listed
            .map_err(Failure::other)?
            .into_iter()
            .map(view::Migration::from)
            .collect();
        if items.is_empty() {
            session.remark("nothing was pending");
        }
        session.print(&view::List { items })
    }
}

fn url(text: &str) -> Result<Secret, &'static str> {
    let url = Secret::trimmed(text);
    if url.is_empty() {
        return Err("is empty");
    }
    Ok(url)
}
