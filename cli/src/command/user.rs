//! `penstock user`.

use clap::Subcommand;
use penstock_core::access::Access;
use penstock_core::user::User;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::session::{Session, part};
use crate::args::access::{AccessFlags, Switch};
use crate::failure::Failure;
use crate::remote::{Reason, Services, all, edit};
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a user
    Create(Create),
    /// All users
    List,
    /// One user
    Get {
        /// Name or id
        user: String,
    },
    /// Change the fields that are given
    Update(Box<Update>),
    /// Delete a user and its keys
    Delete {
        /// Name or id
        user: String,
        #[command(flatten)]
        reason: Reason,
    },
    /// Let a user's keys in again
    Enable {
        /// Name or id
        user: String,
        #[command(flatten)]
        reason: Reason,
    },
    /// Refuse a user's keys
    Disable {
        /// Name or id
        user: String,
        #[command(flatten)]
        reason: Reason,
    },
}

#[derive(clap::Args)]
pub(crate) struct Create {
    /// Name: letters, digits, `.`, `_`, `-`, `@` and `+`
    #[arg(long)]
    name: String,
    #[command(flatten)]
    access: AccessFlags,
    #[command(flatten)]
    reason: Reason,
}

#[derive(clap::Args)]
pub(crate) struct Update {
    /// Name or id
    user: String,
    /// New name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    access: AccessFlags,
    /// Refuse if somebody changed the user since this version
    #[arg(long, value_name = "VERSION")]
    expected_version: Option<u64>,
    #[command(flatten)]
    reason: Reason,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::List => list(session).await,
            Self::Get { user } => {
                let found = read(&session.connect().await?, &user).await?;
                session.print(&view::User::read(found)?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { user, reason } => delete(session, user, &reason).await,
            Self::Enable { user, reason } => Update::switch(user, Switch::ON, reason).run(session).await,
            Self::Disable { user, reason } => Update::switch(user, Switch::OFF, reason).run(session).await,
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
        print(session, answer.user, answer.revision)
    }
}

impl Update {
    fn switch(user: String, switch: Switch, reason: Reason) -> Self {
        let access = AccessFlags {
            switch,
            ..AccessFlags::default()
        };
        Self {
            user,
            name: None,
            access,
            expected_version: None,
            reason,
        }
    }

    async fn run(self, session: &Session) -> Result<(), Failure> {
        if self.name.is_none() && self.access == AccessFlags::default() {
            return Err(Failure::Usage(
                "nothing to change: name the fields to change (see --help)".into(),
            ));
        }
        let services = session.connect().await?;
        let answer = edit(async || {
            let found = read(&services, &self.user).await?;
            let mut user = convert::user_from_wire(part("spec", found.spec)?)?;
            self.access.apply(&mut user.access, session.now);
            if let Some(name) = &self.name {
                user.name.clone_from(name);
            }
            let request = wire::UpdateUserRequest {
                user: found.id,
                expected_version: self.expected_version.unwrap_or(found.version),
                spec: Some(convert::user_to_wire(&user)),
                change: self.reason.info(),
            };
            Ok(services.users().update_user(request).await?.into_inner())
        });
        let answer = answer.await?;
        print(session, answer.user, answer.revision)
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let users = all(async |page| {
        let answer = services
            .users()
            .list_users(wire::ListUsersRequest { page })
            .await?
            .into_inner();
        Ok((answer.users, answer.page))
    });
    let items = users.await?.into_iter().map(view::User::read);
    session.print(&view::List {
        items: items.collect::<Result<_, _>>()?,
    })
}

async fn delete(session: &Session, user: String, reason: &Reason) -> Result<(), Failure> {
    let request = wire::DeleteUserRequest {
        user: user.clone(),
        expected_version: 0,
        change: reason.info(),
    };
    let answer = session.connect().await?.users().delete_user(request).await?;
    session.print(&view::Done {
        done: format!("deleted user {user} and its keys"),
        revision: answer.into_inner().revision,
    })
}

async fn read(services: &Services, user: &str) -> Result<wire::User, Failure> {
    let request = wire::GetUserRequest {
        user: user.to_owned(),
    };
    part(
        "user",
        services.users().get_user(request).await?.into_inner().user,
    )
}

fn print(session: &Session, user: Option<wire::User>, revision: u64) -> Result<(), Failure> {
    let value = view::User::read(part("user", user)?)?;
    session.print(&view::Changed { value, revision })
}
