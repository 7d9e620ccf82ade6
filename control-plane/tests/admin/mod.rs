//! The operators' services as they are called: gRPC, a running control plane, SQLite.

mod error_rules;
mod fleet;
mod history;
mod imports;
mod keys;
mod limits;
mod prices;
mod providers;
mod request_filters;
mod rollbacks;
mod settings;
mod usage;
mod users;
mod word_rules;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use penstock_control_plane::store::{OpenOptions, Store};
use penstock_control_plane::{Config, Fault, Listeners};
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::config_service_client::ConfigServiceClient;
use penstock_proto::admin::v1::error_rule_service_client::ErrorRuleServiceClient;
use penstock_proto::admin::v1::fleet_service_client::FleetServiceClient;
use penstock_proto::admin::v1::import_service_client::ImportServiceClient;
use penstock_proto::admin::v1::key_service_client::KeyServiceClient;
use penstock_proto::admin::v1::manifest_service_client::ManifestServiceClient;
use penstock_proto::admin::v1::price_service_client::PriceServiceClient;
use penstock_proto::admin::v1::provider_service_client::ProviderServiceClient;
use penstock_proto::admin::v1::request_filter_service_client::RequestFilterServiceClient;
use penstock_proto::admin::v1::usage_service_client::UsageServiceClient;
use penstock_proto::admin::v1::user_service_client::UserServiceClient;
use penstock_proto::admin::v1::word_rule_service_client::WordRuleServiceClient;
use penstock_proto::config::v1 as config;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

const TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";

/// A running control plane and an operator's connection to it. Dropped: it is gone.
struct Operator {
    channel: Channel,
    folder: TempDir,
    _tasks: JoinSet<Result<(), Fault>>,
}

#[derive(Clone)]
struct Token(MetadataValue<Ascii>);

type Signed = InterceptedService<Channel, Token>;

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

macro_rules! clients {
    ($($name:ident: $client:ident;)*) => {$(
        fn $name(&self) -> $client<Signed> {
            let token = Token(format!("Bearer {TOKEN}").parse().unwrap());
            $client::with_interceptor(self.channel.clone(), token).max_decoding_message_size(64 << 20)
        }
    )*};
}

impl Operator {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("master.key");
        std::fs::write(&key_file, "07".repeat(32)).unwrap();
        let url = database_url(&folder);
        let config = Config::parse_from([
            "penstock-control-plane",
            "--database-url",
            &url,
            "--admin-token",
            TOKEN,
            "--master-key-file",
            &key_file.to_string_lossy(),
            "--name",
            "cp-1",
        ]);
        let grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", grpc.local_addr().unwrap());
        let listeners = Listeners {
            grpc: Some(grpc),
            console: Some(TcpListener::bind("127.0.0.1:0").await.unwrap()),
            ..Listeners::default()
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(penstock_control_plane::run(
            config,
            listeners,
            CancellationToken::new(),
        ));
        // The listener is bound, so a connection waits until it is served.
        let endpoint = Endpoint::from_shared(server)
            .unwrap()
            .timeout(Duration::from_secs(60));
        let channel = endpoint.connect().await.unwrap();
        Self {
            channel,
            folder,
            _tasks: tasks,
        }
    }

    clients! {
        provider_service: ProviderServiceClient;
        user_service: UserServiceClient;
        key_service: KeyServiceClient;
        price_service: PriceServiceClient;
        error_rule_service: ErrorRuleServiceClient;
        word_rule_service: WordRuleServiceClient;
        request_filter_service: RequestFilterServiceClient;
        config_service: ConfigServiceClient;
        import_service: ImportServiceClient;
        manifest_service: ManifestServiceClient;
        fleet_service: FleetServiceClient;
        usage_service: UsageServiceClient;
    }

    /// The database beneath the control plane.
    async fn store(&self) -> Arc<dyn Store> {
        let options = OpenOptions::new(database_url(&self.folder));
        penstock_control_plane::store::open(&options).await.unwrap()
    }

    async fn head(&self) -> u64 {
        let request = wire::ListRevisionsRequest::default();
        self.config_service()
            .list_revisions(request)
            .await
            .unwrap()
            .into_inner()
            .head
    }

