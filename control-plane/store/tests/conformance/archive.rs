//! Backups take tables along and bring them back, however often.

use std::collections::BTreeSet;

use penstock_core::alert::Rule;
use penstock_core::time::UnixMs;
use penstock_store::{
    ArchiveRow, ArchiveTable, Backend, Error, Expect, Looked, OTHER_TABLES, Retained, Store, StoredOperator,
    TABLES, UsageFilter, Webhook,
};

use crate::bench::{Bench, on_both};
use crate::build::*;
use crate::{alerts, audit, failures, operators};

on_both!(
    g05_a_ledger_moves_to_another_database_with_its_sums,
    g05_rows_that_come_back_twice_count_once,
    g05_a_row_that_does_not_fit_is_refused,
    g05_records_are_read_with_what_was_decided,
    g05_rows_are_counted_up_to_a_number_and_estimated_beyond_it,
    g05_each_table_of_the_database_is_in_a_backup_or_left_out_for_a_reason,
    g05_each_column_of_a_table_is_taken_along,
    g05_what_a_row_may_lack_is_what_the_table_says,
    g05_a_sum_that_comes_back_leaves_room_for_the_next_call,
    g05_an_account_comes_back_once_and_never_over_another,
    g05_a_webhook_comes_back_once_and_never_over_another,
);

fn table(name: &str) -> &'static ArchiveTable {
    TABLES.into_iter().find(|table| table.name == name).unwrap()
}

/// All rows, two at a time.
async fn rows(store: &dyn Store, table: &'static ArchiveTable) -> Vec<ArchiveRow> {
    let mut all: Vec<ArchiveRow> = Vec::new();
    loop {
        let more = store.archive_rows(table, all.last(), 2).await.unwrap();
        if more.is_empty() {
            let about = store.about_rows(table.name, 1_000).await.unwrap();
            assert_eq!(about, u64::try_from(all.len()).unwrap());
            return all;
        }
        all.extend(more);
    }
}

async fn fill(bench: &Bench) {
    let records: Vec<_> = (1..8).map(record).collect();
    bench.store.ingest_usage(&records, delivered(7)).await.unwrap();
    let failed = [failures::failure(1, 0, false), failures::failure(1, 1, true)];
    bench.store.ingest_failures(&failed).await.unwrap();
    for n in 1..4 {
        let entry = audit::entry(n, "ann", "UserService/CreateUser");
        bench.store.begin_audit(&entry).await.unwrap();
    }
    let (store, later) = (&bench.store, NOW.plus_ms(10_000));
    let fence = store
        .take_lease("alerts", "me", NOW, later)
        .await
        .unwrap()
        .unwrap();
    let looked = Looked {
        told: vec![alerts::told(7, Rule::BreakerOpen), alerts::told(8, Rule::Budget)],
        ..Looked::default()
    };
    assert!(store.write_look(("alerts", fence), &looked).await.unwrap());
    let cleaned = store.clean(Retained::UsageRecords, UnixMs(9), NOW).await;
    assert_eq!(cleaned.unwrap().rows, 0);
}

/// Of tables that exist, partitions left out.
async fn tables(bench: &Bench) -> BTreeSet<String> {
    let query = match bench.store.backend() {
        Backend::Postgres => {
            "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = current_schema()::regnamespace \
             AND relkind IN ('r', 'p') AND NOT relispartition"
        }
        Backend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
    };
    bench.texts(query.to_owned()).await.into_iter().collect()
}

async fn columns(bench: &Bench, table: &str) -> BTreeSet<String> {
    let query = match bench.store.backend() {
        Backend::Postgres => format!(
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ),
        Backend::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
    };
    bench.texts(query).await.into_iter().collect()
}

