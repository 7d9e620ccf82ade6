//! The demo: a fake provider in this process, and a user and a key to call it with.
//!
//! What is there already is kept, except the provider's base URL: the fake gets a new port at each start.

use penstock_core::money::Millionths;
use penstock_core::secret::Secret;
use penstock_fake_provider::FakeProvider;
use penstock_proto::admin::v1 as admin;
use penstock_proto::config::v1 as config;
use tonic::Code;
use tonic::transport::Channel;

use super::home::Home;
use super::planes::Running;
use crate::failure::Failure;

const CREDENTIAL: &str = "sk-demo-0123456789abcdefghijklmnop";
/// Name, kind and base URL.
type Demonstrated = (&'static str, config::ProviderKind, fn(&FakeProvider) -> String);

const PROVIDERS: [Demonstrated; 2] = [
    (
        "demo-anthropic",
        config::ProviderKind::Anthropic,
        FakeProvider::base_url,
    ),
    (
        "demo-openai",
        config::ProviderKind::Openai,
        FakeProvider::openai_base_url,
    ),
];
const USER: &str = "demo";
const KEY: &str = "demo";

/// A running demo.
pub(crate) struct Demo {
    pub(crate) key: Secret,
    fake: FakeProvider,
}

impl Demo {
    pub(crate) async fn end(self) {
        self.fake.shutdown().await;
    }
}

/// Starts the fake provider and makes what is missing.
pub(crate) async fn prepare(running: &Running, home: &Home) -> Result<Demo, Failure> {
    let started = FakeProvider::builder()
        .require_credential(CREDENTIAL)
        .start()
        .await;
    let fake = started.map_err(Failure::other)?;
    let channel = running.channel().await?;
    for (name, kind, base_url) in PROVIDERS {
        provider(channel.clone(), name, kind, base_url(&fake)).await?;
    }
    let key = home.demo_key()?;
    caller(channel, &key).await?;
    Ok(Demo { key, fake })
}

async fn provider(
    channel: Channel,
    name: &str,
    kind: config::ProviderKind,
    base_url: String,
) -> Result<(), Failure> {
    let mut providers = admin::provider_service_client::ProviderServiceClient::new(channel);
    let change = Some(admin::ChangeInfo {
        reason: "penstock up --demo".to_owned(),
    });
    let found = providers
        .get_provider(admin::GetProviderRequest {
            provider: name.to_owned(),
        })
        .await;
    let known = match found {
        Ok(answer) => answer.into_inner().provider,
        Err(status) if status.code() == Code::NotFound => None,
        Err(status) => return Err(status.into()),
    };
    match known {
        Some(known) => {
            let spec = known.spec.map(|spec| config::ProviderSpec {
                base_urls: vec![base_url],
                ..spec
            });
            let update = admin::UpdateProviderRequest {
                keep_credential: false,
                new_credential: None,
                proxy_password: None,
                provider: known.id,
                expected_version: known.version,
                spec,
                credential: Some(CREDENTIAL.to_owned()),
                change,
                update_mask: None,
            };
            providers.update_provider(update).await?;
        }
        None => {
            let spec = config::ProviderSpec {
                name: name.to_owned(),
                kind: kind.into(),
                base_urls: vec![base_url],
                enabled: true,
                weight: 1,
                cost_multiplier_millionths: Millionths::ONE.0,
                ..config::ProviderSpec::default()
            };
            let create = admin::CreateProviderRequest {
                new_credential: None,
                proxy_password: None,
                spec: Some(spec),
                credential: Some(CREDENTIAL.to_owned()),
                change,
            };
            providers.create_provider(create).await?;
        }
    }
    Ok(())
}

async fn caller(channel: Channel, key: &Secret) -> Result<(), Failure> {
    let access = Some(config::Access {
        enabled: true,
        ..config::Access::default()
    });
    let change = Some(admin::ChangeInfo {
        reason: "penstock up --demo".to_owned(),
    });
    let mut users = admin::user_service_client::UserServiceClient::new(channel.clone());
    let user = config::User {
        limits: None,
        name: USER.to_owned(),
        access: access.clone(),
    };
    let made = users
        .create_user(admin::CreateUserRequest {
            spec: Some(user),
            change: change.clone(),
        })
        .await;
    there_already(made)?;
    let mut keys = admin::key_service_client::KeyServiceClient::new(channel);
    let spec = config::KeySpec {
        limits: None,
        name: KEY.to_owned(),
        user_id: USER.to_owned(),
        access,
        hint: String::new(),
    };
    let create = admin::CreateKeyRequest {
        spec: Some(spec),
        // To the control plane of this process, which stores its hash.
        import: Some(admin::create_key_request::Import::Secret(key.expose().to_owned())),
        prefix: String::new(),
        change,
    };
    there_already(keys.create_key(create).await)
}

fn there_already<T>(made: Result<T, tonic::Status>) -> Result<(), Failure> {
    match made {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::AlreadyExists => Ok(()),
        Err(status) => Err(status.into()),
    }
}