    async fn create_user(&self, name: &str) -> wire::User {
        let request = wire::CreateUserRequest {
            spec: Some(user(name)),
            change: None,
        };
        self.user_service()
            .create_user(request)
            .await
            .unwrap()
            .into_inner()
            .user
            .unwrap()
    }

    async fn create_key(&self, owner: &str, name: &str) -> wire::CreateKeyResponse {
        self.key_service()
            .create_key(new_key(owner, name))
            .await
            .unwrap()
            .into_inner()
    }

    async fn get_key(&self, key: &str) -> Result<wire::Key, Status> {
        let request = wire::GetKeyRequest { key: key.into() };
        Ok(self
            .key_service()
            .get_key(request)
            .await?
            .into_inner()
            .key
            .unwrap())
    }

    /// Changes a key's rules, whatever its version is.
    async fn change_key(&self, key: &str, change: impl FnOnce(&mut config::Access)) -> u64 {
        let read = self.get_key(key).await.unwrap();
        let mut spec = read.spec.unwrap();
        change(spec.access.as_mut().unwrap());
        let request = wire::UpdateKeyRequest {
            key: read.id,
            expected_version: read.version,
            spec: Some(spec),
            change: reason("changed by a test"),
            update_mask: None,
        };
        self.key_service()
            .update_key(request)
            .await
            .unwrap()
            .into_inner()
            .revision
    }

    async fn create_provider(&self, name: &str, credential: Option<&str>) -> wire::Provider {
        let request = wire::CreateProviderRequest {
            new_credential: None,
            proxy_password: None,
            spec: Some(provider(name)),
            credential: credential.map(str::to_owned),
            change: None,
        };
        let answer = self.provider_service().create_provider(request).await;
        answer.unwrap().into_inner().provider.unwrap()
    }

    async fn get_provider(&self, provider: &str) -> Result<wire::Provider, Status> {
        let request = wire::GetProviderRequest {
            provider: provider.into(),
        };
        Ok(self
            .provider_service()
            .get_provider(request)
            .await?
            .into_inner()
            .provider
            .unwrap())
    }

    async fn update_provider(
        &self,
        read: &wire::Provider,
        change: impl FnOnce(&mut config::ProviderSpec),
    ) -> Result<wire::Provider, Status> {
        let mut spec = read.spec.clone().unwrap();
        change(&mut spec);
        let request = wire::UpdateProviderRequest {
            keep_credential: false,
            new_credential: None,
            proxy_password: None,
            provider: read.id.clone(),
            expected_version: read.version,
            spec: Some(spec),
            credential: None,
            change: reason("changed by a test"),
            update_mask: None,
        };
        let answer = self.provider_service().update_provider(request).await?;
        Ok(answer.into_inner().provider.unwrap())
    }
}

fn database_url(folder: &TempDir) -> String {
    let path: PathBuf = folder.path().join("penstock.db");
    format!("sqlite:{}", path.display())
}

fn access() -> config::Access {
    config::Access {
        enabled: true,
        ..config::Access::default()
    }
}

fn user(name: &str) -> config::User {
    config::User {
        limits: None,
        name: name.into(),
        access: Some(access()),
    }
}

fn new_key(owner: &str, name: &str) -> wire::CreateKeyRequest {
    wire::CreateKeyRequest {
        spec: Some(config::KeySpec {
            limits: None,
            name: name.into(),
            user_id: owner.into(),
            access: Some(access()),
            hint: String::new(),
        }),
        import: None,
        prefix: String::new(),
        change: None,
    }
}

fn provider(name: &str) -> config::ProviderSpec {
    config::ProviderSpec {
        name: name.into(),
        kind: config::ProviderKind::Anthropic.into(),
        base_urls: vec!["https://api.example".into()],
        enabled: true,
        weight: 1,
        cost_multiplier_millionths: 1_000_000,
        ..config::ProviderSpec::default()
    }
}

fn reason(text: &str) -> Option<wire::ChangeInfo> {
    Some(wire::ChangeInfo { reason: text.into() })
}

/// The status of a call that must be refused.
fn refused<T>(answer: Result<Response<T>, Status>, code: Code) -> String {
    let status = answer.map(drop).unwrap_err();
    assert_eq!(status.code(), code, "{}", status.message());
    status.message().to_owned()
}
