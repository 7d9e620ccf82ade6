//! `penstock oauth`: logging providers in, and how their access tokens do.

use std::io::BufRead;
use std::path::PathBuf;

use clap::Subcommand;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1 as wire;

use super::session::{Session, part};
use crate::failure::Failure;
use crate::input;
use crate::output;
use crate::remote::Reason;
use crate::target::process_env;
use crate::view::{self, List};

/// What ends a login.
const CODE: &str = "the code that the browser shows at the end of the login, or the whole URL there";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Log a provider in: prints the URL for a browser, then takes what the browser shows at the end
    Login(Box<Login>),
    /// The first half of a login: prints the URL
    Start(Box<Start>),
    /// The second half: takes the code, `code#state` or the whole URL from standard input
    Finish(Finish),
    /// Obtain a new access token now
    Refresh(Refresh),
    /// Go through what a refresh needs, step by step; changes nothing
    Test {
        /// Name or id
        provider: String,
    },
    /// How access tokens do, and what went wrong last
    #[command(visible_alias = "list")]
    Status {
        /// Name or id; all when left out
        provider: Option<String>,
    },
}

#[derive(clap::Args)]
pub(crate) struct Login {
    #[command(flatten)]
    start: Start,
    #[command(flatten)]
    reason: Reason,
}

#[derive(clap::Args)]
pub(crate) struct Start {
    /// Name or id
    provider: String,
    #[command(flatten)]
    client: Client,
}

#[derive(clap::Args)]
pub(crate) struct Finish {
    /// Name or id
    provider: String,
    #[command(flatten)]
    reason: Reason,
}

#[derive(clap::Args)]
pub(crate) struct Refresh {
    /// Name or id
    #[arg(required_unless_present = "all")]
    provider: Option<String>,
    /// All providers whose access tokens the control plane obtains
    #[arg(long, conflicts_with = "provider")]
    all: bool,
}

/// As it is registered at the authorization server. Without any, the provider's present client is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Client")]
pub(crate) struct Client {
    /// Where a browser logs in
    #[arg(long, value_name = "URL")]
    authorize_url: Option<String>,
    /// Where codes and refresh tokens are exchanged
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,
    /// The client's id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Environment variable that holds the client's secret; none for a public client
    #[arg(long, value_name = "VAR")]
    client_secret_env: Option<String>,
    /// File that holds the client's secret
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_env")]
    client_secret_file: Option<PathBuf>,
    /// Scope to ask for; repeatable
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// As registered, to the letter
    #[arg(long, value_name = "URL")]
    redirect_uri: Option<String>,
    /// The token endpoint wants JSON instead of a form
    #[arg(long)]
    json: bool,
    /// The client's id and secret go in an Authorization header instead of the body
    #[arg(long)]
    basic_auth: bool,
    /// Further parameter of the authorize URL, NAME=VALUE; repeatable
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Login(login) => login.run(session).await,
            Self::Start(start) => {
                let begun = start.run(session).await?;
                session.print(&view::OauthLogin::read(begun))
            }
            Self::Finish(finish) => finish.run(session, &input::stdin(CODE)?).await,
            Self::Refresh(refresh) => refresh.run(session).await,
            Self::Test { provider } => test(session, provider).await,
            Self::Status { provider } => {
                let found = list(session, provider.unwrap_or_default()).await?;
                session.print_list(found, |status| Ok(view::OauthStatus::read(status)))
            }
        }
    }
}

impl Login {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let provider = self.start.provider.clone();
        let begun = self.start.run(session).await?;
        output::remark(format!(
            "Open this URL in a browser and log in:\n\n{}\n\nThen paste here what the browser shows at the end (the code, or \
             the whole URL), and press Enter:",
            begun.authorize_url
        ));
        let mut line = zeroize::Zeroizing::new(String::new());
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|_| Failure::Input("standard input cannot be read as text".into()))?;
        let finish = Finish {
            provider,
            reason: self.reason,
        };
        finish.run(session, &Secret::trimmed(&line)).await
    }
}

impl Start {
    async fn run(self, session: &Session) -> Result<wire::StartOauthLoginResponse, Failure> {
        let request = wire::StartOauthLoginRequest {
            provider: self.provider,
            client: self.client.read()?,
        };
        let answer = session
            .connect()
            .await?
            .oauth()
            .start_oauth_login(request)
            .await?;
        Ok(answer.into_inner())
    }
}

