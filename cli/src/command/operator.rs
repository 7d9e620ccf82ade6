//! `penstock operator`.

use clap::Subcommand;
use penstock_core::operator::{Operator, Role};
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use penstock_proto::convert::enums::operator_role_to_wire;

use super::edit::{Edit, Rename};
use super::named::Named;
use super::session::{Session, part};
use crate::args::access::Switch;
use crate::args::choice;
use crate::args::duration::Millis;
use crate::args::moment::Expiry;
use crate::failure::Failure;
use crate::remote::{ATTEMPTS, Reason, Services, all, edit};
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an account; prints its token, once
    Create(Create),
    /// All accounts
    List,
    /// One account
    #[command(alias = "get")]
    Show {
        /// Name or id
        operator: String,
    },
    /// Change the fields that are given
    Update(Update),
    /// A new token, printed once
    Rotate {
        #[command(flatten)]
        named: Named,
        /// How long the old token goes on working
        #[arg(long, value_name = "TIME", default_value = "0")]
        overlap: Millis,
    },
    /// Delete an account; its token is refused at once
    Delete(Named),
}

#[derive(clap::Args)]
pub(crate) struct Create {
    /// Name: letters, digits, `.`, `_`, `-`, `@` and `+`; it stands in the history as the author of changes
    #[arg(long)]
    name: String,
    /// What it may do
    #[arg(long, value_parser = choice::role())]
    role: Role,
    /// Whom the role user sees; name or id
    #[arg(long, required_if_eq("role", "user"))]
    user: Option<String>,
    /// When its token is refused: 30d, 2026-11-01, never
    #[arg(long, value_name = "TIME", default_value = "never")]
    expires: Expiry,
    #[command(flatten)]
    reason: Reason,
}

#[derive(clap::Args)]
pub(crate) struct Update {
    #[command(flatten)]
    edit: Edit,
    #[command(flatten)]
    rename: Rename,
    /// What it may do
    #[arg(long, value_parser = choice::role())]
    role: Option<Role>,
    /// Whom the role user sees; name or id
    #[arg(long)]
    user: Option<String>,
    /// When its token is refused: 30d, 2026-11-01, never
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
    #[command(flatten)]
    switch: Switch,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::List => list(session).await,
            Self::Show { operator } => {
                let found = read(&session.connect().await?, &operator).await?;
                session.print(&view::Operator::read(found)?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Rotate { named, overlap } => rotate(session, &named, overlap).await,
            Self::Delete(named) => delete(session, named).await,
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let spec = wire::OperatorSpec {
            name: self.name,
            role: operator_role_to_wire(self.role),
            user: self.user.unwrap_or_default(),
            enabled: true,
            expires_at_ms: self.expires.resolve(session.now).map(|at| at.0),
        };
        let request = wire::CreateOperatorRequest {
            spec: Some(spec),
            change: self.reason.info(),
        };
        let services = session.connect().await?;
        let answer = services.operators().create_operator(request).await?.into_inner();
        show_token(session, answer.operator, answer.token)
    }
}

impl Update {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let Self {
            edit,
            rename,
            role,
            user,
            expires,
            switch,
        } = self;
        let given = rename.is_given()
            || role.is_some()
            || user.is_some()
            || expires.is_some()
            || switch != Switch::default();
        let answer = edit.run(session, given, async |services: &Services| {
            let found = read(services, edit.name()).await?;
            let mut operator = convert::operator_from_wire(part("spec", found.spec)?)?;
            rename.apply(&mut operator.name);
            switch.apply(&mut operator.enabled);
            if let Some(expires) = expires {
                operator.expires_at = expires.resolve(session.now);
            }
            let request = wire::UpdateOperatorRequest {
                operator: found.id,
                expected_version: edit.version(found.version),
                spec: Some(changed(operator, role, user.as_deref())),
                change: edit.reason(),
                update_mask: None,
            };
            Ok(services.operators().update_operator(request).await?.into_inner())
        });
        session.print(&view::Operator::read(part("operator", answer.await?.operator)?)?)
    }
}

/// With another role the user of the old one goes.
fn changed(mut operator: Operator, role: Option<Role>, user: Option<&str>) -> wire::OperatorSpec {
    operator.role = role.unwrap_or(operator.role);
    if operator.role != Role::User {
        operator.user_id = None;
    }
    let mut spec = convert::operator_to_wire(&operator);
    if let Some(user) = user {
        user.clone_into(&mut spec.user);
    }
    spec
}

async fn list(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let operators = all(async |page| {
        let request = wire::ListOperatorsRequest { page };
        let answer = services.operators().list_operators(request).await?.into_inner();
        Ok((answer.operators, answer.page))
    });
    session.print_list(operators.await?, view::Operator::read)
}

async fn rotate(session: &Session, named: &Named, overlap: Millis) -> Result<(), Failure> {
    let services = session.connect().await?;
    let answer = edit(ATTEMPTS, async || {
        let request = wire::RotateOperatorTokenRequest {
            operator: named.name.clone(),
            overlap_ms: overlap.0,
            change: named.reason.info(),
        };
        Ok(services
            .operators()
            .rotate_operator_token(request)
            .await?
            .into_inner())
    });
    let answer = answer.await?;
    show_token(session, answer.operator, answer.token)
}

async fn delete(session: &Session, named: Named) -> Result<(), Failure> {
    let done = format!("deleted operator {}", named.name);
    let request = wire::DeleteOperatorRequest {
        operator: named.name,
        expected_version: 0,
        change: named.reason.info(),
    };
    session
        .connect()
        .await?
        .operators()
        .delete_operator(request)
        .await?;
    session.print(&view::OperatorDeleted { done })
}

async fn read(services: &Services, operator: &str) -> Result<wire::Operator, Failure> {
    let request = wire::GetOperatorRequest {
        operator: operator.to_owned(),
    };
    let answer = services.operators().get_operator(request).await?;
    part("operator", answer.into_inner().operator)
}

fn show_token(session: &Session, operator: Option<wire::Operator>, token: String) -> Result<(), Failure> {
    let operator = view::Operator::read(part("operator", operator)?)?;
    session.remark(&format!(
        "operator {} has a new token, for PENSTOCK_TOKEN or --token-file; it is shown this once:",
        operator.name
    ));
    session.print(&view::NewOperator::new(operator, token))
}
