//! Opening a connection: name, TCP, proxy and TLS within one timeout, to an address that may be dialled.
//!
//! The resolver gives out checked addresses only, so what was checked is what is dialled. A host that is written as
//! an address never reaches the resolver and is checked before.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use penstock_core::provider::AddressFamily;
use tower_service::Service;

use super::address::{ForbiddenAddress, Reach};

/// Errors of connectors, as hyper passes them on.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// No connection. The text names addresses: for logs, not for callers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("no connection after {0:?}; is the address right, and does a firewall let it through?")]
    Timeout(Duration),
    #[error(transparent)]
    Forbidden(#[from] ForbiddenAddress),
    #[error("the name {0:?} has no address")]
    NoAddress(String),
    #[error("the name {0:?} has no IPv4 address, and only such are dialled; see --address-family")]
    NoIpv4(String),
    #[error("the name {name:?} cannot be looked up")]
    Lookup { name: String, source: BoxError },
    /// Nothing was said to it yet, so that another way may be tried.
    #[error("the proxy {proxy} cannot be reached")]
    ProxyUnreachable { proxy: Arc<str>, source: BoxError },
    /// Its own text says whether it was the credentials, or the way from it to the target.
    #[error("the proxy {proxy} gives no connection")]
    ProxyRefused { proxy: Arc<str>, source: BoxError },
}

/// Looks names up and drops the addresses that may not be dialled.
#[derive(Clone, Debug)]
pub(super) struct CheckedResolver {
    inner: GaiResolver,
    family: AddressFamily,
    reach: Reach,
}

/// A connector that gives up after a while and refuses forbidden literal addresses.
#[derive(Clone, Debug)]
pub(super) struct Bounded<C> {
    inner: C,
    timeout: Duration,
    reach: Reach,
}

impl CheckedResolver {
    pub(super) fn new(family: AddressFamily, reach: Reach) -> Self {
        Self {
            inner: GaiResolver::new(),
            family,
            reach,
        }
    }

    pub(super) async fn look_up(mut self, name: Name) -> Result<Vec<SocketAddr>, ConnectError> {
        let host = name.as_str().to_owned();
        match self.inner.call(name).await {
            Ok(found) => checked(&host, (self.family, self.reach), found),
            Err(error) => Err(ConnectError::Lookup {
                name: host,
                source: error.into(),
            }),
        }
    }
}

impl Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let looking = self.clone().look_up(name);
        Box::pin(async move { Ok(looking.await?.into_iter()) })
    }
}

