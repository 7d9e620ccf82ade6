//! A cluster of three: each account on one of its nodes.

use std::time::Duration;

use futures::future::join_all;
use penstock_core::id::{ProviderId, UserId};
use penstock_core::limits::{Dimension, Limits};
use penstock_core::setting::Degraded;
use penstock_fleet::RedisState;
use penstock_fleet::account::Account;
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

pub(crate) fn accounts() -> Vec<Account> {
    let users = (0..8).map(|n| Account::User(UserId::from_parts(n, &[1; 10])));
    let providers = (0..4).map(|n| Account::Provider(ProviderId::from_parts(n, &[2; 10])));
    users.chain(providers).collect()
}

pub(crate) fn of(account: Account) -> Held {
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
