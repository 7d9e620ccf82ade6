//! `penstock provider test`.

use penstock_proto::admin::v1 as wire;

use super::super::session::Session;
use crate::args::duration::Millis;
use crate::failure::Failure;
use crate::remote::{Services, all};
use crate::view;

#[derive(clap::Args)]
pub(crate) struct Test {
    /// Name or id
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    provider: Option<String>,
    /// Every enabled provider
    #[arg(long)]
    all: bool,
    /// For all checks of a provider together: 5s to 120s
    #[arg(long, value_name = "TIME", default_value = "15s")]
    timeout: Millis,
    /// The model to ask for a short answer, as clients name it [default: one that the provider's model rules name]
    #[arg(long, default_value = "", hide_default_value = true)]
    model: String,
}

impl Test {
    /// Fails when a check failed, after all have been made and printed.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let services = session.connect().await?;
        let names = match &self.provider {
            Some(provider) => vec![provider.clone()],
            None => enabled(&services).await?,
        };
        let mut tests = Vec::with_capacity(names.len());
        for name in names {
            tests.push(self.one(&services, name).await?);
        }
        let failed: Vec<_> = tests
            .iter()
            .filter(|test| test.failed())
            .map(|test| test.provider.clone())
            .collect();
        match (self.all, tests.pop()) {
            (false, Some(test)) => session.print(&test)?,
            (_, last) => session.print(&view::ProviderTests {
                items: tests.into_iter().chain(last).collect(),
            })?,
        }
        match failed.is_empty() {
            true => Ok(()),
            false => Err(Failure::Input(format!(
                "not all is well with {}",
                failed.join(", ")
            ))),
        }
    }

    async fn one(&self, services: &Services, provider: String) -> Result<view::ProviderTest, Failure> {
        let request = wire::TestProviderRequest {
            provider,
            timeout_ms: u32::try_from(self.timeout.0).unwrap_or(u32::MAX),
            model: self.model.clone(),
        };
        let answer = services.providers().test_provider(request).await?;
        view::ProviderTest::read(answer.into_inner())
    }
}

async fn enabled(services: &Services) -> Result<Vec<String>, Failure> {
    let providers = all(async |page| {
        let request = wire::ListProvidersRequest { page };
        let answer = services.providers().list_providers(request).await?.into_inner();
        Ok((answer.providers, answer.page))
    });
    let specs = providers.await?.into_iter().filter_map(|provider| provider.spec);
    Ok(specs.filter(|spec| spec.enabled).map(|spec| spec.name).collect())
}
