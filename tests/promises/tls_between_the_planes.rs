//! Off loopback, the planes speak TLS and nodes prove themselves; here with certificates made for the test.

use std::path::Path;

use anyhow::Result;
use penstock_tests::{Stack, anthropic_body};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};

/// A CA, and a certificate and key signed by it, written as PEM files.
fn certificates(folder: &Path) -> Result<()> {
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    std::fs::write(folder.join("ca.pem"), ca.pem())?;
    for name in ["server", "node"] {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params.signed_by(&key, &ca)?;
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem())?;
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

async fn works(stack: &Stack) -> Result<()> {
    let key = stack.prepare()?;
    stack.synced().await?;
    assert_eq!(
        stack
            .messages(0, &key, &anthropic_body("hello", false))
            .await?
            .status(),
        200
    );
    stack.ledger(1).await?;
    Ok(())
}

#[tokio::test]
async fn the_planes_speak_tls_with_a_node_token() -> Result<()> {
    let pki = tempfile::tempdir()?;
    certificates(pki.path())?;
    let (ca, cert, key) = (
        path(pki.path(), "ca.pem"),
        path(pki.path(), "server.pem"),
        path(pki.path(), "server.key"),
    );
    let stack = Stack::builder()
        .tls(&ca)
        .control_plane_flags(&["--tls-cert", &cert, "--tls-key", &key])
        .data_plane_flags(&["--tls-ca", &ca])
        .start()
        .await?;
    works(&stack).await
}

#[tokio::test]
async fn the_planes_speak_mutual_tls_without_a_node_token() -> Result<()> {
    let pki = tempfile::tempdir()?;
    certificates(pki.path())?;
    let ca = path(pki.path(), "ca.pem");
    let (cert, key) = (path(pki.path(), "server.pem"), path(pki.path(), "server.key"));
    let (node_cert, node_key) = (path(pki.path(), "node.pem"), path(pki.path(), "node.key"));
    let stack = Stack::builder()
        .tls(&ca)
        .without_node_token()
        .control_plane_flags(&["--tls-cert", &cert, "--tls-key", &key, "--tls-ca", &ca])
        .data_plane_flags(&["--tls-ca", &ca, "--tls-cert", &node_cert, "--tls-key", &node_key])
        .start()
        .await?;
    works(&stack).await
}

#[tokio::test]
async fn a_node_with_a_wrong_token_gets_no_snapshot_and_is_told_what_to_do() -> Result<()> {
    let mut stack = Stack::builder().data_planes(0).start().await?;
    stack.add_data_plane(&[], "a-wrong-node-token-0123456789abcdefghij")?;
    stack.data[0].spawn()?;
    stack.data[0].tells("node token").await?;
    let ready = format!("{}/health/ready", stack.data[0].admin_url);
    assert_eq!(stack.http.get(ready).send().await?.status(), 503);
    Ok(())
}