async fn g05_a_ledger_moves_to_another_database_with_its_sums(bench: Bench) {
    fill(&bench).await;
    let mut kept = Vec::new();
    for table in TABLES {
        kept.push((table, rows(&*bench.store, table).await));
    }
    for name in [
        "spend_minutes",
        "usage_days",
        "usage_traffic",
        "usage_outcomes",
        "retention_marks",
    ] {
        let is_kept =
            |(table, rows): &(&ArchiveTable, Vec<ArchiveRow>)| table.name == name && !rows.is_empty();
        assert!(kept.iter().any(is_kept), "{name}");
    }
    // The same tables, emptied: what they held comes back.
    for table in TABLES {
        bench.execute(format!("DELETE FROM {}", table.name)).await;
    }
    for (table, rows) in &kept {
        bench.store.restore_rows(table, rows).await.unwrap();
    }
    for (table, before) in kept {
        assert_eq!(rows(&*bench.store, table).await, before, "{}", table.name);
    }
}

async fn g05_rows_that_come_back_twice_count_once(bench: Bench) {
    fill(&bench).await;
    let totals = table("spend_totals");
    let before = rows(&*bench.store, totals).await;
    assert!(!before.is_empty());
    assert_eq!(bench.store.restore_rows(totals, &before).await.unwrap(), 0);
    // More was spent since: the older sums change nothing.
    bench
        .store
        .ingest_usage(&[record(9)], delivered(8))
        .await
        .unwrap();
    let after = rows(&*bench.store, totals).await;
    assert_ne!(after, before);
    assert_eq!(bench.store.restore_rows(totals, &before).await.unwrap(), 0);
    assert_eq!(rows(&*bench.store, totals).await, after);
}

fn mark(spool: serde_json::Value, updated_at: serde_json::Value) -> ArchiveRow {
    let row = serde_json::json!({"spool_id": spool, "through_sequence": 1, "updated_at": updated_at});
    row.as_object().unwrap().clone()
}

async fn g05_a_row_that_does_not_fit_is_refused(bench: Bench) {
    let (marks, id) = (table("spool_marks"), "018f0000-0000-7000-8000-000000000001");
    let good = mark(id.into(), 1.into());
    for bad in [
        mark("no id".into(), 1.into()),
        mark(serde_json::Value::Null, 1.into()),
        mark(id.into(), serde_json::Value::Null),
        mark(id.into(), i64::MAX.into()),
    ] {
        assert!(marks.check(&bad).is_err(), "{bad:?}");
        let restored = bench
            .store
            .restore_rows(marks, &[good.clone(), bad.clone()])
            .await;
        assert!(matches!(restored, Err(Error::Invalid(_))), "{bad:?}");
    }
    assert!(rows(&*bench.store, marks).await.is_empty());
    assert_eq!(bench.store.restore_rows(marks, &[good]).await.unwrap(), 1);
}

async fn g05_a_sum_that_comes_back_leaves_room_for_the_next_call(bench: Bench) {
    let totals = table("spend_totals");
    let user = record(1).user_id.0.to_string();
    let total = |nanousd: i64| {
        let row = serde_json::json!({"subject_kind": "user", "subject_id": user, "total_nanousd": nanousd});
        row.as_object().unwrap().clone()
    };
    assert!(
        bench
            .store
            .restore_rows(totals, &[total(i64::MAX)])
            .await
            .is_err()
    );
    let mut most = (0..63).map(|bit| total(1 << bit));
    let most = most.rfind(|row| totals.check(row).is_ok()).unwrap();
    bench.store.restore_rows(totals, &[most]).await.unwrap();
    let ingested = bench
        .store
        .ingest_usage(&[record(1)], delivered(1))
        .await
        .unwrap();
    assert_eq!(ingested.fresh, 1);
}

async fn g05_records_are_read_with_what_was_decided(bench: Bench) {
    fill(&bench).await;
    let first = bench.store.usage_with_decisions(None, 3).await.unwrap();
    let rest = bench
        .store
        .usage_with_decisions(first.last().map(|r| r.id), 100)
        .await
        .unwrap();
    assert_eq!((first.len(), rest.len()), (3, 4));
    let span = UsageFilter::span(UnixMs(0), UnixMs(i64::MAX / 2));
    for record in first.iter().chain(&rest) {
        assert_eq!(
            bench.store.usage_record(record.id).await.unwrap().as_ref(),
            Some(record)
        );
    }
    assert_eq!(bench.store.count_usage(&span).await.unwrap(), 7);
}

