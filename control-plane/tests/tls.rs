//! gRPC under TLS: nodes by client certificate or by token.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::node_client::Node;
use crate::plane::{NODE, Plane, Start, dir};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Certificate and key, PEM.
    fn issue(&self, usage: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    async fn plane(&self, dir: &Path) -> Plane {
        let (certificate, key) = self.issue(ExtendedKeyUsagePurpose::ServerAuth);
        let files = [
            ("cert.pem", certificate),
            ("key.pem", key),
            ("ca.pem", self.0.pem()),
        ];
        for (name, content) in &files {
            std::fs::write(dir.join(name), content).unwrap();
        }
        let start = Start::in_dir(dir)
            .with("--tls-cert", dir.join("cert.pem"))
            .with("--tls-key", dir.join("key.pem"));
        start.with("--tls-ca", dir.join("ca.pem")).run().await
    }

    fn client(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(self.0.pem()))
            .domain_name("localhost")
    }
}

async fn channel(plane: &Plane, tls: ClientTlsConfig) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("https://{}", plane.grpc)).unwrap();
    endpoint.tls_config(tls).unwrap().connect().await
}

#[tokio::test]
async fn a_client_certificate_makes_a_node() {
    let (dir, authority) = (dir(), Authority::new());
    let plane = authority.plane(dir.path()).await;
    let (certificate, key) = authority.issue(ExtendedKeyUsagePurpose::ClientAuth);
    let tls = authority.client().identity(Identity::from_pem(certificate, key));
    let mut node = Node::fresh(channel(&plane, tls).await.unwrap(), None, "a")
        .await
        .unwrap();
    assert!(node.apply().await.full);
    plane.stop().await;
}

#[tokio::test]
async fn without_a_certificate_a_token_is_needed() {
    let (dir, authority) = (dir(), Authority::new());
    let plane = authority.plane(dir.path()).await;
    let channel = channel(&plane, authority.client()).await.unwrap();
    let refused = Node::fresh(channel.clone(), None, "a").await.err().unwrap();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(
        Node::fresh(channel, Some(NODE), "a")
            .await
            .unwrap()
            .apply()
            .await
            .full
    );
    plane.stop().await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_let_in() {
    let (dir, authority) = (dir(), Authority::new());
    let plane = authority.plane(dir.path()).await;
    let (certificate, key) = Authority::new().issue(ExtendedKeyUsagePurpose::ClientAuth);
    let tls = authority.client().identity(Identity::from_pem(certificate, key));
    let let_in = match channel(&plane, tls).await {
        Ok(channel) => Node::fresh(channel, None, "a").await.is_ok(),
        Err(_) => false,
    };
    assert!(!let_in);
    plane.stop().await;
}

#[tokio::test]
async fn g15_tls_files_that_do_not_fit_are_a_fault_of_the_start() {
    let dir = dir();
    std::fs::write(dir.path().join("junk.pem"), "junk").unwrap();
    let junk = || dir.path().join("junk.pem");
    let fault = Start::in_dir(dir.path())
        .with("--tls-cert", junk())
        .with("--tls-key", junk())
        .fault()
        .await;
    assert!(fault.contains("--tls-cert"), "{fault}");
}
