//! One provider against servers of its own: several base URLs, HTTP/2, authorities, connections that are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, Request, Version};
use http_body_util::Empty;
use hyper::service::service_fn;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use penstock_core::dialect::{Dialect, Operation};
use penstock_core::id::{Epoch, ProviderId};
use penstock_core::provider::Provider;
use penstock_core::resource::{ProviderSpec, Resource, ResourceRef, SCHEMA, Spec};
use penstock_core::secret::Secret;
use penstock_core::snapshot::{Snapshot, Update, Upsert};
use penstock_dialect::upstream_path::Wanted;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::caches::CacheCounts;
use crate::proxy::Tracked;
use crate::upstream::{Cause, SendBody, Targets, cause};

use super::*;

/// A TLS server for `localhost` that speaks both versions, and counts its connections.
struct Server {
    port: u16,
    ca_pem: String,
    connections: Arc<AtomicUsize>,
}

fn messages(beta: bool) -> Wanted<'static> {
    Wanted {
        dialect: Dialect::Anthropic,
        operation: Operation::Generate,
        model: "m",
        stream: false,
        beta,
    }
}

impl Server {
    async fn start() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let chain = vec![CertificateDer::from(cert.der().to_vec())];
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            ca_pem: cert.pem(),
            connections: Arc::default(),
        };
        let connections = Arc::clone(&server.connections);
        TaskTracker::new().spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let Ok(tls) = acceptor.accept(tcp).await else {
                    continue;
                };
                connections.fetch_add(1, Ordering::SeqCst);
                TaskTracker::new().spawn(async move {
                    let answer = service_fn(|_| async {
                        Ok::<_, hyper::Error>(http::Response::new(Empty::<Bytes>::new()))
                    });
                    let serving = auto::Builder::new(TokioExecutor::new());
                    drop(serving.serve_connection(TokioIo::new(tls), answer).await);
                });
            }
        });
        server
    }

    fn provider(&self) -> Provider {
        let url = format!("https://localhost:{}", self.port);
        let mut provider = Provider::new("p", ProviderKind::Anthropic, url);
        provider.outbound.ca_pem.clone_from(&self.ca_pem);
        provider
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn clients() -> Clients {
    Clients::new(Tracked::new(TaskTracker::new(), CancellationToken::new())).unwrap()
}

fn entry(version: u64, provider: Provider) -> ProviderEntry {
    ProviderEntry {
        id: ProviderId::from_parts(1, &[1; 10]),
        version,
        provider,
        credential: Some(penstock_core::credential::Credential::ApiKey(Secret::new("sk-1"))),
        proxy_password: None,
    }
}

async fn call(endpoint: &Endpoint) -> Result<Version, legacy::Error> {
    let uri = endpoint.uri(&messages(false)).unwrap();
    let request = || {
        let mut request = Request::new(SendBody::default());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        Ok::<_, legacy::Error>(request)
    };
    let answer = endpoint.send(request).await?;
    let version = answer.version();
    // To its end, so that the connection is idle again.
    http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap();
    Ok(version)
}

#[tokio::test]
async fn b10_an_authority_of_the_providers_own_is_trusted_and_no_other() {
    let server = Server::start().await;
    let target = Target::new(&entry(1, server.provider()), (&clients(), Reach::Local), None).unwrap();
    assert!(call(&target.endpoints()[0]).await.is_ok());
    let mut provider = server.provider();
    provider.outbound.ca_pem.clear();
    let target = Target::new(&entry(1, provider), (&clients(), Reach::Local), None).unwrap();
    let error = call(&target.endpoints()[0]).await.unwrap_err();
    assert_eq!(cause(&error), Cause::Tls, "{error:?}");
}

#[tokio::test]
async fn http_2_is_spoken_where_tls_negotiates_it_and_the_operator_lets_it() {
    let server = Server::start().await;
    let target = Target::new(&entry(1, server.provider()), (&clients(), Reach::Local), None).unwrap();
    assert_eq!(call(&target.endpoints()[0]).await.unwrap(), Version::HTTP_2);
    let mut provider = server.provider();
    provider.outbound.http2 = false;
    let target = Target::new(&entry(2, provider), (&clients(), Reach::Local), Some(&target)).unwrap();
    assert_eq!(call(&target.endpoints()[0]).await.unwrap(), Version::HTTP_11);
}

#[tokio::test]
async fn connections_are_kept_over_changes_that_do_not_matter_to_them() {
    let server = Server::start().await;
    let clients = clients();
    let first = Target::new(&entry(1, server.provider()), (&clients, Reach::Local), None).unwrap();
    call(&first.endpoints()[0]).await.unwrap();
    let mut provider = server.provider();
    provider.weight = 9;
    provider.base_urls.insert(0, "https://elsewhere.example".into());
    let second = Target::new(
        &entry(2, provider.clone()),
        (&clients, Reach::Local),
        Some(&first),
    )
    .unwrap();
    call(&second.endpoints()[1]).await.unwrap();
    assert_eq!(server.connections(), 1);
    provider.timeouts.connect_ms = Some(1_234);
    let third = Target::new(&entry(3, provider), (&clients, Reach::Local), Some(&second)).unwrap();
    call(&third.endpoints()[1]).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_call_that_goes_by_an_older_snapshot_replaces_and_drops_nothing() {
    let targets = Targets::new(clients(), Reach::Local, CacheCounts::default());
    let other = ProviderEntry {
        id: ProviderId::from_parts(2, &[2; 10]),
        ..entry(1, Provider::new("q", ProviderKind::Anthropic, "https://b"))
    };
    let main = |version| entry(version, Provider::new("p", ProviderKind::Anthropic, "https://a"));
    let (old, new) = (snapshot(1, &[main(1)]), snapshot(2, &[main(2), other.clone()]));
    let newest = targets.get(&new, &main(2)).unwrap();
    let others = targets.get(&new, &other).unwrap();
    assert_eq!(targets.get(&old, &main(1)).unwrap().version, 1);
    assert!(Arc::ptr_eq(&newest, &targets.get(&new, &main(2)).unwrap()));
    assert!(Arc::ptr_eq(&others, &targets.get(&new, &other).unwrap()));
}

fn snapshot(revision: u64, providers: &[ProviderEntry]) -> Snapshot {
    let resource = |entry: &ProviderEntry| Resource {
        reference: ResourceRef::Provider(entry.id),
        version: entry.version,
        min_schema: SCHEMA,
        spec: Spec::Provider(Box::new(ProviderSpec {
            provider: entry.provider.clone(),
            credential: None,
            proxy_password: None,
        })),
    };
    let update = Update {
        epoch: Epoch::from_parts(1, &[9; 10]),
        full: true,
        from_revision: 0,
        to_revision: revision,
        upserts: providers.iter().map(resource).map(Upsert::Resource).collect(),
        removals: Vec::new(),
    };
    Snapshot::default().apply(update).unwrap().0
}

#[tokio::test]
async fn b01_each_base_url_is_an_endpoint_with_an_error_of_its_own() {
    let server = Server::start().await;
    let dead = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let mut provider = server.provider();
    provider.base_urls.insert(0, format!("http://{dead}/prefix"));
    provider.base_urls.push("http://no-such-name.invalid".into());
    let target = Target::new(&entry(1, provider), (&clients(), Reach::Local), None).unwrap();
    let [dead, good, nameless] = target.endpoints() else {
        panic!("three endpoints");
    };
    let uri = dead.uri(&messages(true)).unwrap();
    assert_eq!(uri.path(), "/prefix/v1/messages");
    assert_eq!(cause(&call(dead).await.unwrap_err()), Cause::Refused);
    assert!(call(good).await.is_ok());
    assert_eq!(cause(&call(nameless).await.unwrap_err()), Cause::Dns);
}

#[test]
fn a_broken_authority_is_told_to_operators() {
    let mut provider = Provider::new("p", ProviderKind::Anthropic, "https://h");
    provider.outbound.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into();
    let bad = Target::new(&entry(1, provider), (&clients(), Reach::Local), None)
        .err()
        .unwrap();
    assert!(bad.to_string().contains("authorities"), "{bad}");
}

#[tokio::test]
async fn s02_a_node_may_be_held_to_public_providers() {
    let server = Server::start().await;
    let target = Target::new(&entry(1, server.provider()), (&clients(), Reach::Public), None).unwrap();
    let refused = call(&target.endpoints()[0]).await.err().unwrap();
    assert!(format!("{refused:?}").contains("Forbidden"), "{refused:?}");
    assert_eq!(server.connections(), 0);
}
