//! One base URL of a provider.

use std::sync::atomic::{AtomicI64, Ordering};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use hyper_util::client::legacy;
use penstock_core::provider::Provider;
use penstock_core::time::UnixMs;
use penstock_dialect::upstream_path::Wanted;

use super::lanes::{Lanes, ReceiveBody};
use super::paths::Paths;
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

impl Endpoint {
    pub(super) fn new(provider: &Provider, base_url: &str, lanes: Lanes) -> Result<Self, BadTarget> {
        let base: Uri = base_url.parse()?;
        Ok(Self {
            lanes,
            scheme: base.scheme().cloned().unwrap_or(Scheme::HTTPS),
            authority: base.authority().cloned().ok_or(BadTarget::NoHost)?,
            paths: Paths::new(provider, base.path())?,
            rests_until: AtomicI64::new(0),
        })
    }

    /// Where what is wanted is; None when the provider has no such.
    pub(crate) fn uri(&self, wanted: &Wanted<'_>) -> Option<Uri> {
        self.uri_of(self.paths.of(wanted)?)
    }

    /// Where the provider lists its models; None when it does not.
    pub(crate) fn models_uri(&self) -> Option<Uri> {
        self.uri_of(self.paths.models()?)
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
    pub(crate) async fn send<E: From<legacy::Error>>(
        &self,
        make: impl Fn() -> Result<Request<SendBody>, E>,
    ) -> Result<Response<ReceiveBody>, E> {
        self.lanes.send(make).await
    }
}
