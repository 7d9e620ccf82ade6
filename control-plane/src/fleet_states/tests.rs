use penstock_core::health::Circuit;
use penstock_core::health::mark::Maker;
use penstock_store::{CredentialChange, FleetAction};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::context::Context;
use crate::tests::fake_store::FakeStore;
use crate::tests::{commit, context, put_provider};

const NOW: UnixMs = UnixMs(1_800_000_000_000);

/// That of `provider_ref(1)`.
fn id() -> ProviderId {
    ProviderId::from_parts(1, &[1; 10])
}

fn open(model: &str) -> State {
    let mut state = State::default();
    let maker = Maker {
        by: "node-1",
        why: "",
        now: NOW,
    };
    let until = NOW.plus_ms(1_000);
    maker.mark(
        &mut state.entry_mut(model).unwrap().circuit,
        Circuit::Open { until },
    );
    state
}

struct Replicas {
    store: Arc<FakeStore>,
    first: Context,
    second: Context,
    _following: JoinSet<()>,
}

async fn replicas() -> Replicas {
    let store = FakeStore::new();
    commit(&store, put_provider(1, CredentialChange::Keep)).await;
    let (first, second) = (context(&store).await, context(&store).await);
    let mut following = JoinSet::new();
    for context in [&first, &second] {
        following.spawn(follow(context.clone(), CancellationToken::new()));
    }
    Replicas {
        store,
        first,
        second,
        _following: following,
    }
}

/// Waits until a replica knows so many models.
async fn knows(context: &Context, models: usize) {
    let mut changes = context.fleet_states.watch();
    let known = async {
        while context.fleet_states.get(id()).entries.len() != models {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), known)
        .await
        .expect("it knows");
}

#[tokio::test(start_paused = true)]
async fn b08_what_one_replica_is_told_the_other_knows() {
    let replicas = replicas().await;
    let began = tokio::time::Instant::now();
    replicas.first.fleet_states.report(id(), &open("a"), NOW);
    replicas.second.fleet_states.report(id(), &open("b"), NOW);
    knows(&replicas.first, 2).await;
    knows(&replicas.second, 2).await;
    assert!(
        began.elapsed() < std::time::Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    let again = context(&replicas.store).await;
    follow::refresh(&again).await.unwrap();
    assert_eq!(
        again.fleet_states.get(id()).entries.len(),
        2,
        "a restart loses nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn b08_while_the_store_is_away_a_replica_tells_its_own_nodes_and_writes_later() {
    let replicas = replicas().await;
    replicas.store.set_away(true);
    replicas.first.fleet_states.report(id(), &open("a"), NOW);
    assert_eq!(replicas.first.fleet_states.since(0).0.len(), 1);
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert!(replicas.second.fleet_states.since(0).0.is_empty());
    replicas.store.set_away(false);
    knows(&replicas.second, 1).await;
}

#[tokio::test(start_paused = true)]
async fn b08_a_state_that_cannot_be_stored_keeps_no_other_one_waiting() {
    let replicas = replicas().await;
    let second = ProviderId::from_parts(2, &[2; 10]);
    commit(&replicas.store, put_provider(2, CredentialChange::Keep)).await;
    replicas.store.refuse_state(Some(id()));
    replicas.first.fleet_states.report(id(), &open("a"), NOW);
    replicas.first.fleet_states.report(second, &open("b"), NOW);
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(replicas.second.fleet_states.get(second).entries.len(), 1);
    assert!(replicas.second.fleet_states.get(id()).entries.is_empty());
    replicas.store.refuse_state(None);
    knows(&replicas.second, 1).await;
}

#[tokio::test(start_paused = true)]
async fn b08_a_reset_is_in_force_everywhere_and_late_reports_are_ignored() {
    let replicas = replicas().await;
    replicas.first.fleet_states.report(id(), &open("a"), NOW);
    knows(&replicas.second, 1).await;
    let action = FleetAction {
        actor: "ann".to_owned(),
        action: "reset",
        reason: String::new(),
        model: String::new(),
    };
    let done = act(&replicas.second, id(), &action, State::reset).await.unwrap();
    assert!(matches!(done, Act::Done { .. }));
    knows(&replicas.first, 0).await;
    let (_, change) = replicas.first.fleet_states.since(0);
    replicas.first.fleet_states.report(id(), &open("a"), NOW);
    assert_eq!(
        replicas.first.fleet_states.since(change).1,
        change,
        "nothing changed"
    );
    let other = ProviderId::from_parts(9, &[9; 10]);
    let gone = act(&replicas.first, other, &action, State::reset).await.unwrap();
    assert!(matches!(gone, Act::NoProvider));
}

#[tokio::test(start_paused = true)]
async fn states_of_providers_that_are_gone_are_forgotten() {
    let replicas = replicas().await;
    let other = ProviderId::from_parts(9, &[9; 10]);
    replicas.first.fleet_states.report(other, &open(""), NOW);
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert!(replicas.first.fleet_states.since(0).0.is_empty());
}
