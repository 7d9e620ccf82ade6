//! `penstock webhook`: who is told of trouble.

mod url;

use clap::Subcommand;
use penstock_core::alert::{Preset, Rule};
use penstock_core::secret::Secret;
use penstock_proto::admin::v1 as wire;

use super::session::{Session, part};
use crate::args::{choice, set};
use crate::command::edit::nothing_to_change;
use crate::failure::Failure;
use crate::input::KeySecret;
use crate::remote::{ATTEMPTS, Services, edit};
use crate::target::process_env;
use crate::view;
use url::WebhookUrl;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a webhook; what is told from now on is sent to it
    Create(Create),
    /// All webhooks
    List,
    /// One webhook
    Show {
        /// Name or id
        webhook: String,
    },
    /// Change what is given
    Update(Update),
    /// Delete a webhook with the history of its deliveries
    Delete {
        /// Name or id
        webhook: String,
    },
    /// Send a message now and say how it went
    Test {
        /// Name or id
        webhook: String,
    },
    /// What is on its way, what arrived and what was given up, newest first
    Deliveries(Deliveries),
}

/// What can be said of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Fields {
    /// Whose form its messages have
    #[arg(long, value_parser = choice::preset())]
    preset: Option<Preset>,
    /// Only these rules; repeatable
    #[arg(long = "rule", value_parser = choice::rule())]
    rules: Vec<Rule>,
    /// All rules, as without any --rule at its creation
    #[arg(long, conflicts_with = "rules")]
    all_rules: bool,
    /// Whether anything is sent to it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    enabled: Option<bool>,
    #[command(flatten)]
    url: WebhookUrl,
    /// It signs no more
    #[arg(long, conflicts_with_all = ["secret", "secret_file", "secret_env"])]
    no_secret: bool,
    #[command(flatten)]
    secret: KeySecret,
}

#[derive(clap::Args)]
pub(crate) struct Create {
    #[arg(long)]
    name: String,
    #[command(flatten)]
    fields: Fields,
}

#[derive(clap::Args)]
pub(crate) struct Update {
    /// Name or id
    webhook: String,
    /// New name
    #[arg(long = "name", value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    fields: Fields,
}

#[derive(clap::Args)]
pub(crate) struct Deliveries {
    /// Only to this webhook: name or id
    #[arg(long)]
    webhook: Option<String>,
    /// Only those that are waiting, delivered or failed
    #[arg(long)]
    state: Option<String>,
    /// At most this many, up to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session).await,
            Self::List => {
                let found = list(&session.connect().await?).await?;
                session.print_list(found, |webhook| Ok(view::Webhook::read(webhook)))
            }
            Self::Show { webhook } => {
                let found = find(&session.connect().await?, &webhook).await?;
                session.print(&view::Webhook::read(found))
            }
            Self::Update(update) => update.run(session).await,
            Self::Delete { webhook } => {
                let request = wire::DeleteWebhookRequest {
                    webhook: webhook.clone(),
                };
                let services = session.connect().await?;
                services.notifications().delete_webhook(request).await?;
                session.remark(&format!("deleted webhook {webhook}"));
                Ok(())
            }
            Self::Test { webhook } => test(session, webhook).await,
            Self::Deliveries(deliveries) => deliveries.run(session).await,
        }
    }
}

impl Create {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut spec = wire::WebhookSpec {
            enabled: true,
            preset: Preset::Generic.as_str().to_owned(),
            rules: Vec::new(),
        };
        self.fields.apply(&mut spec);
        let secret = self.fields.secret.read(&process_env)?;
        let request = wire::CreateWebhookRequest {
            name: self.name,
            spec: Some(spec),
            url: self.fields.url.require()?.expose().to_owned(),
            secret: secret.as_ref().map_or("", Secret::expose).to_owned(),
        };
        let services = session.connect().await?;
        let answer = services
            .notifications()
            .create_webhook(request)
            .await?
            .into_inner();
        session.print(&view::Webhook::read(part("webhook", answer.webhook)?))
    }
}

impl Update {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        if self.fields == Fields::default() && self.rename.is_none() {
            return Err(nothing_to_change());
        }
        let url = self.fields.url.read()?;
        let secret = self.fields.secret.read(&process_env)?;
        let secret = secret.map(|secret| secret.expose().to_owned());
        let secret = secret.or_else(|| self.fields.no_secret.then(String::new));
        let services = session.connect().await?;
        let changed = edit(ATTEMPTS, async || {
            let found = find(&services, &self.webhook).await?;
            let mut spec = part("spec", found.spec)?;
            self.fields.apply(&mut spec);
            let request = wire::UpdateWebhookRequest {
                webhook: found.id,
                expected_version: found.version,
                new_name: self.rename.clone().unwrap_or_default(),
                spec: Some(spec),
                url: url.as_ref().map_or("", Secret::expose).to_owned(),
                secret: secret.clone(),
            };
            Ok(services
                .notifications()
                .update_webhook(request)
                .await?
                .into_inner())
        });
        session.print(&view::Webhook::read(part("webhook", changed.await?.webhook)?))
    }
}

impl Fields {
    fn apply(&self, spec: &mut wire::WebhookSpec) {
        set(
            &mut spec.preset,
            self.preset.map(|preset| preset.as_str().to_owned()),
        );
        set(&mut spec.enabled, self.enabled);
        if self.all_rules || !self.rules.is_empty() {
            spec.rules = self.rules.iter().map(|rule| rule.as_str().to_owned()).collect();
        }
    }
}

impl Deliveries {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::ListDeliveriesRequest {
            webhook: self.webhook.unwrap_or_default(),
            state: self.state.unwrap_or_default(),
            limit: self.limit,
            before: String::new(),
        };
        let services = session.connect().await?;
        let names = list(&services).await?;
        let answer = services.notifications().list_deliveries(request).await?;
        session.print_list(answer.into_inner().deliveries, |delivery| {
            Ok(view::Delivery::read(delivery, &names))
        })
    }
}

async fn test(session: &Session, webhook: String) -> Result<(), Failure> {
    let request = wire::TestWebhookRequest {
        webhook: webhook.clone(),
    };
    let services = session.connect().await?;
    let answer = services.notifications().test_webhook(request).await?.into_inner();
    let test = view::WebhookTest::read(webhook, answer);
    session.print(&test)?;
    match test.failure() {
        None => Ok(()),
        Some(why) => Err(Failure::other(format!(
            "the receiver did not take the message: {why}"
        ))),
    }
}

async fn list(services: &Services) -> Result<Vec<wire::Webhook>, Failure> {
    let answer = services
        .notifications()
        .list_webhooks(wire::ListWebhooksRequest {})
        .await?;
    Ok(answer.into_inner().webhooks)
}

async fn find(services: &Services, name: &str) -> Result<wire::Webhook, Failure> {
    let mut found = list(services).await?.into_iter();
    let webhook = found.find(|webhook| webhook.name == name || webhook.id == name);
    webhook.ok_or_else(|| {
        Failure::Input(format!(
            "there is no webhook {name:?}; see `penstock webhook list`"
        ))
    })
}
