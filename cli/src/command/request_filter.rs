//! `penstock request-filter`.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::edit::Edit;
use super::named::Named;
use super::session::{Session, part};
use crate::args::access::Switch;
use crate::args::request_filter::FilterFlags;
use crate::failure::Failure;
use crate::remote::{Reason, Services, all};
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a request filter; it is in force on every data plane within a second
    Create {
        #[arg(long)]
        name: String,
        #[command(flatten)]
        fields: FilterFlags,
        #[command(flatten)]
        reason: Reason,
    },
    /// All filters, in the order in which they are applied
    List,
    /// One request filter
    Get {
        /// The request filter's name
        name: String,
    },
    /// Change the fields that are given
    Update {
        #[command(flatten)]
        edit: Edit,
        #[command(flatten)]
        fields: FilterFlags,
    },
    /// Delete a request filter
    Delete(Named),
    /// Put a request filter in force again
    Enable(Named),
    /// Take a request filter out of force
    Disable(Named),
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create { name, fields, reason } => create(session, name, &fields, &reason).await,
            Self::List => list(session).await,
            Self::Get { name } => {
                let found = read(&session.connect().await?, &name).await?;
                session.print(&view::RequestFilter::read(found)?)
            }
            Self::Update { edit, fields } => update(session, &edit, &fields).await,
            Self::Delete(named) => delete(session, named).await,
            Self::Enable(named) => {
                update(session, &Edit::of(named), &FilterFlags::switched(Switch::ON)).await
            }
            Self::Disable(named) => {
                update(session, &Edit::of(named), &FilterFlags::switched(Switch::OFF)).await
            }
        }
    }
}

async fn create(
    session: &Session,
    name: String,
    fields: &FilterFlags,
    reason: &Reason,
) -> Result<(), Failure> {
    let made = fields.create(&name)?;
    let request = wire::CreateRequestFilterRequest {
        name,
        spec: Some(convert::request_filter_to_wire(&made)),
        change: reason.info(),
    };
    let services = session.connect().await?;
    let answer = services
        .request_filters()
        .create_request_filter(request)
        .await?
        .into_inner();
    session.print_changed(
        "request_filter",
        answer.request_filter,
        answer.revision,
        view::RequestFilter::read,
    )
}

async fn update(session: &Session, edit: &Edit, fields: &FilterFlags) -> Result<(), Failure> {
    let given = *fields != FilterFlags::default();
    let answer = edit.run(session, given, async |services: &Services| {
        let found = read(services, edit.name()).await?;
        let mut changed = convert::request_filter_from_wire(&found.name, part("spec", found.spec)?)?;
        fields.apply(&mut changed)?;
        let request = wire::UpdateRequestFilterRequest {
            name: found.name,
            expected_version: edit.version(found.version),
            spec: Some(convert::request_filter_to_wire(&changed)),
            change: edit.reason(),
            update_mask: None,
        };
        Ok(services
            .request_filters()
            .update_request_filter(request)
            .await?
            .into_inner())
    });
    let answer = answer.await?;
    session.print_changed(
        "request_filter",
        answer.request_filter,
        answer.revision,
        view::RequestFilter::read,
    )
}

async fn list(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let found = all(async |page| {
        let request = wire::ListRequestFiltersRequest { page };
        let answer = services
            .request_filters()
            .list_request_filters(request)
            .await?
            .into_inner();
        Ok((answer.request_filters, answer.page))
    });
    let mut found = found.await?;
    let order = |filter: &wire::RequestFilter| {
        let priority = filter.spec.as_ref().map(|spec| spec.priority);
        (priority, filter.name.clone())
    };
    found.sort_by_key(order);
    session.print_list(found, view::RequestFilter::read)
}

async fn delete(session: &Session, named: Named) -> Result<(), Failure> {
    let done = format!("deleted request filter {}", named.name);
    let request = wire::DeleteRequestFilterRequest {
        name: named.name,
        expected_version: 0,
        change: named.reason.info(),
    };
    let services = session.connect().await?;
    let answer = services.request_filters().delete_request_filter(request).await?;
    session.print_done(done, answer.into_inner().revision)
}

async fn read(services: &Services, name: &str) -> Result<wire::RequestFilter, Failure> {
    let request = wire::GetRequestFilterRequest {
        name: name.to_owned(),
    };
    let answer = services
        .request_filters()
        .get_request_filter(request)
        .await?
        .into_inner();
    part("request_filter", answer.request_filter)
}
