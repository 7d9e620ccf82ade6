//! `penstock key`.

mod create;

use clap::Subcommand;
use penstock_core::api_key::KeyHash;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::edit::{Edit, Rename};
use super::named::Named;
use super::session::{Session, part};
use crate::args::access::{AccessFlags, Switch};
use crate::args::duration::Millis;
use crate::args::limits::LimitFlags;
use crate::failure::Failure;
use crate::input::KeySecret;
use crate::remote::{ATTEMPTS, Beginning, Reason, Services, all, edit};
use crate::target::process_env;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key and print it, once; or take over an existing one
    Create(Box<create::Create>),
    /// All keys
    List {
        /// Only this user's; name or id
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        beginning: Beginning,
    },
    /// One key
    Get {
        /// user/key, the bare name while it is unique, or id
        key: String,
    },
    /// Change the fields that are given
    Update(Box<Update>),
    /// Delete a key
    Delete(Named),
    /// Let a key in again
    Enable(Named),
    /// Refuse a key
    Disable(Named),
    /// Give a key a new secret and print it, once
    Rotate {
        #[command(flatten)]
        named: Named,
        /// How long the old secret goes on working
        #[arg(long, value_name = "TIME", default_value = "0")]
        overlap: Millis,
    },
    /// Say which key a secret belongs to, and whether it would be let in
    Find {
        #[command(flatten)]
        secret: KeySecret,
    },
    /// Store the constant that another relay appended to keys before hashing them
    ImportSuffix {
        /// Name to refer to it by, in `key create --import-suffix`
        name: String,
        #[command(flatten)]
        secret: KeySecret,
        #[command(flatten)]
        reason: Reason,
    },
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
            Self::List { user, beginning } => list(session, user.unwrap_or_default(), &beginning).await,
            Self::Get { key } => {
                let found = read(&session.connect().await?, &key).await?;
                session.print(&view::Key::read(found)?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete(named) => delete(session, named).await,
            Self::Enable(named) => Update::switch(named, Switch::ON).run(session).await,
            Self::Disable(named) => Update::switch(named, Switch::OFF).run(session).await,
            Self::Rotate { named, overlap } => rotate(session, &named, overlap).await,
            Self::Find { secret } => find(session, &secret).await,
            Self::ImportSuffix { name, secret, reason } => {
                import_suffix(session, name, &secret, &reason).await
            }
        }
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
            // The hash is not ours to see, and is not sent back.
            let mut key = convert::key_spec_from_wire(part("spec", found.spec)?, KeyHash([0; 32]))?;
            access.apply(&mut key.access, session.now);
            limits.apply(&mut key.limits);
            rename.apply(&mut key.name);
            let request = wire::UpdateKeyRequest {
                key: found.id,
                expected_version: edit.version(found.version),
                spec: Some(convert::key_spec_to_wire(&key)),
                change: edit.reason(),
                update_mask: None,
            };
            Ok(services.keys().update_key(request).await?.into_inner())
        });
        let answer = answer.await?;
        session.print_changed("key", answer.key, answer.revision, view::Key::read)
    }
}

async fn list(session: &Session, user: String, beginning: &Beginning) -> Result<(), Failure> {
    let services = session.connect().await?;
    let keys = all(async |page| {
        let user = user.clone();
        let page = beginning.on(page);
        let request = wire::ListKeysRequest { page, user };
        let answer = services.keys().list_keys(request).await?.into_inner();
        Ok((answer.keys, answer.page))
    });
    session.print_list(keys.await?, view::Key::read)
}

async fn delete(session: &Session, named: Named) -> Result<(), Failure> {
    let done = format!("deleted key {}", named.name);
    let request = wire::DeleteKeyRequest {
        key: named.name,
        expected_version: 0,
        change: named.reason.info(),
    };
    let answer = session.connect().await?.keys().delete_key(request).await?;
    session.print_done(done, answer.into_inner().revision)
}

async fn rotate(session: &Session, named: &Named, overlap: Millis) -> Result<(), Failure> {
    let services = session.connect().await?;
    let answer = edit(ATTEMPTS, async || {
        let request = wire::RotateKeyRequest {
            key: named.name.clone(),
            overlap_ms: overlap.0,
            change: named.reason.info(),
        };
        Ok(services.keys().rotate_key(request).await?.into_inner())
    });
    let answer = answer.await?;
    show_secret(
        session,
        "has a new secret",
        answer.key,
        answer.secret,
        answer.revision,
    )
}

async fn find(session: &Session, secret: &KeySecret) -> Result<(), Failure> {
    let secret = secret.require(&process_env)?;
    let request = wire::FindKeyRequest {
        // To be hashed by the control plane.
        secret: secret.expose().to_owned(),
    };
    let answer = session
        .connect()
        .await?
        .keys()
        .find_key(request)
        .await?
        .into_inner();
    session.print(&view::FoundKey {
        key: view::Key::read(part("key", answer.key)?)?,
        state: answer.state,
        previous: answer.previous,
    })
}

async fn import_suffix(
    session: &Session,
    name: String,
    secret: &KeySecret,
    reason: &Reason,
) -> Result<(), Failure> {
    let secret = secret.require(&process_env)?;
    let request = wire::CreateImportSuffixRequest {
        name: name.clone(),
        // To be sealed by the control plane.
        secret: secret.expose().to_owned(),
        change: reason.info(),
    };
    let answer = session
        .connect()
        .await?
        .keys()
        .create_import_suffix(request)
        .await?;
    session.print_done(
        format!("stored import suffix {name}"),
        answer.into_inner().revision,
    )
}

async fn read(services: &Services, key: &str) -> Result<wire::Key, Failure> {
    let request = wire::GetKeyRequest { key: key.to_owned() };
    part("key", services.keys().get_key(request).await?.into_inner().key)
}

/// The secret alone on standard output; what it is, on standard error.
fn show_secret(
    session: &Session,
    what: &str,
    key: Option<wire::Key>,
    secret: String,
    revision: u64,
) -> Result<(), Failure> {
    let key = view::Key::read(part("key", key)?)?;
    let secret = (!secret.is_empty()).then(|| penstock_core::secret::Secret::new(secret));
    if secret.is_some() {
        session.remark(&format!(
            "key {} {what} (revision {revision}); the secret is shown this once:",
            key.full_name()
        ));
    }
    session.print(&view::NewKey {
        key,
        secret,
        revision,
    })
}
