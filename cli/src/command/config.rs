//! `penstock config`: the history of the configuration.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::args::revision::Revision;
use crate::failure::Failure;
use crate::remote::{Reason, Services};
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Who changed what, when and why; newest first
    History {
        /// At most this many, up to 1000
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only revisions before this one
        #[arg(long, value_name = "REVISION")]
        before: Option<u64>,
        /// Only changes of this resource, whatever it was called then
        #[arg(long, value_name = "KIND/NAME", default_value = "", hide_default_value = true)]
        resource: String,
        /// Only changes that this operator made
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        actor: String,
    },
    /// What differs between two revisions
    Diff {
        /// A number, or -1 for the one before the newest
        #[arg(allow_negative_numbers = true)]
        from: Revision,
        /// The newest, if left out
        #[arg(allow_negative_numbers = true)]
        to: Option<Revision>,
        /// Only this resource
        #[arg(long, value_name = "KIND/NAME", default_value = "", hide_default_value = true)]
        resource: String,
    },
    /// One revision and all that it changed; or one resource as it was then
    Show {
        /// A number, or -1 for the one before the newest
        #[arg(allow_negative_numbers = true)]
        revision: Revision,
        /// This resource as it was at the revision, instead of what the revision changed
        #[arg(long, value_name = "KIND/NAME")]
        resource: Option<String>,
    },
    /// Bring the state of an earlier revision back, as a new revision
    ///
    /// Credentials never come back: a provider keeps the one that it has, or comes back disabled without one.
    /// Users and keys that are disabled or deleted now stay so, unless --include-access is given.
    Rollback(Rollback),
}

#[derive(clap::Args)]
pub(crate) struct Rollback {
    /// A number, or -1 for the one before the newest
    #[arg(
        allow_negative_numbers = true,
        required_unless_present = "to",
        conflicts_with = "to"
    )]
    revision: Option<Revision>,
    /// The same as the argument
    #[arg(long, value_name = "REVISION", allow_negative_numbers = true)]
    to: Option<Revision>,
    /// Also enable and restore users and keys that were enabled then
    #[arg(long)]
    include_access: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    reason: Reason,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::History {
                limit,
                before,
                resource,
                actor,
            } => {
                let request = wire::ListRevisionsRequest {
                    limit,
                    before: before.unwrap_or_default(),
                    actor,
                    resource,
                };
                history(session, request).await
            }
            Self::Diff { from, to, resource } => diff(session, from, to, resource).await,
            Self::Show { revision, resource } => match resource {
                Some(resource) => past(session, revision, resource).await,
                None => show(session, revision).await,
            },
            Self::Rollback(rollback) => rollback.run(session).await,
        }
    }
}

impl Rollback {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let missing = || Failure::Usage("name the revision to go back to".into());
        let target = self.revision.or(self.to).ok_or_else(missing)?;
        let services = session.connect().await?;
        let to_revision = resolve(&services, target).await?;
        let request = wire::RollbackRequest {
            to_revision,
            include_access: self.include_access,
            dry_run: self.dry_run,
            change: self.reason.info(),
        };
        let answer = services.configuration().rollback(request).await?.into_inner();
        session.print(&view::Rollback::read(answer, to_revision, self.dry_run))
    }
}

async fn history(session: &Session, request: wire::ListRevisionsRequest) -> Result<(), Failure> {
    let answer = session
        .connect()
        .await?
        .configuration()
        .list_revisions(request)
        .await?
        .into_inner();
    session.print(&view::History {
        head: answer.head,
        items: answer.revisions.into_iter().map(Into::into).collect(),
    })
}

async fn diff(
    session: &Session,
    from: Revision,
    to: Option<Revision>,
    resource: String,
) -> Result<(), Failure> {
    let services = session.connect().await?;
    let head = head(&services).await?;
    let to = to.map_or(head, |to| to.resolve(head));
    session.print(&difference(&services, from.resolve(head), to, resource).await?)
}

/// One resource as it was: what differs between nothing and the revision.
async fn past(session: &Session, revision: Revision, resource: String) -> Result<(), Failure> {
    let services = session.connect().await?;
    let number = resolve(&services, revision).await?;
    let found = difference(&services, 0, number, resource.clone()).await?;
    let missing = || Failure::Input(format!("there was no {resource} at revision {number}"));
    let change = found.items.into_iter().next().ok_or_else(missing)?;
    session.print(&view::Past {
        revision: number,
        change,
    })
}

/// A revision with all its changes: what differs between it and the one before it.
async fn show(session: &Session, revision: Revision) -> Result<(), Failure> {
    let services = session.connect().await?;
    let number = resolve(&services, revision).await?;
    let request = wire::ListRevisionsRequest {
        limit: 1,
        before: number.saturating_add(1),
        ..wire::ListRevisionsRequest::default()
    };
    let answer = services
        .configuration()
        .list_revisions(request)
        .await?
        .into_inner();
    let found = answer
        .revisions
        .into_iter()
        .find(|found| found.revision == number);
    let missing = || {
        Failure::Input(format!(
            "there is no revision {number}; the newest is {}",
            answer.head
        ))
    };
    let mut shown = view::Revision::from(found.ok_or_else(missing)?);
    if usize::try_from(shown.change_count).unwrap_or(usize::MAX) > shown.changes.len() {
        shown.changes = difference(&services, number.saturating_sub(1), number, String::new())
            .await?
            .items;
    }
    session.print(&shown)
}

async fn difference(
    services: &Services,
    from: u64,
    to: u64,
    resource: String,
) -> Result<view::Difference, Failure> {
    // 0 means the newest there; here it is the empty configuration.
    if to == 0 {
        return Err(Failure::Input(
            "there is nothing before revision 1 to compare with; swap the two".into(),
        ));
    }
    let request = wire::DiffRevisionsRequest {
        from_revision: from,
        to_revision: to,
        resource,
    };
    let answer = services
        .configuration()
        .diff_revisions(request)
        .await?
        .into_inner();
    Ok(view::Difference {
        from: answer.from_revision,
        to: answer.to_revision,
        items: answer.changes.into_iter().map(Into::into).collect(),
    })
}

async fn resolve(services: &Services, revision: Revision) -> Result<u64, Failure> {
    match revision {
        Revision::Number(number) => Ok(number),
        Revision::Back(_) => Ok(revision.resolve(head(services).await?)),
    }
}

async fn head(services: &Services) -> Result<u64, Failure> {
    let request = wire::ListRevisionsRequest {
        limit: 1,
        ..wire::ListRevisionsRequest::default()
    };
    Ok(services
        .configuration()
        .list_revisions(request)
        .await?
        .into_inner()
        .head)
}
