//! `penstock route`: the dry run.

use penstock_core::dialect::Dialect;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::plan_route_request::Caller;

use super::session::Session;
use crate::args::choice;
use crate::failure::Failure;
use crate::view;

#[derive(clap::Args)]
pub(crate) struct Route {
    #[command(flatten)]
    whose: Whose,
    /// As a caller would ask for it
    #[arg(long)]
    model: String,
    /// The client API
    #[arg(long, value_name = "API", value_parser = choice::dialect(), default_value = Dialect::Anthropic.as_str())]
    dialect: Dialect,
    /// A session's id as its client sends it: where it is bound to counts
    #[arg(long, value_name = "ID", requires = "key", conflicts_with = "user")]
    session: Option<String>,
}

/// Whose request it would be.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// user/key, the bare name while it is unique, or id
    #[arg(long)]
    key: Option<String>,
    /// Name or id: only the user's own rules count
    #[arg(long)]
    user: Option<String>,
}

impl Route {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let (key, user) = (self.whose.key, self.whose.user);
        let request = wire::PlanRouteRequest {
            caller: key.map(Caller::Key).or_else(|| user.map(Caller::User)),
            dialect: self.dialect.as_str().to_owned(),
            model: self.model,
            session: self.session.unwrap_or_default(),
        };
        let answer = session.connect().await?.routes().plan_route(request).await?;
        session.print(&view::RoutePlan::read(answer.into_inner(), self.dialect)?)
    }
}
