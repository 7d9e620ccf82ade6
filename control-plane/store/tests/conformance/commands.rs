//! Commands that go through the database.

use std::sync::Arc;

use penstock_core::time::UnixMs;
use penstock_store::{NodeAnswer, NodeCommand};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::bench::{Bench, on_both};
use crate::build::NOW;

on_both!(
    a_command_is_taken_by_one_replica_only,
    an_answer_is_read_by_the_replica_that_asked,
    old_commands_are_neither_given_out_nor_kept,
    too_many_waiting_commands_are_refused,
    news_of_a_command_comes_by_notification,
);

async fn a_command_is_taken_by_one_replica_only(bench: Bench) {
    let replica = bench.another().await;
    for n in 0..20 {
        assert!(
            bench
                .store
                .post_command(Uuid::from_u128(n), b"read", NOW)
                .await
                .unwrap()
        );
    }
    let mut running = JoinSet::new();
    for i in 0..6 {
        let store = Arc::clone(if i % 2 == 0 { &bench.store } else { &replica });
        running.spawn(async move { store.take_commands("cp", 10, NOW).await.unwrap() });
    }
    let mut taken: Vec<u128> = running
        .join_all()
        .await
        .into_iter()
        .flatten()
        .map(|c| c.id.as_u128())
        .collect();
    taken.extend(
        bench
            .store
            .take_commands("cp", 100, NOW)
            .await
            .unwrap()
            .into_iter()
            .map(|c| c.id.as_u128()),
    );
    taken.sort_unstable();
    assert_eq!(taken, (0..20).collect::<Vec<u128>>());
    replica.close().await;
}

async fn an_answer_is_read_by_the_replica_that_asked(bench: Bench) {
    let (id, replica) = (Uuid::from_u128(1), bench.another().await);
    bench.store.post_command(id, b"read", NOW).await.unwrap();
    let taken = replica.take_commands("cp-2", 10, NOW).await.unwrap();
    let request = b"read".to_vec();
    assert_eq!(taken, [NodeCommand { id, request }]);
    assert_eq!(bench.store.command_answer(id).await.unwrap(), None);
    let answer = NodeAnswer {
        node: "node-1".to_owned(),
        answer: b"much".to_vec(),
    };
    replica.answer_command(id, &answer).await.unwrap();
    assert_eq!(
        bench.store.command_answer(id).await.unwrap(),
        Some(answer.clone())
    );
    // Nobody waits for this one any more.
    replica.answer_command(Uuid::from_u128(2), &answer).await.unwrap();
    replica.close().await;
}

async fn old_commands_are_neither_given_out_nor_kept(bench: Bench) {
    let store = &bench.store;
    let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
    store.post_command(old, b"old", NOW).await.unwrap();
    let later = NOW.plus_ms(61_000);
    assert_eq!(store.take_commands("cp", 10, later).await.unwrap(), []);
    store.post_command(new, b"new", later).await.unwrap();
    let taken = store.take_commands("cp", 10, UnixMs(0)).await.unwrap();
    assert_eq!(taken.iter().map(|c| c.id).collect::<Vec<_>>(), [new]);
}

async fn too_many_waiting_commands_are_refused(bench: Bench) {
    let store = &bench.store;
    let mut posted = 0;
    while store
        .post_command(Uuid::from_u128(posted), b"x", NOW)
        .await
        .unwrap()
    {
        posted += 1;
    }
    assert_eq!(posted, 1_000);
    let later = NOW.plus_ms(61_000);
    assert!(
        store
            .post_command(Uuid::from_u128(posted), b"x", later)
            .await
            .unwrap()
    );
}

async fn news_of_a_command_comes_by_notification(bench: Bench) {
    let mut news = bench.store.notifications();
    news.mark_unchanged();
    bench
        .store
        .post_command(Uuid::from_u128(1), b"x", NOW)
        .await
        .unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(20), news.changed())
        .await
        .expect("an announcement")
        .unwrap();
}