async fn g05_rows_are_counted_up_to_a_number_and_estimated_beyond_it(bench: Bench) {
    let about = async |counted| bench.store.about_rows("usage_records", counted).await.unwrap();
    assert_eq!(about(5).await, 0);
    fill(&bench).await;
    assert_eq!(about(8).await, 7);
    assert!(about(3).await >= 3, "whatever the database knows of it");
    if bench.store.backend() == Backend::Postgres {
        bench.execute("ANALYZE usage_records".to_owned()).await;
        assert_eq!(about(3).await, 7, "of all partitions");
    }
}

async fn g05_each_table_of_the_database_is_in_a_backup_or_left_out_for_a_reason(bench: Bench) {
    let archived = TABLES.iter().map(|table| table.name);
    let others = OTHER_TABLES.iter().map(|(name, _)| *name);
    let mut told = BTreeSet::new();
    for name in archived.chain(others) {
        assert!(told.insert(name.to_owned()), "{name} is there twice");
    }
    // A new table? Describe it in `archive/`, or say in `archive/others.rs` what becomes of it.
    assert_eq!(tables(&bench).await, told);
}

async fn g05_each_column_of_a_table_is_taken_along(bench: Bench) {
    for table in TABLES {
        let told: BTreeSet<String> = table
            .columns
            .iter()
            .map(|column| column.name.to_owned())
            .collect();
        assert_eq!(columns(&bench, table.name).await, told, "{}", table.name);
    }
}

/// Columns that have to be there. SQLite does not say it of those of a primary key, unless the table does.
async fn required(bench: &Bench, table: &str) -> BTreeSet<String> {
    let query = match bench.store.backend() {
        Backend::Postgres => format!(
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}' AND is_nullable = 'NO'"
        ),
        Backend::Sqlite => {
            format!("SELECT name FROM pragma_table_info('{table}') WHERE \"notnull\" = 1 OR pk > 0")
        }
    };
    bench.texts(query).await.into_iter().collect()
}

async fn g05_what_a_row_may_lack_is_what_the_table_says(bench: Bench) {
    for table in TABLES {
        let told: BTreeSet<String> = table
            .columns
            .iter()
            .filter(|column| !column.optional)
            .map(|column| column.name.to_owned())
            .collect();
        assert_eq!(required(&bench, table.name).await, told, "{}", table.name);
    }
}

fn account(n: u8, name: &str) -> StoredOperator {
    let put = operators::put(n, name, Expect::Absent);
    StoredOperator {
        id: put.id,
        operator: put.operator,
        token: put.token,
        last_used_at: Some(UnixMs(3)),
        version: 7,
        created_at: UnixMs(1),
        updated_at: UnixMs(2),
    }
}

async fn g05_an_account_comes_back_once_and_never_over_another(bench: Bench) {
    let store = &bench.store;
    let ann = account(1, "ann");
    let before = store.operator_generation().await.unwrap();
    assert!(store.restore_operator(&ann).await.unwrap());
    let after = store.operator_generation().await.unwrap();
    assert!(after > before, "other replicas see it");
    let same_token = StoredOperator {
        token: ann.token.clone(),
        ..account(3, "eve")
    };
    for other in [account(1, "bob"), account(2, "ann"), same_token] {
        assert!(!store.restore_operator(&other).await.unwrap(), "{other:?}");
    }
    assert_eq!(store.operator_generation().await.unwrap(), after);
    assert_eq!(store.operators().await.unwrap().operators, [ann]);
}

async fn g05_a_webhook_comes_back_once_and_never_over_another(bench: Bench) {
    let store = &bench.store;
    let hook = Webhook {
        version: 7,
        created_at: UnixMs(1),
        updated_at: UnixMs(2),
        ..alerts::webhook(1, &[Rule::BreakerOpen, Rule::Budget])
    };
    assert!(store.restore_webhook(&hook).await.unwrap());
    let same_name = Webhook {
        name: hook.name.clone(),
        ..alerts::webhook(2, &[])
    };
    for other in [alerts::webhook(1, &[]), same_name] {
        assert!(!store.restore_webhook(&other).await.unwrap(), "{other:?}");
    }
    assert_eq!(store.webhooks().await.unwrap(), [hook]);
}
