//! Which providers are well, merged by several replicas.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_core::health::mark::Maker;
use penstock_core::health::{Circuit, State};
use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use penstock_store::{CredentialChange, FleetAction, FleetPut, FleetState, Store};
use tokio::task::JoinSet;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    b08_a_state_reads_back_as_it_was_written,
    b08_what_a_provider_said_can_be_stored_whatever_it_said,
    b08_only_versions_that_are_not_known_are_read,
    b08_replicas_that_merge_at_once_lose_nothing,
    b08_what_an_operator_did_is_kept,
    b08_a_provider_that_is_deleted_has_no_state,
    b08_news_of_a_state_comes_by_notification,
);

async fn provider(bench: &Bench) -> ProviderId {
    let put = put_provider(1, "main", CredentialChange::Keep);
    bench.store.commit(commit().with(put)).await.unwrap();
    provider_id(1)
}

fn open(model: &str, by: &str) -> State {
    let mut state = State::default();
    let maker = Maker {
        by,
        why: "five failures",
        now: NOW,
    };
    let circuit = Circuit::Open {
        until: UnixMs(NOW.0 + 1),
    };
    maker.mark(&mut state.entry_mut(model).unwrap().circuit, circuit);
    state
}

fn row(provider: ProviderId, version: u64, state: State) -> FleetState {
    FleetState {
        provider,
        version,
        state,
    }
}

async fn b08_what_a_provider_said_can_be_stored_whatever_it_said(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let mut state = open("mo\0del", "node-1");
    let circuit = state.entry_mut("mo\0del").unwrap().circuit.as_mut().unwrap();
    circuit.why = "half a \0 word".into();
    let put = store
        .put_fleet_state(&row(provider, 0, state), None, NOW)
        .await
        .unwrap();
    assert_eq!(put, FleetPut::Written(1));
    let read = read(store).await.remove(0).state;
    let circuit = read.entry("mo\u{FFFD}del").unwrap().circuit.as_ref().unwrap();
    assert_eq!(&*circuit.why, "half a \u{FFFD} word");
}

async fn read(store: &Arc<dyn Store>) -> Vec<FleetState> {
    store.fleet_states(&BTreeMap::new()).await.unwrap()
}

async fn b08_a_state_reads_back_as_it_was_written(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let first = row(provider, 0, open("", "node-1"));
    let put = store.put_fleet_state(&first, None, NOW).await.unwrap();
    assert_eq!(put, FleetPut::Written(1));
    assert_eq!(read(store).await, [row(provider, 1, open("", "node-1"))]);
    let put = store.put_fleet_state(&first, None, NOW).await.unwrap();
    assert_eq!(put, FleetPut::Overtaken, "it was not read");
    let reset = row(provider, 1, first.state.reset());
    let put = store.put_fleet_state(&reset, None, NOW).await.unwrap();
    assert_eq!(put, FleetPut::Written(2));
    assert_eq!(read(store).await, [row(provider, 2, first.state.reset())]);
}

async fn b08_only_versions_that_are_not_known_are_read(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let first = row(provider, 0, open("", "node-1"));
    store.put_fleet_state(&first, None, NOW).await.unwrap();
    let known = BTreeMap::from([(provider, 1)]);
    assert_eq!(store.fleet_states(&known).await.unwrap(), []);
    let old = BTreeMap::from([(provider, 7)]);
    assert_eq!(store.fleet_states(&old).await.unwrap().len(), 1);
}

async fn b08_replicas_that_merge_at_once_lose_nothing(bench: Bench) {
    let (provider, replica) = (provider(&bench).await, bench.another().await);
    let mut running = JoinSet::new();
    for n in 0..12 {
        let store = Arc::clone(if n % 2 == 0 { &bench.store } else { &replica });
        running.spawn(async move {
            loop {
                let known = read(&store).await.pop();
                let mut next = known.unwrap_or_else(|| row(provider, 0, State::default()));
                next.state.merge(&open(&format!("model-{n}"), "node-1"));
                match store.put_fleet_state(&next, None, NOW).await.unwrap() {
                    FleetPut::Written(_) => return,
                    FleetPut::Overtaken => {}
                    FleetPut::NoProvider => panic!("it is there"),
                }
            }
        });
    }
    running.join_all().await;
    let kept = read(&bench.store).await.pop().unwrap();
    assert_eq!((kept.version, kept.state.entries.len()), (12, 12));
    replica.close().await;
}

async fn b08_what_an_operator_did_is_kept(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let action = FleetAction {
        actor: "ann".to_owned(),
        action: "open",
        reason: "maintenance".to_owned(),
        model: String::new(),
    };
    let forced = row(provider, 0, open("", "ann"));
    let put = store.put_fleet_state(&forced, Some(&action), NOW).await;
    assert_eq!(put.unwrap(), FleetPut::Written(1));
    // One that was overtaken did not happen.
    let put = store.put_fleet_state(&forced, Some(&action), NOW).await;
    assert_eq!(put.unwrap(), FleetPut::Overtaken);
    // Fails if there is just that.
    let check = "INSERT INTO fleet_state_actions (id, at, actor, action, reason, provider_id, model, generation) \
                 SELECT id, at, actor, action, reason, provider_id, model, generation FROM fleet_state_actions \
                 WHERE actor = 'ann' AND action = 'open' AND reason = 'maintenance'";
    let mut twice = JoinSet::new();
    twice.spawn(async move { bench.execute(check.to_owned()).await });
    assert!(twice.join_next().await.unwrap().is_err(), "the same id twice");
}

async fn b08_a_provider_that_is_deleted_has_no_state(bench: Bench) {
    let (provider, store) = (provider(&bench).await, &bench.store);
    let first = row(provider, 0, open("", "node-1"));
    store.put_fleet_state(&first, None, NOW).await.unwrap();
    bench
        .store
        .commit(commit().with(delete(provider_ref(1))))
        .await
        .unwrap();
    assert_eq!(read(store).await, []);
    for version in [0, 1] {
        let late = row(provider, version, open("", "node-1"));
        let put = store.put_fleet_state(&late, None, NOW).await.unwrap();
        assert_eq!(put, FleetPut::NoProvider);
    }
}

async fn b08_news_of_a_state_comes_by_notification(bench: Bench) {
    let (provider, replica) = (provider(&bench).await, bench.another().await);
    let mut news = replica.notifications();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    news.mark_unchanged();
    let first = row(provider, 0, open("", "node-1"));
    bench.store.put_fleet_state(&first, None, NOW).await.unwrap();
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), news.changed()).await;
    match bench.store.backend() {
        penstock_store::Backend::Postgres => told.expect("an announcement").unwrap(),
        // Those of other processes on one SQLite file never come.
        penstock_store::Backend::Sqlite => {}
    }
    replica.close().await;
}
