//! One base URL of a provider.

use std::sync::atomic::{AtomicI64, Ordering};

use http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use hyper_util::client::legacy;
use penstock_core::provider::ProviderKind;
use penstock_core::time::UnixMs;
use penstock_dialect::route;

use super::lanes::{Lanes, ReceiveBody};
use super::send_body::SendBody;
use super::target::BadTarget;

/// After a failure, before it is the first choice again.
const REST_MS: u64 = 30_000;

/// Where requests go, over the connections of its provider.
pub(crate) struct Endpoint {
    lanes: Lanes,
    scheme: Scheme,
    authority: Authority,
    paths: Paths,
    /// Unix milliseconds.
    rests_until: AtomicI64,
}

/// Path and query of each of the vendor's endpoints; None where the provider has no such.
#[derive(Debug)]
struct Paths {
    main: Option<PathAndQuery>,
    main_beta: Option<PathAndQuery>,
    count_tokens: Option<PathAndQuery>,
    count_tokens_beta: Option<PathAndQuery>,
    /// The list of models, which is free.
    models: PathAndQuery,
}

impl Endpoint {
    pub(super) fn new(kind: ProviderKind, base_url: &str, lanes: Lanes) -> Result<Self, BadTarget> {
        let base: Uri = base_url.parse()?;
        Ok(Self {
            lanes,
            scheme: base.scheme().cloned().unwrap_or(Scheme::HTTPS),
            authority: base.authority().cloned().ok_or(BadTarget::NoHost)?,
            paths: Paths::new(kind, base.path())?,
            rests_until: AtomicI64::new(0),
        })
    }

    /// Where one of the vendor's endpoints is; None when the provider has no such. `beta` is the one flag of the
    /// caller's query that is known.
    pub(crate) fn uri(&self, endpoint: &route::Endpoint, beta: bool) -> Option<Uri> {
        self.uri_of(self.paths.of(endpoint, beta)?.clone())
    }

    /// Where the provider lists its models.
    pub(crate) fn models_uri(&self) -> Option<Uri> {
        self.uri_of(self.paths.models.clone())
    }

    fn uri_of(&self, path: PathAndQuery) -> Option<Uri> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }

    /// It could not be reached a moment ago.
    pub(super) fn rests(&self, now: UnixMs) -> bool {
        now.0 < self.rests_until.load(Ordering::Relaxed)
    }

    pub(super) fn rest(&self, now: UnixMs) {
        self.rests_until.store(now.plus_ms(REST_MS).0, Ordering::Relaxed);
    }

    /// Sends a request, over a connection that has room or a new one. `make` makes it, more than once if the first
    /// connection turns out to have none.
    pub(crate) async fn send(
        &self,
        make: impl Fn() -> Request<SendBody>,
    ) -> Result<Response<ReceiveBody>, legacy::Error> {
        self.lanes.send(make).await
    }
}

impl Paths {
    fn new(kind: ProviderKind, base: &str) -> Result<Self, InvalidUri> {
        let main = match kind {
            ProviderKind::Anthropic => route::Endpoint::Messages,
            ProviderKind::Openai | ProviderKind::OpenaiCompatible => route::Endpoint::ChatCompletions,
        };
        let path = |endpoint: &route::Endpoint, beta| {
            let path = endpoint.upstream_path(kind, base, beta);
            path.map(PathAndQuery::try_from).transpose()
        };
        let models = match kind {
            ProviderKind::Anthropic => "/v1/models?limit=1",
            ProviderKind::Openai | ProviderKind::OpenaiCompatible => "/models",
        };
        Ok(Self {
            models: PathAndQuery::try_from([base.trim_end_matches('/'), models].concat())?,
            main: path(&main, false)?,
            main_beta: path(&main, true)?,
            count_tokens: path(&route::Endpoint::CountTokens, false)?,
            count_tokens_beta: path(&route::Endpoint::CountTokens, true)?,
        })
    }

    fn of(&self, endpoint: &route::Endpoint, beta: bool) -> Option<&PathAndQuery> {
        use route::Endpoint;
        match (endpoint, beta) {
            (Endpoint::Messages | Endpoint::ChatCompletions, false) => self.main.as_ref(),
            (Endpoint::Messages | Endpoint::ChatCompletions, true) => self.main_beta.as_ref(),
            (Endpoint::CountTokens, false) => self.count_tokens.as_ref(),
            (Endpoint::CountTokens, true) => self.count_tokens_beta.as_ref(),
            (Endpoint::Models | Endpoint::Model(_) | Endpoint::Limits, _) => None,
        }
    }
}
