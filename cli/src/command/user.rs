//! `penstock user`.

use clap::Subcommand;
use penstock_core::access::Access;
use penstock_core::user::User;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::edit::{Edit, Rename};
use super::named::Named;
use super::session::{Session, part};
use crate::args::access::{AccessFlags, Switch};
use crate::args::limits::LimitFlags;
use crate::failure::Failure;
use crate::remote::{Beginning, Reason, Services, all};
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a user
    Create(Box<Create>),
    /// All users
    List(Beginning),
    /// One user
    Get {
        /// Name or id
        user: String,
    },
    /// Change the fields that are given
    Update(Box<Update>),
    /// Delete a user and its keys
    Delete(Named),
    /// Let a user's keys in again
    Enable(Named),
    /// Refuse a user's keys
    Disable(Named),
}

#[derive(clap::Args)]
pub(crate) struct Create {
    /// Name: letters, digits, `.`, `_`, `-`, `@` and `+`
    #[arg(long)]
    name: String,
    #[command(flatten)]
    access: AccessFlags,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    reason: Reason,
}

#[derive(clap::Args)]
pub(crate) struct Update {
    #[command(flatten)]
    edit: Edit,
    #[command(flatten)]
    rename: Rename,
    #[command(flatten)]
    access: AccessFlags,
    #[command(flatten)]
    limits: LimitFlags,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::List(beginning) => list(session, &beginning).await,
            Self::Get { user } => {
                let found = read(&session.connect().await?, &user).await?;
                session.print(&view::User::read(found)?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete(named) => delete(session, named).await,
            Self::Enable(named) => Update::switch(named, Switch::ON).run(session).await,
            Self::Disable(named) => Update::switch(named, Switch::OFF).run(session).await,
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut access = Access::default();
        self.access.apply(&mut access, session.now);
        let user = User {
            name: self.name,
            access,
            limits: self.limits.create(),
        };
        let request = wire::CreateUserRequest {
            spec: Some(convert::user_to_wire(&user)),
            change: self.reason.info(),
        };
        let answer = session
            .connect()
            .await?
            .users()
            .create_user(request)
            .await?
            .into_inner();
        session.print_changed("user", answer.user, answer.revision, view::User::read)
    }
}

impl Update {
    fn switch(named: Named, switch: Switch) -> Self {
        let access = AccessFlags {
            switch,
            ..AccessFlags::default()
        };
        Self {
            edit: Edit::of(named),
            rename: Rename::default(),
            access,
            limits: LimitFlags::default(),
        }
    }

    async fn run(self, session: &Session) -> Result<(), Failure> {
        let Self {
            edit,
            rename,
            access,
            limits,
        } = self;
        let given = rename.is_given() || access != AccessFlags::default() || limits != LimitFlags::default();
        let answer = edit.run(session, given, async |services: &Services| {
            let found = read(services, edit.name()).await?;
            let mut user = convert::user_from_wire(part("spec", found.spec)?)?;
            access.apply(&mut user.access, session.now);
            limits.apply(&mut user.limits);
            rename.apply(&mut user.name);
            let request = wire::UpdateUserRequest {
                user: found.id,
                expected_version: edit.version(found.version),
                spec: Some(convert::user_to_wire(&user)),
                change: edit.reason(),
                update_mask: None,
            };
            Ok(services.users().update_user(request).await?.into_inner())
        });
        let answer = answer.await?;
        session.print_changed("user", answer.user, answer.revision, view::User::read)
    }
}

async fn list(session: &Session, beginning: &Beginning) -> Result<(), Failure> {
    let services = session.connect().await?;
    let users = all(async |page| {
        let page = beginning.on(page);
        let request = wire::ListUsersRequest { page };
        let answer = services.users().list_users(request).await?.into_inner();
        Ok((answer.users, answer.page))
    });
    session.print_list(users.await?, view::User::read)
}

async fn delete(session: &Session, named: Named) -> Result<(), Failure> {
    let done = format!("deleted user {} and its keys", named.name);
    let request = wire::DeleteUserRequest {
        user: named.name,
        expected_version: 0,
        change: named.reason.info(),
    };
    let answer = session.connect().await?.users().delete_user(request).await?;
    session.print_done(done, answer.into_inner().revision)
}

async fn read(services: &Services, user: &str) -> Result<wire::User, Failure> {
    let request = wire::GetUserRequest {
        user: user.to_owned(),
    };
    let answer = services.users().get_user(request).await?;
    part("user", answer.into_inner().user)
}
