//! What only several replicas on one Postgres can show.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::access::Access;
use penstock_core::time::UnixMs;
use penstock_core::user::User;
use penstock_store::{Backend, NewSpec, Put, Store, UsageFilter};
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::bench::{Bench, on_database, run};
use crate::build::*;

/// Long enough for a busy machine; nothing is measured.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn g02_a_commit_is_announced_to_the_other_replica() {
    run(Backend::Postgres, |bench: Bench| async move {
        let replica = bench.another().await;
        let mut news = listening(&replica).await;
        bench
            .store
            .commit(commit().with(put_user(1, "alice")))
            .await
            .unwrap();
        announced(&mut news).await;
        assert_eq!(replica.changes_since(0).await.unwrap().changed.len(), 1);
        replica.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_lost_listening_connection_is_made_again() {
    run(Backend::Postgres, |bench: Bench| async move {
        let mut news = listening(&bench.store).await;
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        on_database(&bench.url, kill.to_owned()).await;
        // The new connection counts as news, since commits may have been missed.
        announced(&mut news).await;
        let replica = bench.another().await;
        replica.commit(commit().with(put_user(1, "alice"))).await.unwrap();
        announced(&mut news).await;
        replica.close().await;
    })
    .await;
}

#[tokio::test]
async fn a08_a_long_import_does_not_delay_a_revocation() {
    run(Backend::Postgres, |bench: Bench| async move {
        let setup = commit()
            .with(put_user(1, "alice"))
            .with(put_key(1, key(1, "laptop")))
            .with(put_price("gate", 1));
        bench.store.commit(setup).await.unwrap();
        // Somebody else holds the row that the import writes last, so it cannot end.
        let mut gate = PgConnection::connect(&bench.url).await.unwrap();
        let mut held = gate.begin().await.unwrap();
        sqlx::query("UPDATE model_prices SET version = version WHERE name = 'gate'")
            .execute(&mut *held)
            .await
            .unwrap();
        let mut import = commit();
        import.ops = (2..=20)
            .map(|n| put_key(n, key(1, &format!("key-{n}"))).into())
            .chain([put_price("gate", 2).into()])
            .collect();
        let store = Arc::clone(&bench.store);
        let mut importing = JoinSet::new();
        importing.spawn(async move { store.commit(import).await.unwrap().head.revision });
        waits_for_a_lock(&bench).await;
        // The import's keys are alice's: she is disabled and her key deleted all the same.
        let disabled = User {
            access: Access {
                enabled: false,
                ..Access::default()
            },
            ..user("alice")
        };
        let disable = Put::new(user_ref(1), NewSpec::User(disabled));
        let revocation = commit().with(disable).with(delete(key_ref(1)));
        let revoked = bench.store.commit(revocation).await.unwrap();
        assert_eq!(revoked.head.revision, 2);
        held.rollback().await.unwrap();
        assert_eq!(importing.join_next().await.unwrap().unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn records_go_to_their_months_partition_also_belatedly() {
    run(Backend::Postgres, |bench: Bench| async move {
        let far = 1_900_000_000_000 - NOW.0;
        let late = record(u64::try_from(far).unwrap());
        assert_eq!(
            bench
                .store
                .ingest_usage(std::slice::from_ref(&late), delivered(1))
                .await
                .unwrap()
                .fresh,
            1
        );
        assert_eq!(partition(&bench).await, "usage_records_default");
        bench.store.prepare_ledger(late.started_at).await.unwrap();
        bench.store.prepare_ledger(late.started_at).await.unwrap();
        assert_eq!(partition(&bench).await, "usage_records_2030_03");
        // A record that moved is still known.
        assert_eq!(
            bench
                .store
                .ingest_usage(std::slice::from_ref(&late), delivered(1))
                .await
                .unwrap()
                .fresh,
            0
        );
        let span = UsageFilter::span(late.started_at, UnixMs(late.started_at.0 + 1));
        assert_eq!(bench.store.usage_records(&span, 10, None).await.unwrap(), [late]);
    })
    .await;
}

#[tokio::test]
async fn e05_no_record_is_lost_while_its_partition_is_made() {
    run(Backend::Postgres, |bench: Bench| async move {
        let far = u64::try_from(1_900_000_000_000 - NOW.0).unwrap();
        let mut running = JoinSet::new();
        for n in 0..10 {
            let store = Arc::clone(&bench.store);
            running.spawn(async move {
                let batch: Vec<_> = (0..100).map(|i| record(far + n * 100 + i)).collect();
                store.ingest_usage(&batch, delivered(1)).await.unwrap().fresh
            });
        }
        bench
            .store
            .prepare_ledger(UnixMs(1_900_000_000_000))
            .await
            .unwrap();
        assert_eq!(running.join_all().await.into_iter().sum::<u64>(), 1000);
        let from = UnixMs(1_900_000_000_000);
        let span = UsageFilter::span(from, UnixMs(from.0 + 10_000));
        assert_eq!(
            bench.store.usage_records(&span, 1000, None).await.unwrap().len(),
            1000
        );
        let sums = bench.store.summarize_usage(&span, None).await.unwrap();
        assert_eq!(sums.totals.requests, 1000);
    })
    .await;
}

#[tokio::test]
async fn other_replicas_hear_of_commands_and_answers() {
    run(Backend::Postgres, |bench: Bench| async move {
        let replica = bench.another().await;
        let (mut here, mut there) = (listening(&bench.store).await, listening(&replica).await);
        here.mark_unchanged();
        there.mark_unchanged();
        let id = uuid::Uuid::from_u128(1);
        bench.store.post_command(id, b"read", NOW).await.unwrap();
        announced(&mut there).await;
        replica.take_commands("cp-2", 1, NOW).await.unwrap();
        here.mark_unchanged();
        let answer = penstock_store::NodeAnswer {
            node: "node-1".to_owned(),
            answer: b"much".to_vec(),
        };
        replica.answer_command(id, &answer).await.unwrap();
        announced(&mut here).await;
        replica.close().await;
    })
    .await;
}

/// A store's first news is that it listens.
async fn listening(store: &Arc<dyn Store>) -> watch::Receiver<u64> {
    let mut news = store.notifications();
    let listens = news.wait_for(|n| *n > 0);
    drop(
        tokio::time::timeout(PATIENCE, listens)
            .await
            .expect("a listener")
            .unwrap(),
    );
    news
}

async fn announced(news: &mut watch::Receiver<u64>) {
    tokio::time::timeout(PATIENCE, news.changed())
        .await
        .expect("an announcement")
        .unwrap();
}

/// Until some session waits for another's row.
async fn waits_for_a_lock(bench: &Bench) {
    let mut connection = PgConnection::connect(&bench.url).await.unwrap();
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let seen = async {
        loop {
            let count: i64 = sqlx::query_scalar(waiting)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            if count > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen)
        .await
        .expect("the import waits");
}

async fn partition(bench: &Bench) -> String {
    let mut connection = PgConnection::connect(&bench.url).await.unwrap();
    sqlx::query_scalar("SELECT tableoid::regclass::text FROM usage_records")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}
