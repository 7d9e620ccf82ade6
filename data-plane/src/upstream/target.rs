//! One provider, ready to be called.

use std::str::FromStr;

use http::uri::InvalidUri;
use http::{HeaderName, HeaderValue};
use penstock_core::credential::Credential;
use penstock_core::provider::ProviderKind;
use penstock_core::snapshot::ProviderEntry;
use penstock_core::time::UnixMs;
use penstock_dialect::aws::sigv4::Unsignable;
use penstock_dialect::headers::BadCredential;
use penstock_outbound::{BadConnections, Clients, Connections, Reach};

use super::credentials::Authorization;
use super::endpoint::Endpoint;
use super::lanes::Lanes;

/// What a provider's configuration becomes before its first request.
pub(crate) struct Target {
    /// Of the provider's resource.
    pub(crate) version: u64,
    pub(crate) kind: ProviderKind,
    /// Of the access token that the control plane renews; 0: there is none.
    pub(crate) token_version: u64,
    pub(super) authorization: Option<Authorization>,
    pub(super) extra_headers: Vec<(HeaderName, HeaderValue)>,
    endpoints: Vec<Endpoint>,
    lanes: Lanes,
    /// How their connections are made.
    connections: Connections,
}

/// A provider that cannot be called as it is configured. The text is for operators.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadTarget {
    #[error("it has no base URL")]
    NoBaseUrl,
    #[error("its base URL cannot be used: {0}")]
    BaseUrl(#[from] InvalidUri),
    #[error("its base URL names no host")]
    NoHost,
    #[error("the header {0:?} of its extra headers cannot be sent")]
    ExtraHeader(String),
    #[error(transparent)]
    Credential(#[from] BadCredential),
    #[error(transparent)]
    Unsignable(#[from] Unsignable),
    #[error(transparent)]
    Connections(#[from] BadConnections),
}

impl Target {
    /// `former` is the same provider's target at an earlier version; its connections are kept if they would be made
    /// alike.
    pub(super) fn new(
        entry: &ProviderEntry,
        (clients, reach): (&Clients, Reach),
        former: Option<&Self>,
    ) -> Result<Self, BadTarget> {
        let provider = &entry.provider;
        let connections = Connections::of(provider, entry.proxy_password.as_ref(), reach);
        let lanes = match former.filter(|former| former.connections == connections) {
            Some(former) => former.lanes.clone(),
            None => Lanes::over(clients.make(&connections)?),
        };
        let endpoint = |url: &String| Endpoint::new(provider, url, lanes.clone());
        let endpoints: Vec<_> = provider
            .base_urls
            .iter()
            .map(endpoint)
            .collect::<Result<_, _>>()?;
        if endpoints.is_empty() {
            return Err(BadTarget::NoBaseUrl);
        }
        let authorization = entry.credential.as_ref();
        let authorization = authorization
            .map(|credential| Authorization::new(provider.kind, credential))
            .transpose()?;
        Ok(Self {
            version: entry.version,
            kind: provider.kind,
            token_version: token_version(entry),
            authorization,
            extra_headers: extra_headers(entry)?,
            endpoints,
            lanes,
            connections,
        })
    }

    /// One for each base URL, in the operator's order; at least one.
    pub(crate) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Which endpoint to ask now: the first that does not rest, not the one that was asked before if there is another.
    pub(crate) fn next(&self, former: Option<usize>, now: UnixMs) -> usize {
        let others = || (0..self.endpoints.len()).filter(|at| Some(*at) != former);
        let awake = |at: &usize| {
            self.endpoints
                .get(*at)
                .is_some_and(|endpoint| !endpoint.rests(now))
        };
        others()
            .find(awake)
            .or_else(|| others().next())
            .or(former)
            .unwrap_or(0)
    }

    /// This endpoint cannot be reached: others come first for a while.
    pub(crate) fn rest(&self, at: usize, now: UnixMs) {
        if let Some(endpoint) = self.endpoints.get(at) {
            endpoint.rest(now);
        }
    }
}

/// Rises with each token of one provider; 0 of what is not renewed.
pub(super) fn token_version(entry: &ProviderEntry) -> u64 {
    let renewal = entry.credential.as_ref().and_then(Credential::renewal);
    renewal.map_or(0, |renewal| renewal.version)
}

fn extra_headers(entry: &ProviderEntry) -> Result<Vec<(HeaderName, HeaderValue)>, BadTarget> {
    let headers = entry.provider.extra_headers.iter();
    headers
        .map(|header| {
            let bad = || BadTarget::ExtraHeader(header.name.clone());
            let name = HeaderName::from_str(&header.name).map_err(|_| bad())?;
            let value = HeaderValue::from_str(&header.value).map_err(|_| bad())?;
            Ok((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests;
