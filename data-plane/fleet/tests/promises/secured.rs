//! Redis with a password, and behind TLS.

use std::process::Command;
use std::time::Duration;

use penstock_core::limits::Dimension;
use penstock_core::setting::Degraded;
use penstock_fleet::Enforcement;

use crate::cluster::{accounts, of};
use crate::plane::{Ledger, Plane};
use crate::server::{Redis, free_port};

async fn counts(plane: &Plane, account: usize) {
    plane.joined().await;
    let limited = of(accounts()[account]);
    let call = plane.admit(&limited, 30).await.unwrap();
    plane.settle(&limited, &call, 20);
    plane.comes_to(&limited, Dimension::UsdTotal, (20, 0)).await;
}

#[tokio::test]
async fn d05_a_redis_with_a_password_is_signed_in_to() {
    let port = free_port().unwrap();
    let _server = Redis::start_at(port, &["--requirepass", "hunter2"]).unwrap();
    let plane = |credentials: &str, name| {
        Plane::at(
            &format!("redis://{credentials}127.0.0.1:{port}/1"),
            name,
            &Ledger::new(),
        )
    };
    counts(&plane(":hunter2@", 1), 1).await;
    counts(&plane("default:hunter2@", 2), 2).await;
    for credentials in ["", ":hunter3@"] {
        let plane = plane(credentials, 3);
        let limited = of(accounts()[0]);
        assert!(plane.admit(&limited, 30).await.is_err());
        assert_eq!(
            plane.fleet.enforcement(limited.policy),
            Enforcement::Degraded(Degraded::Closed)
        );
    }
}

/// Where the test of TLS finds its Redis, when it runs as a process of its own, and for how long it tries; seconds.
const TLS_URL: &str = "PENSTOCK_TEST_REDIS_TLS";
const PATIENCE: &str = "PENSTOCK_TEST_PATIENCE";

#[tokio::test]
async fn d05_a_redis_behind_tls_is_reached_when_its_authority_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(file("cert.pem"), key.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), key.signing_key.serialize_pem()).unwrap();
    let (plain, port) = (free_port().unwrap(), free_port().unwrap().to_string());
    let (cert, secret) = (file("cert.pem"), file("key.pem"));
    let words = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &secret,
    ];
    let server = Redis::start_at(plain, &[&words[..], &["--tls-auth-clients", "no"]].concat()).unwrap();
    server.answers().await;
    // The authority is given as OpenSSL's users do it; only a new process looks at it.
    let url = format!("rediss://localhost:{port}");
    let passes = |authority: &str, patience: &str| {
        let me = std::env::current_exe().unwrap();
        Command::new(me)
            .args(["--exact", "secured::over_tls", "--ignored", "--nocapture"])
            .env(TLS_URL, &url)
            .env(PATIENCE, patience)
            .env("SSL_CERT_FILE", authority)
            .output()
            .unwrap()
    };
    let known = passes(&cert, "60");
    assert!(known.status.success(), "{known:?}");
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(file("other.pem"), other.cert.pem()).unwrap();
    assert!(!passes(&file("other.pem"), "3").status.success());
}

#[tokio::test]
#[ignore = "runs as a part of the test above"]
async fn over_tls() {
    let plane = Plane::at(&std::env::var(TLS_URL).unwrap(), 1, &Ledger::new());
    let patience = Duration::from_secs(std::env::var(PATIENCE).unwrap().parse().unwrap());
    tokio::time::timeout(patience, counts(&plane, 0)).await.unwrap();
}
