//! The registry's writer against a store that goes away.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::time::UnixMs;
use penstock_store::Head;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Health, NodeHandle, NodeRegistry, persist};
use crate::metrics::Metrics;
use crate::tests::fake_store::{FakeStore, epoch};
use crate::tests::identity;

struct Persisting {
    store: Arc<FakeStore>,
    registry: Arc<NodeRegistry>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

#[expect(clippy::disallowed_methods, reason = "joined by the tests that care")]
fn persisting() -> Persisting {
    let (store, registry) = (FakeStore::new(), Arc::new(NodeRegistry::new("cp-1".into())));
    let stop = CancellationToken::new();
    let writer = persist(
        Arc::clone(&registry),
        store.clone(),
        Arc::new(Metrics::default()),
        stop.clone(),
    );
    Persisting {
        store,
        registry,
        stop,
        task: tokio::spawn(writer),
    }
}

impl Persisting {
    fn connect(&self, id: &str) -> NodeHandle {
        self.registry
            .connect(identity(id), None, Vec::new(), crate::clock::now())
            .unwrap()
    }
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[tokio::test(start_paused = true)]
async fn g02_what_a_node_acknowledged_is_written_a_moment_later() {
    let it = persisting();
    let node = it.connect("a");
    a_moment().await;
    assert_eq!(it.store.node("a").unwrap().held, None);
    let held = Head {
        epoch: epoch(1),
        revision: 7,
    };
    node.acknowledged(held, Vec::new(), crate::clock::now());
    it.registry.report(
        "a",
        &Health {
            requests: 3,
            ..Health::default()
        },
        UnixMs(1),
    );
    a_moment().await;
    let row = it.store.node("a").unwrap();
    assert_eq!(row.held, Some(held));
    assert_eq!(row.health.unwrap()["requests"], 3);
    assert!(row.connected);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_left_is_written_as_gone_also_at_the_end() {
    let it = persisting();
    let (a, b) = (it.connect("a"), it.connect("b"));
    a_moment().await;
    drop(a);
    a_moment().await;
    assert!(!it.store.node("a").unwrap().connected);
    drop(b);
    it.stop.cancel();
    it.task.await.unwrap();
    assert!(!it.store.node("b").unwrap().connected);
}

#[tokio::test(start_paused = true)]
async fn g03_while_the_store_is_away_the_newest_state_waits() {
    let it = persisting();
    it.store.set_away(true);
    let node = it.connect("a");
    let gone = it.connect("b");
    let other = it.connect("c");
    other.acknowledged(
        Head {
            epoch: epoch(1),
            revision: 8,
        },
        Vec::new(),
        crate::clock::now(),
    );
    node.acknowledged(
        Head {
            epoch: epoch(1),
            revision: 7,
        },
        Vec::new(),
        crate::clock::now(),
    );
    drop(gone);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(it.store.node("a"), None);
    it.store.set_away(false);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(it.store.node("a").unwrap().held.unwrap().revision, 7);
    assert_eq!(it.store.node("c").unwrap().held.unwrap().revision, 8);
    assert!(!it.store.node("b").unwrap().connected);
}

#[tokio::test(start_paused = true)]
async fn nodes_of_other_replicas_count_as_live() {
    let it = persisting();
    it.store.set_others_live(2);
    let _node = it.connect("a");
    let mut live = it.registry.live();
    tokio::time::timeout(Duration::from_secs(10), live.wait_for(|live| *live == 3))
        .await
        .unwrap()
        .unwrap();
    it.store.set_others_live(0);
    tokio::time::timeout(Duration::from_secs(10), live.wait_for(|live| *live == 1))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_left_at_once_is_written_with_what_it_acknowledged() {
    let it = persisting();
    let node = it.connect("a");
    node.acknowledged(
        Head {
            epoch: epoch(1),
            revision: 7,
        },
        Vec::new(),
        crate::clock::now(),
    );
    drop(node);
    a_moment().await;
    let row = it.store.node("a").unwrap();
    assert_eq!((row.connected, row.held.unwrap().revision), (false, 7));
}
