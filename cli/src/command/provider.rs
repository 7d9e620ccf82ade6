//! `penstock provider`.

mod test;

use clap::Subcommand;
use penstock_core::provider::ProviderKind;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::breaker;
use super::edit::{Edit, Rename};
use super::named::Named;
use super::session::{Session, part};
use crate::args::access::Switch;
use crate::args::credential::CredentialFlags;
use crate::args::provider::ProviderFlags;
use crate::failure::Failure;
use crate::input::ProxyPassword;
use crate::remote::{Beginning, Reason, Services, all};
use crate::target::process_env;
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a provider
    Create(Box<Create>),
    /// All providers
    List(Beginning),
    /// One provider
    Get {
        /// Name or id
        provider: String,
    },
    /// Change the fields that are given
    Update(Box<Update>),
    /// Delete a provider
    Delete(Named),
    /// Let traffic go to a provider again
    Enable(Named),
    /// Send no more traffic to a provider
    Disable(Named),
    /// Forget everything that is known of a provider's state: breakers, cooldowns, credential state
    Reset(breaker::Reset),
    /// Test the connection from a data plane: reachable, credential, model
    Test(test::Test),
}

#[derive(clap::Args)]
pub(crate) struct Create {
    /// Name: letters, digits, `.`, `_` and `-`
    #[arg(long)]
    name: String,
    #[command(flatten)]
    fields: ProviderFlags,
    #[command(flatten)]
    credential: CredentialFlags,
    #[command(flatten)]
    proxy_password: ProxyPassword,
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
    fields: ProviderFlags,
    #[command(flatten)]
    credential: CredentialFlags,
    #[command(flatten)]
    proxy_password: ProxyPassword,

    /// The present credential may be shown to the new host or proxy
    #[arg(long)]
    keep_credential: bool,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::List(beginning) => list(session, &beginning).await,
            Self::Get { provider } => {
                let found = read(&session.connect().await?, &provider).await?;
                session.print(&view::Provider::read(found)?)
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete(named) => delete(session, named).await,
            Self::Enable(named) => Update::switch(named, Switch::ON).run(session).await,
            Self::Disable(named) => Update::switch(named, Switch::OFF).run(session).await,
            Self::Reset(reset) => reset.run(session).await,
            Self::Test(test) => test.run(session).await,
        }
    }
}

/// For a kind that has no host of its vendor's.
fn no_base_url(kind: ProviderKind) -> String {
    let example = match kind {
        ProviderKind::Anthropic
        | ProviderKind::Openai
        | ProviderKind::OpenaiCompatible
        | ProviderKind::Gemini
        | ProviderKind::Droid => "http://host/v1",
        ProviderKind::AzureOpenai => "https://RESOURCE.openai.azure.com",
        ProviderKind::Bedrock => "https://bedrock-runtime.us-east-1.amazonaws.com",
        ProviderKind::Vertex => {
            "https://us-east5-aiplatform.googleapis.com/v1/projects/PROJECT/locations/us-east5"
        }
    };
    let kind = kind.as_str();
    format!("a provider of kind {kind} needs --base-url, for example {example}")
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let missing = || {
            let kinds = ProviderKind::ALL.map(ProviderKind::as_str).join(", ");
            Failure::Usage(format!("a provider needs --kind, one of {kinds}"))
        };
        let provider = self.fields.create(&self.name).ok_or_else(missing)?;
        if provider.base_urls.is_empty() {
            return Err(Failure::Usage(no_base_url(provider.kind)));
        }
        let proxy_password = self.proxy_password.read(&process_env, &self.credential.api_key)?;
        let credential = self.credential.read(&process_env)?;
        let without_credential = credential.is_none();
        let request = wire::CreateProviderRequest {
            proxy_password: proxy_password.map(|secret| secret.expose().to_owned()),
            spec: Some(convert::provider_to_wire(&provider)),
            credential: None,
            new_credential: credential,
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
            session.remark("the provider has no credential and is not used until it has one (provider update --api-key -, or oauth login)");
        }
        session.print_changed("provider", answer.provider, answer.revision, view::Provider::read)
    }
}

impl Update {
    fn switch(named: Named, switch: Switch) -> Self {
        let fields = ProviderFlags {
            switch,
            ..ProviderFlags::default()
        };
        Self {
            edit: Edit::of(named),
            rename: Rename::default(),
            fields,
            credential: CredentialFlags::default(),
            proxy_password: ProxyPassword::default(),
            keep_credential: false,
        }
    }

    async fn run(self, session: &Session) -> Result<(), Failure> {
        let Self {
            edit,
            rename,
            fields,
            credential,
            proxy_password,
            keep_credential,
        } = self;
        let proxy_password = proxy_password.read(&process_env, &credential.api_key)?;
        let credential = credential.read(&process_env)?;
        let secrets = credential.is_some() || proxy_password.is_some();
        let given = rename.is_given() || fields != ProviderFlags::default() || secrets;
        let answer = edit.run(session, given, async |services: &Services| {
            let found = read(services, edit.name()).await?;
            let mut provider = convert::provider_from_wire(part("spec", found.spec)?)?;
            fields.apply(&mut provider);
            rename.apply(&mut provider.name);
            let request = wire::UpdateProviderRequest {
                proxy_password: proxy_password.as_ref().map(|secret| secret.expose().to_owned()),
                provider: found.id,
                expected_version: edit.version(found.version),
                spec: Some(convert::provider_to_wire(&provider)),
                credential: None,
                new_credential: credential.clone(),
                keep_credential,
                change: edit.reason(),
                update_mask: None,
            };
            Ok(services.providers().update_provider(request).await?.into_inner())
        });
        let answer = answer.await?;
        session.print_changed("provider", answer.provider, answer.revision, view::Provider::read)
    }
}

async fn list(session: &Session, beginning: &Beginning) -> Result<(), Failure> {
    let services = session.connect().await?;
    let providers = all(async |page| {
        let page = beginning.on(page);
        let request = wire::ListProvidersRequest { page };
        let answer = services.providers().list_providers(request).await?.into_inner();
        Ok((answer.providers, answer.page))
    });
    session.print_list(providers.await?, view::Provider::read)
}

async fn delete(session: &Session, named: Named) -> Result<(), Failure> {
    let done = format!("deleted provider {}", named.name);
    let request = wire::DeleteProviderRequest {
        provider: named.name,
        expected_version: 0,
        change: named.reason.info(),
    };
    let answer = session
        .connect()
        .await?
        .providers()
        .delete_provider(request)
        .await?;
    session.print_done(done, answer.into_inner().revision)
}

async fn read(services: &Services, provider: &str) -> Result<wire::Provider, Failure> {
    let request = wire::GetProviderRequest {
        provider: provider.to_owned(),
    };
    let answer = services.providers().get_provider(request).await?;
    part("provider", answer.into_inner().provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_the_base_url_out_is_told_of_the_own_kind() {
        let vertex = no_base_url(ProviderKind::Vertex);
        assert!(
            vertex.starts_with("a provider of kind vertex needs --base-url"),
            "{vertex}"
        );
        assert!(vertex.contains("aiplatform.googleapis.com"), "{vertex}");
        assert!(no_base_url(ProviderKind::Bedrock).contains("bedrock-runtime"));
        assert!(no_base_url(ProviderKind::OpenaiCompatible).contains("http://host/v1"));
    }
}