/// The addresses that may be dialled; an error when there is none.
fn checked(
    host: &str,
    (family, reach): (AddressFamily, Reach),
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, ConnectError> {
    let mut refused = None;
    let mut other_family = false;
    let wanted = |found: &SocketAddr| match family {
        AddressFamily::Any => true,
        AddressFamily::Ipv4 => found.is_ipv4(),
    };
    let allowed: Vec<_> = found
        .filter(|found| {
            other_family |= !wanted(found);
            wanted(found)
        })
        .filter(|found| reach.check(found.ip()).map_err(|e| refused = Some(e)).is_ok())
        .collect();
    match (allowed.is_empty(), refused) {
        (false, _) => Ok(allowed),
        (true, Some(refused)) => Err(refused.into()),
        (true, None) if other_family => Err(ConnectError::NoIpv4(host.to_owned())),
        (true, None) => Err(ConnectError::NoAddress(host.to_owned())),
    }
}

impl<C> Bounded<C> {
    pub(super) fn new(inner: C, timeout: Duration, reach: Reach) -> Self {
        Self {
            inner,
            timeout,
            reach,
        }
    }
}

impl<C> Service<Uri> for Bounded<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Response: Send + 'static,
    C::Error: Into<BoxError> + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if let Some(Err(forbidden)) = uri.host().map(|host| self.reach.check_host(host)) {
            return Box::pin(std::future::ready(Err(ConnectError::from(forbidden).into())));
        }
        let timeout = self.timeout;
        let connecting = tokio::time::timeout(timeout, self.inner.call(uri));
        Box::pin(async move {
            let connected = connecting.await.map_err(|_| ConnectError::Timeout(timeout))?;
            connected.map_err(Into::into)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: (AddressFamily, Reach) = (AddressFamily::Any, Reach::Local);

    fn addresses(of: &[&str]) -> impl Iterator<Item = SocketAddr> {
        of.iter()
            .map(|text| text.parse().unwrap())
            .collect::<Vec<_>>()
            .into_iter()
    }

    #[test]
    fn s02_a_name_that_leads_to_a_metadata_address_is_not_dialled() {
        let any = (AddressFamily::Any, Reach::Local);
        let error = checked("evil.example", any, addresses(&["169.254.169.254:443"])).unwrap_err();
        assert!(matches!(error, ConnectError::Forbidden(_)), "{error}");
        let mixed = checked(
            "half.example",
            any,
            addresses(&["169.254.169.254:443", "192.0.2.1:443"]),
        );
        assert_eq!(mixed.unwrap(), ["192.0.2.1:443".parse().unwrap()]);
    }

    #[test]
    fn a_name_without_an_address_is_named() {
        let error = checked("nowhere.example", ANY, addresses(&[])).unwrap_err();
        assert!(error.to_string().contains("nowhere.example"));
    }

    #[test]
    fn b10_only_ipv4_is_dialled_where_the_operator_says_so() {
        let both = || addresses(&["[2001:db8::1]:443", "192.0.2.1:443"]);
        let found = checked("both.example", (AddressFamily::Ipv4, Reach::Local), both());
        assert_eq!(found.unwrap(), ["192.0.2.1:443".parse().unwrap()]);
        assert_eq!(checked("both.example", ANY, both()).unwrap().len(), 2);
        let six = addresses(&["[2001:db8::1]:443"]);
        let error = checked("six.example", (AddressFamily::Ipv4, Reach::Local), six).unwrap_err();
        assert!(matches!(error, ConnectError::NoIpv4(_)), "{error}");
    }

    #[derive(Clone)]
    struct Never;

    impl Service<Uri> for Never {
        type Response = ();
        type Error = BoxError;
        type Future = std::future::Pending<Result<(), BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Uri) -> Self::Future {
            std::future::pending()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn c01_connecting_ends_with_its_timeout() {
        let mut connector = Bounded::new(Never, Duration::from_secs(10), Reach::Local);
        let error = connector
            .call(Uri::from_static("http://192.0.2.1"))
            .await
            .unwrap_err();
        let error = error.downcast::<ConnectError>().unwrap();
        assert!(matches!(*error, ConnectError::Timeout(_)), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn s02_a_forbidden_literal_address_is_not_even_tried() {
        let mut connector = Bounded::new(Never, Duration::from_secs(10), Reach::Local);
        let uri = Uri::from_static("http://[::ffff:169.254.169.254]/");
        let error = connector.call(uri).await.unwrap_err();
        assert!(
            error
                .downcast_ref::<ConnectError>()
                .is_some_and(|e| matches!(e, ConnectError::Forbidden(_)))
        );
    }

    #[test]
    fn s02_a_name_that_leads_inside_is_not_dialled_where_only_the_public_web_may_be() {
        let public = (AddressFamily::Any, Reach::Public);
        let error = checked("rebound.example", public, addresses(&["10.0.0.1:443"])).unwrap_err();
        assert!(matches!(error, ConnectError::Forbidden(_)), "{error}");
        let mixed = checked(
            "half.example",
            public,
            addresses(&["127.0.0.1:443", "192.0.2.1:443"]),
        );
        assert_eq!(mixed.unwrap(), ["192.0.2.1:443".parse().unwrap()]);
    }
}
