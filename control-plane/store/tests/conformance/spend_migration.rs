//! A ledger of an earlier release knows what was spent as soon as it is migrated.

use std::time::{SystemTime, UNIX_EPOCH};

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_store::{Backend, BaselineQuestion, OpenOptions, SpendSpan, SpendSubject, open};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::bench::with_place;
use crate::build::*;

const HOUR: i64 = 3_600_000;

/// What migration 6 made, so that it can be undone. The ledger itself stays as the release before left it,
/// and later migrations, which do not touch these tables, stay applied.
const UNDO: &str = "DROP TABLE spend_totals; DROP TABLE spend_minutes; DROP TABLE spend_days; DROP TABLE spool_marks; \
    DROP TABLE node_commands; DROP INDEX usage_records_by_provider; ALTER TABLE usage_records DROP COLUMN admitted_at; \
    DELETE FROM _sqlx_migrations WHERE version = 6;";

#[tokio::test]
async fn d06_a_migrated_ledger_knows_what_was_spent_on_postgres() {
    with_place(Backend::Postgres, migrated).await;
}

#[tokio::test]
async fn d06_a_migrated_ledger_knows_what_was_spent_on_sqlite() {
    with_place(Backend::Sqlite, migrated).await;
}

async fn migrated(url: String) {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    // Every 5 h, for 80 days.
    let records: Vec<UsageRecord> = (0..384_u64)
        .map(|n| {
            let at = now - 10_000 - i64::try_from(n).unwrap() * 5 * HOUR;
            let mut record = record(n);
            record.started_at = UnixMs(at);
            let id = u128::try_from(at).unwrap() << 80 | 0x7000 << 64 | 0x8000 << 48 | u128::from(n);
            record.id.0 = Uuid::from_u128(id);
            record.provider_id = record.provider_id.filter(|_| n % 2 == 0);
            record
        })
        .collect();
    let store = open(&OpenOptions::new(&url)).await.unwrap();
    for batch in records.chunks(100) {
        store.ingest_usage(batch, delivered(1)).await.unwrap();
    }
    store.close().await;
    undo(&url).await;

    let store = open(&OpenOptions::new(&url)).await.unwrap();
    let froms = [0, 1, 7, 34, 36, 50, 79].map(|days| match days {
        0 => 0,
        days => now - days * 24 * HOUR + 4_321,
    });
    let spans = froms.map(|from| SpendSpan {
        from: UnixMs(from),
        by_minute: false,
    });
    let subjects = [
        SpendSubject::Key(key_id(1)),
        SpendSubject::User(user_id(1)),
        SpendSubject::Provider(provider_id(1)),
    ];
    let questions = subjects.map(|subject| BaselineQuestion {
        subject,
        spans: spans.to_vec(),
    });
    let baseline = store.baseline(&questions).await.unwrap();
    for (question, answer) in questions.iter().zip(&baseline.answers) {
        for (from, spend) in froms.iter().zip(answer) {
            let of_provider = matches!(question.subject, SpendSubject::Provider(_));
            let expected: i64 = records
                .iter()
                .filter(|r| r.started_at.0 >= *from && (!of_provider || r.provider_id.is_some()))
                .map(|r| r.cost.0)
                .sum();
            assert_eq!(
                spend.total,
                NanoUsd(expected),
                "{:?} from {from}",
                question.subject
            );
        }
    }
    assert_eq!(baseline.marks, []);
    store.close().await;
}

async fn undo(url: &str) {
    let text = AssertSqlSafe(UNDO.to_owned());
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}
