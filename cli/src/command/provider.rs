//! `penstock provider`.

use clap::Subcommand;
use penstock_core::provider::Provider;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::session::{Session, part};
use crate::args::access::Switch;
use crate::args::provider::ProviderFlags;
use crate::failure::Failure;
use crate::input::ApiKey;
use crate::remote::{Reason, Services, all, edit};
use crate::target::process_env;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a provider
    Create(Box<Create>),
    /// All providers
    List,
    /// One provider
    Get {
        /// Name or id
        provider: String,
    },
    /// Change the fields that are given
    Update(Box<Update>),
    /// Delete a provider
    Delete {
        /// Name or id
        provider: String,
        #[command(flatten)]
        reason: Reason,
    },
    /// Let traffic go to a provider again
    Enable {
        /// Name or id
        provider: String,
        #[command(flatten)]
        reason: Reason,
    },
    /// Send no more traffic to a provider
    Disable {
        /// Name or id
        provider: String,
        #[command(flatten)]
        reason: Reason,
    },
}

#[derive(clap::Args)]
pub(crate) struct Create {
    /// Name: letters, digits, `.`, `_` and `-`
    #[arg(long)]
    name: String,
    #[command(flatten)]
    fields: ProviderFlags,
    #[command(flatten)]
    api_key: ApiKey,
    #[command(flatten)]
    reason: Reason,
}

#[derive(clap::Args)]
pub(crate) struct Update {
    /// Name or id
    provider: String,
    /// New name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    fields: ProviderFlags,
    #[command(flatten)]
    api_key: ApiKey,
    /// Refuse if somebody changed the provider since this version
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
            Self::Get { provider } => {
                let found = read(&session.connect().await?, &provider).await?;
                session.print(&view::Provider::read(found)?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { provider, reason } => delete(session, provider, &reason).await,
            Self::Enable { provider, reason } => {
                Update::switch(provider, Switch::ON, reason).run(session).await
            }
            Self::Disable { provider, reason } => {
                Update::switch(provider, Switch::OFF, reason).run(session).await
            }
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let missing =
            || Failure::Usage("a provider needs --kind: anthropic, openai or openai-compatible".into());
        let provider = self.fields.create(&self.name).ok_or_else(missing)?;
        if provider.base_urls.is_empty() {
            return Err(Failure::Usage(
                "an openai-compatible provider needs --base-url, for example http://host/v1".into(),
            ));
        }
        let credential = self.api_key.read(&process_env)?;
        let without_credential = credential.is_none();
        let request = wire::CreateProviderRequest {
            spec: Some(convert::provider_to_wire(&provider)),
            // To be sealed by the control plane.
            credential: credential.map(|secret| secret.expose().to_owned()),
            change: self.reason.info(),
        };
        let answer = session
            .connect()
            .await?
            .providers()
            .create_provider(request)
            .await?
            .into_inner();
        if without_credential {
            session.remark("the provider has no credential and is not used until it has one (provider update --api-key -)");
        }
        print(session, answer.provider, answer.revision)
    }
}

impl Update {
    fn switch(provider: String, switch: Switch, reason: Reason) -> Self {
        let fields = ProviderFlags {
            switch,
            ..ProviderFlags::default()
        };
        Self {
            provider,
            name: None,
            fields,
            api_key: ApiKey::default(),
            expected_version: None,
            reason,
        }
    }

    async fn run(self, session: &Session) -> Result<(), Failure> {
        let credential = self.api_key.read(&process_env)?;
        if self.name.is_none() && self.fields == ProviderFlags::default() && credential.is_none() {
            return Err(Failure::Usage(
                "nothing to change: name the fields to change (see --help)".into(),
            ));
        }
        let services = session.connect().await?;
        let answer = edit(async || {
            let found = read(&services, &self.provider).await?;
            let mut provider: Provider = convert::provider_from_wire(part("spec", found.spec)?)?;
            self.fields.apply(&mut provider);
            if let Some(name) = &self.name {
                provider.name.clone_from(name);
            }
            let request = wire::UpdateProviderRequest {
                provider: found.id,
                expected_version: self.expected_version.unwrap_or(found.version),
                spec: Some(convert::provider_to_wire(&provider)),
                // To be sealed by the control plane.
                credential: credential.as_ref().map(|secret| secret.expose().to_owned()),
                change: self.reason.info(),
            };
            Ok(services.providers().update_provider(request).await?.into_inner())
        });
        let answer = answer.await?;
        print(session, answer.provider, answer.revision)
    }
}

async fn list(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let providers = all(async |page| {
        let request = wire::ListProvidersRequest { page };
        let answer = services.providers().list_providers(request).await?.into_inner();
        Ok((answer.providers, answer.page))
    });
    let items = providers.await?.into_iter().map(view::Provider::read);
    session.print(&view::List {
        items: items.collect::<Result<_, _>>()?,
    })
}

async fn delete(session: &Session, provider: String, reason: &Reason) -> Result<(), Failure> {
    let request = wire::DeleteProviderRequest {
        provider: provider.clone(),
        expected_version: 0,
        change: reason.info(),
    };
    let answer = session
        .connect()
        .await?
        .providers()
        .delete_provider(request)
        .await?;
    session.print(&view::Done {
        done: format!("deleted provider {provider}"),
        revision: answer.into_inner().revision,
    })
}

async fn read(services: &Services, provider: &str) -> Result<wire::Provider, Failure> {
    let request = wire::GetProviderRequest {
        provider: provider.to_owned(),
    };
    part(
        "provider",
        services
            .providers()
            .get_provider(request)
            .await?
            .into_inner()
            .provider,
    )
}

fn print(session: &Session, provider: Option<wire::Provider>, revision: u64) -> Result<(), Failure> {
    let value = view::Provider::read(part("provider", provider)?)?;
    session.print(&view::Changed { value, revision })
}
