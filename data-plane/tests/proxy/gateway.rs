//! A data plane in this process, with a configuration made by the test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::error_rule::ErrorRule;
use penstock_core::id::{Epoch, KeyId, ProviderId, UserId};
use penstock_core::key::Key;
use penstock_core::limits::Limits;
use penstock_core::money::{NanoUsd, PicoUsd};
use penstock_core::price::{Price, Rate, ServiceTier, TokenClass};
use penstock_core::provider::{Provider, ProviderKind};
use penstock_core::request_filter::RequestFilter;
use penstock_core::resource::{ProviderSpec, Resource, ResourceRef, SCHEMA, Spec};
use penstock_core::secret::Secret;
use penstock_core::setting::Degraded;
use penstock_core::setting::Setting;
use penstock_core::snapshot::{Update, Upsert};
use penstock_core::user::User;
use penstock_data_plane::app::App;
use penstock_data_plane::config::{
    DrainSettings, NodeSettings, ProviderAddresses, Settings, TrafficSettings, WhenSpoolFull,
};
use penstock_data_plane::drain::Drained;
use penstock_data_plane::proxy::Proxy;
use penstock_data_plane::telemetry::spool::{Spool, SpoolOptions};
use penstock_fake_provider::FakeProvider;
use penstock_fleet::Node;
use penstock_fleet::baseline::{Answers, Asking, Question, Spend};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::client::Client;
use super::ledger::Ledger;

/// The secret of the key that every gateway has.
pub(crate) const KEY: &str = "psk_a_key_of_the_tests_0001";
/// What gateways present to fake providers.
pub(crate) const CREDENTIAL: &str = "sk-provider-credential-0001";
/// Has a price.
pub(crate) const CLAUDE: &str = "claude-opus-5-5";
/// Has a price.
pub(crate) const GPT: &str = "gpt-5.5";

