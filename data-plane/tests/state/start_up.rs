//! Starting: who may talk to whom, and faults explained.

use std::path::Path;

use clap::Parser;
use penstock_data_plane::config::{Config, ControlPlane};
use penstock_data_plane::link::Link;
use penstock_data_plane::run::Listeners;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::support::control_plane::{FakeControlPlane, within};
use crate::support::node::NodeBuilder;
use crate::support::resources::{full, user};

const TOKEN: &str = "a-node-token-of-at-least-32-characters";

/// The link that these flags make, with the token in a file.
fn link(directory: &Path, token: &str, flags: &[&str]) -> Link {
    let file = directory.join("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let fixed = ["data-plane", "--node-token-file", file.to_str().unwrap()];
    let config = Config::try_parse_from(fixed.into_iter().chain(flags.iter().copied())).unwrap();
    Link::network(&ControlPlane::new(&config.control_plane).unwrap()).unwrap()
}

#[tokio::test]
async fn a_node_proves_itself_with_its_token() {
    let (secrets, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut control_plane = FakeControlPlane::with_token(TOKEN);
    let url = format!("http://127.0.0.1:{}", control_plane.listen(None).await);
    let link = link(secrets.path(), TOKEN, &["--control-plane", &url]);
    let node = NodeBuilder::linked(data.path(), link).start().await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1)])).await;
    control_plane.report().await.begin(1, 1).await;
    node.stop().await;
}

#[tokio::test]
async fn a_node_with_a_wrong_token_goes_on_trying_and_is_not_ready() {
    let (secrets, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut control_plane = FakeControlPlane::with_token(TOKEN);
    let url = format!("http://127.0.0.1:{}", control_plane.listen(None).await);
    let link = link(
        secrets.path(),
        "another-token-of-at-least-32-characters",
        &["--control-plane", &url],
    );
    let node = NodeBuilder::linked(data.path(), link).start().await;
    let refused = async {
        while control_plane.refused() < 2 {
            tokio::task::yield_now().await;
        }
    };
    within("being refused", refused).await;
    assert!(!node.app.ready.is_set());
    node.stop().await;
}

#[tokio::test]
async fn off_loopback_the_connection_is_tls_checked_against_the_given_authority() {
    let (secrets, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem());
    let mut control_plane = FakeControlPlane::with_token(TOKEN);
    let port = control_plane
        .listen(Some(ServerTlsConfig::new().identity(identity)))
        .await;
    let ca = secrets.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let url = format!("https://localhost:{port}");
    let trusting = link(
        secrets.path(),
        TOKEN,
        &["--control-plane", &url, "--tls-ca", ca.to_str().unwrap()],
    );
    let node = NodeBuilder::linked(data.path(), trusting).start().await;
    control_plane.sync().await.hello().await;
    node.stop().await;
}

#[tokio::test]
async fn a_client_certificate_proves_a_node_as_well() {
    let (secrets, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let client = rcgen::generate_simple_self_signed(vec!["node".to_owned()]).unwrap();
    let files = [
        ("ca", server.cert.pem()),
        ("cert", client.cert.pem()),
        ("key", client.signing_key.serialize_pem()),
    ];
    let paths = files.map(|(name, pem)| {
        let path = secrets.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let identity = Identity::from_pem(server.cert.pem(), server.signing_key.serialize_pem());
    let tls = ServerTlsConfig::new()
        .identity(identity)
        .client_ca_root(Certificate::from_pem(client.cert.pem()));
    let mut control_plane = FakeControlPlane::start();
    let url = format!("https://localhost:{}", control_plane.listen(Some(tls)).await);
    let [ca, cert, key] = &paths;
    let flags = [
        "data-plane",
        "--control-plane",
        &url,
        "--tls-ca",
        ca,
        "--tls-cert",
        cert,
        "--tls-key",
        key,
    ];
    let config = Config::try_parse_from(flags).unwrap();
    let link = Link::network(&ControlPlane::new(&config.control_plane).unwrap()).unwrap();
    let node = NodeBuilder::linked(data.path(), link).start().await;
    control_plane.sync().await.hello().await;
    node.stop().await;
}

#[tokio::test]
async fn several_control_planes_are_tried_in_turn() {
    let (secrets, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut control_plane = FakeControlPlane::with_token(TOKEN);
    let urls = format!(
        "http://127.0.0.1:1,http://127.0.0.1:{}",
        control_plane.listen(None).await
    );
    let node = NodeBuilder::linked(
        data.path(),
        link(secrets.path(), TOKEN, &["--control-plane", &urls]),
    )
    .start()
    .await;
    control_plane.sync().await.hello().await;
    node.stop().await;
}

#[tokio::test]
async fn g15_two_data_planes_on_one_directory_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = NodeBuilder::alone(directory.path()).start().await;
    let second = NodeBuilder::alone(directory.path()).try_start().await;
    let text = second.err().unwrap().to_string();
    assert!(text.contains("another data plane"), "{text}");
    first.stop().await;
    NodeBuilder::alone(directory.path()).start().await.stop().await;
}

#[tokio::test]
async fn g15_a_taken_port_names_its_flag() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let config = Config::try_parse_from([
        "data-plane",
        "--listen",
        "127.0.0.1:0",
        "--listen-admin",
        &address,
    ])
    .unwrap();
    let text = Listeners::bind(&config.traffic).await.err().unwrap().to_string();
    assert!(
        text.contains("--listen-admin") && text.contains("another process"),
        "{text}"
    );
}

#[tokio::test]
async fn g15_a_bad_redis_url_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    let bad = NodeBuilder::alone(directory.path())
        .flag("--redis-url", "http://user:hunter2@h")
        .try_start()
        .await;
    let text = bad.err().unwrap().to_string();
    assert!(text.contains("redis://") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn d05_an_absent_redis_is_a_warning_and_the_node_serves() {
    let (directory, control_plane) = (tempfile::tempdir().unwrap(), FakeControlPlane::start());
    let node = NodeBuilder::new(directory.path(), &control_plane)
        .flag("--redis-url", "redis://127.0.0.1:1")
        .start()
        .await;
    let mut stream = control_plane.sync().await;
    stream.hello().await;
    stream.push(full(1, vec![user(1)])).await;
    let (status, body) = node.get("/health").await;
    assert_eq!(status, 200);
    assert!(body.contains("Redis is away"), "{body}");
    node.stop().await;
}