impl Finish {
    async fn run(self, session: &Session, code: &Secret) -> Result<(), Failure> {
        if code.is_empty() {
            return Err(Failure::Input(format!(
                "standard input is empty, but must hold {CODE}"
            )));
        }
        let request = wire::FinishOauthLoginRequest {
            provider: self.provider,
            // To be exchanged by the control plane.
            code: code.expose().to_owned(),
            change: self.reason.info(),
        };
        let answer = session
            .connect()
            .await?
            .oauth()
            .finish_oauth_login(request)
            .await?;
        let status = part("status", answer.into_inner().status)?;
        session.print_list(vec![status], |status| Ok(view::OauthStatus::read(status)))
    }
}

impl Refresh {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let services = session.connect().await?;
        let all = self.provider.is_none();
        let providers = match self.provider {
            Some(provider) => vec![(provider.clone(), provider)],
            None => list(session, String::new())
                .await?
                .into_iter()
                .map(|status| (status.provider_id, status.provider))
                .collect::<Vec<_>>(),
        };
        let (mut items, mut failed) = (Vec::new(), Vec::new());
        for (provider, name) in providers {
            let request = wire::RefreshOauthTokenRequest { provider };
            match services.oauth().refresh_oauth_token(request).await {
                Ok(answer) => {
                    let item = view::OauthStatus::read(part("status", answer.into_inner().status)?);
                    failed.extend(item.has_failed().then(|| item.provider.clone()));
                    items.push(item);
                }
                // One that cannot be refreshed keeps no other from it.
                Err(status) if all => {
                    session.remark(&format!("{name}: {}", status.message()));
                    failed.push(name);
                }
                Err(status) => return Err(status.into()),
            }
        }
        session.print(&List { items })?;
        all_well(&failed)
    }
}

impl Client {
    /// None: no flag was given.
    fn read(&self) -> Result<Option<wire::OauthClient>, Failure> {
        if *self == Self::default() {
            return Ok(None);
        }
        let (Some(authorize_url), Some(token_url), Some(client_id)) =
            (&self.authorize_url, &self.token_url, &self.client_id)
        else {
            let problem = "a client needs --authorize-url, --token-url and --client-id";
            return Err(Failure::Usage(problem.into()));
        };
        let (path, variable) = (
            self.client_secret_file.as_deref(),
            self.client_secret_env.as_deref(),
        );
        let secret = input::read(None, path, variable, &process_env)?;
        Ok(Some(wire::OauthClient {
            authorize_url: authorize_url.clone(),
            token_url: token_url.clone(),
            client_id: client_id.clone(),
            // To be sealed by the control plane.
            client_secret: secret
                .map(|secret| secret.expose().to_owned())
                .unwrap_or_default(),
            scopes: self.scopes.clone(),
            redirect_uri: self.redirect_uri.clone().unwrap_or_default(),
            json: self.json,
            basic_auth: self.basic_auth,
            parameters: self
                .parameters
                .iter()
                .map(|text| parameter(text))
                .collect::<Result<_, _>>()?,
        }))
    }
}

fn parameter(text: &str) -> Result<wire::OauthParameter, Failure> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Failure::Usage(format!("{text:?} is no parameter; write NAME=VALUE")))?;
    Ok(wire::OauthParameter {
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

async fn list(session: &Session, provider: String) -> Result<Vec<wire::OauthStatus>, Failure> {
    let request = wire::ListOauthRequest { provider };
    let answer = session.connect().await?.oauth().list_oauth(request).await?;
    Ok(answer.into_inner().providers)
}

async fn test(session: &Session, provider: String) -> Result<(), Failure> {
    let request = wire::TestOauthRequest { provider };
    let answer = session.connect().await?.oauth().test_oauth(request).await?;
    let items: Vec<_> = answer
        .into_inner()
        .steps
        .into_iter()
        .map(view::OauthStep::read)
        .collect();
    let failed: Vec<_> = items
        .iter()
        .filter(|step| !step.passed)
        .map(|step| step.step.clone())
        .collect();
    session.print(&List { items })?;
    all_well(&failed)
}

fn all_well(failed: &[String]) -> Result<(), Failure> {
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::Input(format!(
            "not all is well with {}",
            failed.join(", ")
        ))),
    }
}
