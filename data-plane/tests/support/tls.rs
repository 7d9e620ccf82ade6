//! TLS in front of a fake provider: what comes out of it goes on as it is, so HTTP/2 is HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use penstock_core::provider::Provider;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// An edge that speaks HTTP/2 over TLS, as `localhost`. It ends with this.
pub(crate) struct TlsEdge {
    port: u16,
    ca_pem: String,
    connections: Arc<AtomicUsize>,
    _accepting: JoinSet<()>,
}

impl TlsEdge {
    pub(crate) async fn before(behind: SocketAddr) -> Self {
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
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(
            listener,
            TlsAcceptor::from(Arc::new(tls)),
            behind,
            Arc::clone(&connections),
        ));
        Self {
            port,
            ca_pem: cert.pem(),
            connections,
            _accepting: accepting,
        }
    }

    /// The provider, asked through this edge.
    pub(crate) fn provider(&self, mut provider: Provider) -> Provider {
        provider.base_urls = vec![format!("https://localhost:{}", self.port)];
        provider.outbound.ca_pem.clone_from(&self.ca_pem);
        provider
    }

    /// Opened so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    behind: SocketAddr,
    connections: Arc<AtomicUsize>,
) {
    let mut joined = JoinSet::new();
    while let Ok((tcp, _)) = listener.accept().await {
        let (acceptor, connections) = (acceptor.clone(), Arc::clone(&connections));
        joined.spawn(async move {
            let Ok(mut tls) = acceptor.accept(tcp).await else {
                return;
            };
            connections.fetch_add(1, Ordering::SeqCst);
            let mut plain = TcpStream::connect(behind).await.unwrap();
            drop(copy_bidirectional(&mut tls, &mut plain).await);
        });
    }
}