/// A gateway to be. The defaults know one user, one key and two prices.
pub(crate) struct Setup {
    pub(crate) providers: Vec<Provider>,
    pub(crate) credential: &'static str,
    pub(crate) user: Access,
    pub(crate) user_limits: Limits,
    /// Of each key.
    pub(crate) key_limits: Limits,
    pub(crate) keys: Vec<(&'static str, Access)>,
    pub(crate) prices: Vec<(&'static str, Price)>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) error_rules: Vec<ErrorRule>,
    pub(crate) request_filters: Vec<RequestFilter>,
    pub(crate) traffic: TrafficSettings,
    /// None: this data plane is its own fleet.
    pub(crate) redis_url: Option<String>,
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    proxy: Arc<Proxy>,
    serving: TaskTracker,
    setup: Setup,
    revision: u64,
    directory: TempDir,
}

pub(crate) fn anthropic(fake: &FakeProvider) -> Provider {
    provider("claude", ProviderKind::Anthropic, &fake.base_url())
}

pub(crate) fn openai(fake: &FakeProvider) -> Provider {
    provider("gpt", ProviderKind::Openai, &fake.openai_base_url())
}

pub(crate) fn provider(name: &str, kind: ProviderKind, base_url: &str) -> Provider {
    Provider::new(name, kind, base_url)
}

/// Rates in pico-USD a token.
pub(crate) fn price(platform: &str, rates: &[(TokenClass, u64)]) -> Price {
    let rate = |(class, pico_usd): &(TokenClass, u64)| Rate {
        class: *class,
        tier: ServiceTier::Standard,
        above_tokens: 0,
        pico_usd: PicoUsd(*pico_usd),
    };
    Price {
        web_search: NanoUsd(10_000_000),
        ..Price::of_rates(platform, rates.iter().map(rate).collect())
    }
}

pub(crate) fn user_id() -> UserId {
    UserId::from_parts(1, &[1; 10])
}

/// Of the key at this place of [`Setup::keys`].
pub(crate) fn key_id(index: usize) -> KeyId {
    KeyId::from_parts(index as u64, &[2; 10])
}

/// Of the provider at this place of [`Setup::providers`].
pub(crate) fn provider_id(index: usize) -> ProviderId {
    ProviderId::from_parts(index as u64, &[3; 10])
}

impl Default for Setup {
    fn default() -> Self {
        use TokenClass::{CacheRead, CacheWrite, CacheWrite1h, Input, Output};
        let claude = [
            (Input, 5_000_000),
            (Output, 25_000_000),
            (CacheRead, 500_000),
            (CacheWrite, 6_250_000),
            (CacheWrite1h, 10_000_000),
        ];
        let gpt = [(Input, 1_250_000), (Output, 10_000_000), (CacheRead, 125_000)];
        Self {
            providers: Vec::new(),
            credential: CREDENTIAL,
            user: Access::default(),
            user_limits: Limits::default(),
            key_limits: Limits::default(),
            keys: vec![(KEY, Access::default())],
            prices: vec![
                (CLAUDE, price("anthropic", &claude)),
                (GPT, price("openai", &gpt)),
            ],
            settings: Vec::new(),
            error_rules: Vec::new(),
            request_filters: Vec::new(),
            redis_url: None,
            traffic: TrafficSettings {
                max_body_bytes: 1 << 20,
                max_bodies_bytes: 16 << 20,
                max_connections: 1000,
                trusted_proxies: Vec::new(),
                spool_max_bytes: 64 << 20,
                spool_full: WhenSpoolFull::Drop,
                provider_addresses: ProviderAddresses::Any,
            },
        }
    }
}

impl Setup {
    /// A gateway in front of these providers.
    pub(crate) fn of(providers: impl IntoIterator<Item = Provider>) -> Self {
        Self {
            providers: providers.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(crate) async fn start(self) -> Gateway {
        let directory = tempfile::tempdir().unwrap();
        let options = SpoolOptions {
            max_bytes: self.traffic.spool_max_bytes,
            when_full: self.traffic.spool_full,
        };
        let spool = Spool::open(&directory.path().join("spool"), options).unwrap();
        let settings = self.node_settings(directory.path());
        let (app, _reports) = App::new(settings, "node-1".into(), spool).unwrap();
        let app = Arc::new(app);
        app.fleet.join(Arc::new(EmptyLedger));
        let proxy = Proxy::new(Arc::clone(&app)).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = TaskTracker::new();
        let mut gateway = Gateway {
            address,
            app,
            proxy,
            serving,
            setup: self,
            revision: 0,
            directory,
        };
        gateway.apply();
        let proxy = Arc::clone(&gateway.proxy);
        gateway.serving.spawn(proxy.serve(listener));
        gateway
    }

    fn node_settings(&self, data_dir: &Path) -> Settings {
        Settings {
            node: NodeSettings {
                data_dir: data_dir.to_owned(),
                node_id: None,
                zone: String::new(),
            },
            traffic: self.traffic.clone(),
            drain: DrainSettings {
                delay: Duration::ZERO,
                timeout: Duration::from_secs(5),
            },
            seal_key: None,
            redis_timeout: std::time::Duration::from_millis(50),
            redis_url: self.redis_url.as_deref().map(Secret::new),
            otlp: None,
        }
    }

    pub(crate) fn resources(&self, version: u64) -> Vec<Resource> {
        let resource = |reference, spec| Resource {
            reference,
            version,
            min_schema: SCHEMA,
            spec,
        };
        let user = User {
            limits: self.user_limits.clone().shared(),
            name: "alice".to_owned(),
            access: self.user.clone(),
        };
        let mut resources = vec![resource(ResourceRef::User(user_id()), Spec::User(user))];
        for (index, (secret, access)) in self.keys.iter().enumerate() {
            let key = Key {
                limits: self.key_limits.clone().shared(),
                name: format!("key-{index}"),
                user_id: user_id(),
                access: access.clone(),
                hint: String::new(),
                hash: KeyHash::of(secret),
                import_suffix: None,
                previous: None,
            };
            resources.push(resource(
                ResourceRef::Key(key_id(index)),
                Spec::Key(Box::new(key)),
            ));
        }
        for (index, provider) in self.providers.iter().enumerate() {
            let spec = ProviderSpec {
                provider: provider.clone(),
                credential: Some(penstock_core::credential::Credential::ApiKey(Secret::new(
                    self.credential,
                ))),
                proxy_password: None,
            };
            let reference = ResourceRef::Provider(provider_id(index));
            resources.push(resource(reference, Spec::Provider(Box::new(spec))));
        }
        for (name, price) in &self.prices {
            let spec = Spec::Price(Box::new(price.clone()));
            resources.push(resource(ResourceRef::Price((*name).into()), spec));
        }
        for filter in &self.request_filters {
            let reference = ResourceRef::RequestFilter(filter.name.as_str().into());
            let spec = Spec::RequestFilter(Box::new(filter.clone()));
            resources.push(resource(reference, spec));
        }
        for rule in &self.error_rules {
            let reference = ResourceRef::ErrorRule(rule.name.as_str().into());
            resources.push(resource(reference, Spec::ErrorRule(Box::new(rule.clone()))));
        }
        for setting in &self.settings {
            let reference = ResourceRef::Setting(setting.name().into());
            resources.push(resource(reference, Spec::Setting(setting.clone())));
        }
        resources
    }
}

impl Gateway {
    /// Changes the configuration, as an operator would.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Setup)) {
        change(&mut self.setup);
        self.apply();
    }

    fn apply(&mut self) {
        self.revision += 1;
        let resources = self.setup.resources(self.revision);
        let update = Update {
            epoch: Epoch::from_parts(1, &[9; 10]),
            full: true,
            from_revision: 0,
            to_revision: self.revision,
            upserts: resources.into_iter().map(Upsert::Resource).collect(),
            removals: Vec::new(),
        };
        let (snapshot, refused) = self.app.live.load().apply(update).unwrap();
        assert!(refused.is_empty(), "{refused:?}");
        self.app.live.store(Arc::new(snapshot));
    }

    pub(crate) fn client(&self) -> Client {
        Client::http1(self.address)
    }

    /// What the spool holds.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::read(&self.directory.path().join("spool"))
    }

    /// Waits until so many records are in the spool.
    pub(crate) async fn records(&self, count: usize) -> Ledger {
        loop {
            let ledger = self.ledger();
            if ledger.records.len() >= count {
                return ledger;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What `/metrics` would say.
    pub(crate) fn metrics(&self) -> String {
        self.app.metrics.render(&self.app.state()).unwrap()
    }

    /// Drains and stops; everything that was started has ended then.
    pub(crate) async fn stop(self) -> Drained {
        let timeout = self.app.config.drain.timeout;
        let drained = self.app.drain.run(Duration::ZERO, timeout).await;
        self.serving.close();
        self.serving.wait().await;
        self.proxy.close().await;
        drained
    }
}

/// A ledger that has nothing yet.
struct EmptyLedger;

impl Node for EmptyLedger {
    fn ask_ledger(&self, questions: Vec<Question>) -> Asking {
        let spends = |question: &Question| question.spans.iter().map(|_| Spend::default()).collect();
        let answers = Answers {
            spends: questions.iter().map(spends).collect(),
            marks: Vec::new(),
        };
        Box::pin(std::future::ready(Ok(answers)))
    }

    fn acknowledged(&self) -> u64 {
        0
    }

    fn degraded(&self) -> Degraded {
        Degraded::default()
    }

    fn random(&self) -> u32 {
        0
    }
}
