//! One provider, ready to be called.

use std::str::FromStr;
use std::time::Duration;

use http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Request, Uri};
use hyper_util::client::legacy::ResponseFuture;
use penstock_core::provider::ProviderKind;
use penstock_core::snapshot::ProviderEntry;
use penstock_dialect::headers::BadCredential;
use penstock_dialect::route::Endpoint;

use super::client::{Client, Clients};
use super::credentials::CredentialHeader;
use super::send_body::SendBody;

/// What a provider's configuration becomes before its first request.
pub(crate) struct Target {
    /// Of the provider's resource.
    pub(crate) version: u64,
    pub(crate) kind: ProviderKind,
    client: Client,
    pub(super) credential: Option<CredentialHeader>,
    pub(super) extra_headers: Vec<(HeaderName, HeaderValue)>,
    scheme: Scheme,
    authority: Authority,
    paths: Paths,
    connect_timeout: Duration,
}

/// Path and query of each endpoint; None where the provider has no such endpoint.
#[derive(Debug)]
struct Paths {
    main: Option<PathAndQuery>,
    main_beta: Option<PathAndQuery>,
    count_tokens: Option<PathAndQuery>,
    count_tokens_beta: Option<PathAndQuery>,
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
}

impl Target {
    /// `former` is the same provider's target at an earlier version; its connections are kept if they can be.
    pub(super) fn new(
        entry: &ProviderEntry,
        clients: &Clients,
        former: Option<&Self>,
    ) -> Result<Self, BadTarget> {
        let provider = &entry.provider;
        let base = provider.base_urls.first().ok_or(BadTarget::NoBaseUrl)?;
        let base: Uri = base.parse()?;
        let scheme = base.scheme().cloned().unwrap_or(Scheme::HTTPS);
        let authority = base.authority().cloned().ok_or(BadTarget::NoHost)?;
        let connect_timeout = provider.connect_timeout();
        let client = former
            .filter(|former| former.connects_alike(&scheme, &authority, connect_timeout))
            .map_or_else(|| clients.make(connect_timeout), |former| former.client.clone());
        let credential = match &entry.credential {
            Some(secret) => CredentialHeader::new(provider.kind, secret)?,
            None => None,
        };
        Ok(Self {
            version: entry.version,
            kind: provider.kind,
            client,
            credential,
            extra_headers: extra_headers(entry)?,
            paths: Paths::new(provider.kind, base.path())?,
            scheme,
            authority,
            connect_timeout,
        })
    }

    /// Where an endpoint is; None when the provider has no such endpoint. `beta` is the one flag of the caller's
    /// query that is known.
    pub(crate) fn uri(&self, endpoint: &Endpoint, beta: bool) -> Option<Uri> {
        let path = self.paths.of(endpoint, beta)?.clone();
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }

    /// Sends a request, over a connection that is idle or a new one.
    pub(crate) fn send(&self, request: Request<SendBody>) -> ResponseFuture {
        self.client.request(request)
    }

    fn connects_alike(&self, scheme: &Scheme, authority: &Authority, timeout: Duration) -> bool {
        (&self.scheme, &self.authority, self.connect_timeout) == (scheme, authority, timeout)
    }
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

impl Paths {
    fn new(kind: ProviderKind, base: &str) -> Result<Self, InvalidUri> {
        let main = match kind {
            ProviderKind::Anthropic => Endpoint::Messages,
            ProviderKind::Openai | ProviderKind::OpenaiCompatible => Endpoint::ChatCompletions,
        };
        let path = |endpoint: &Endpoint, beta| {
            let path = endpoint.upstream_path(kind, base, beta);
            path.map(PathAndQuery::try_from).transpose()
        };
        Ok(Self {
            main: path(&main, false)?,
            main_beta: path(&main, true)?,
            count_tokens: path(&Endpoint::CountTokens, false)?,
            count_tokens_beta: path(&Endpoint::CountTokens, true)?,
        })
    }

    fn of(&self, endpoint: &Endpoint, beta: bool) -> Option<&PathAndQuery> {
        match (endpoint, beta) {
            (Endpoint::Messages | Endpoint::ChatCompletions, false) => self.main.as_ref(),
            (Endpoint::Messages | Endpoint::ChatCompletions, true) => self.main_beta.as_ref(),
            (Endpoint::CountTokens, false) => self.count_tokens.as_ref(),
            (Endpoint::CountTokens, true) => self.count_tokens_beta.as_ref(),
            (Endpoint::Models | Endpoint::Model(_) | Endpoint::Limits, _) => None,
        }
    }
}
