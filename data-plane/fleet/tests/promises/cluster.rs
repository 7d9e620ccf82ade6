//! Redis as operators run it: a cluster, with a password, behind TLS.

use std::process::Command;
use std::time::Duration;

use futures::future::join_all;
use penstock_core::id::{ProviderId, UserId};
use penstock_core::limits::{Dimension, Limits};
use penstock_core::setting::Degraded;
use penstock_fleet::account::Account;
use penstock_fleet::{Enforcement, RedisState};
use tempfile::TempDir;

use crate::conformance::strict;
use crate::plane::{Held, Ledger, Plane, held, until};
use crate::server::{Redis, free_port};

/// Three masters.
struct Cluster {
    nodes: Vec<Redis>,
    _directories: Vec<TempDir>,
}

impl Cluster {
    async fn start() -> Self {
        let mut cluster = Self {
            nodes: Vec::new(),
            _directories: Vec::new(),
        };
        let ports: Vec<_> = (0..3)
            .map(|_| (free_port().unwrap(), free_port().unwrap()))
            .collect();
        for (port, bus) in &ports {
            let directory = tempfile::tempdir().unwrap();
            let (dir, bus) = (directory.path().to_str().unwrap(), bus.to_string());
            let words = ["--dir", dir, "--cluster-enabled", "yes", "--cluster-port", &bus];
            cluster.nodes.push(Redis::start_at(*port, &words).unwrap());
            cluster._directories.push(directory);
        }
        for (node, slots) in cluster
            .nodes
            .iter()
            .zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")])
        {
            node.answers().await;
            node.run(&["CLUSTER", "ADDSLOTSRANGE", slots.0, slots.1])
                .await
                .unwrap();
        }
        for (port, bus) in &ports[1..] {
            let (port, bus) = (port.to_string(), bus.to_string());
            cluster.nodes[0]
                .run(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])
                .await
                .unwrap();
        }
        for node in &cluster.nodes {
            until(async || {
                let info: String = node.ask(&["CLUSTER", "INFO"]).await.unwrap();
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
            .await;
        }
        cluster
    }

    fn urls(&self) -> String {
        let urls: Vec<_> = self.nodes.iter().map(|node| node.url.as_str()).collect();
        urls.join(",")
    }

    /// The keys of all nodes.
    async fn keys(&self) -> Vec<Vec<String>> {
        let keys = self
            .nodes
            .iter()
            .map(|node| async { node.ask(&["KEYS", "penstock:*"]).await.unwrap() });
        join_all(keys).await
    }
}

fn accounts() -> Vec<Account> {
    let users = (0..8).map(|n| Account::User(UserId::from_parts(n, &[1; 10])));
    let providers = (0..4).map(|n| Account::Provider(ProviderId::from_parts(n, &[2; 10])));
    users.chain(providers).collect()
}

fn of(account: Account) -> Held {
    let limits = Limits {
        rpm: 1000,
        concurrent_requests: 10,
        ..strict(1000)
    };
    Held {
        account,
        ..held(limits, Degraded::Closed, 1)
    }
}

#[tokio::test]
async fn d03_a_cluster_counts_each_account_on_one_of_its_nodes() {
    let cluster = Cluster::start().await;
    let ledger = Ledger::new();
    let one = Plane::at(&cluster.urls(), 1, &ledger);
    // One that is told of a single node finds the others.
    let two = Plane::at(&cluster.nodes[2].url, 2, &ledger);
    for plane in [&one, &two] {
        plane.joined().await;
    }
    for account in accounts() {
        let limited = of(account);
        let (here, there) = (
            one.admit(&limited, 30).await.unwrap(),
            two.admit(&limited, 40).await.unwrap(),
        );
        assert!(two.fleet.top_up(&there.1, 5).await);
        one.comes_to(&limited, Dimension::UsdTotal, (0, 75)).await;
        one.settle(&limited, &here, 10);
        two.settle(&limited, &there, 20);
        one.comes_to(&limited, Dimension::UsdTotal, (30, 0)).await;
        two.comes_to(&limited, Dimension::ConcurrentRequests, (0, 0))
            .await;
    }
    let keys = cluster.keys().await;
    assert!(keys.iter().all(|keys| keys.len() > 2), "{keys:?}");
    for account in accounts() {
        let tag = format!("{{{account}}}");
        let mut slots = Vec::new();
        for key in keys.iter().flatten().filter(|key| key.contains(&tag)) {
            let slot: u64 = cluster.nodes[0].ask(&["CLUSTER", "KEYSLOT", key]).await.unwrap();
            slots.push(slot);
        }
        assert!(slots.len() >= 2, "{account}");
        slots.dedup();
        assert_eq!(slots.len(), 1, "{account}");
    }
    assert_eq!(one.fleet.state(), RedisState::Connected);
}

#[tokio::test]
async fn d05_a_cluster_that_loses_a_node_is_set_aside_and_taken_up_again() {
    let cluster = Cluster::start().await;
    let plane = Plane::patient(&cluster.urls(), 1, &Ledger::new(), Duration::from_millis(500));
    plane.joined().await;
    cluster.nodes[1].signal("STOP").unwrap();
    let refused = async || {
        let calls = accounts().into_iter().map(|account| {
            let limited = of(account);
            let plane = &plane;
            async move { plane.admit(&limited, 1).await.is_err() }
        });
        join_all(calls).await.into_iter().all(|refused| refused)
    };
    until(refused).await;
    cluster.nodes[1].signal("CONT").unwrap();
    let passed = async || {
        let calls = accounts().into_iter().map(|account| {
            let limited = of(account);
            let plane = &plane;
            async move {
                match plane.admit(&limited, 1).await {
                    Ok(call) => {
                        plane.settle(&limited, &call, 0);
                        true
                    }
                    Err(_) => false,
                }
            }
        });
        join_all(calls).await.into_iter().all(|passed| passed)
    };
    until(passed).await;
}

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
            .args(["--exact", "cluster::over_tls", "--ignored", "--nocapture"])
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
