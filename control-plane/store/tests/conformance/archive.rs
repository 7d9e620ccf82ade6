//! Backups take tables along and bring them back, however often.

use penstock_core::time::UnixMs;
use penstock_store::{ArchiveRow, ArchiveTable, Store, TABLES, UsageFilter};

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    g05_a_ledger_moves_to_another_database_with_its_sums,
    g05_rows_that_come_back_twice_count_once,
    g05_a_row_that_does_not_fit_is_refused,
    g05_records_are_read_with_what_was_decided,
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
            assert_eq!(
                store.count_rows(table).await.unwrap(),
                u64::try_from(all.len()).unwrap()
            );
            return all;
        }
        all.extend(more);
    }
}

async fn fill(bench: &Bench) {
    let records: Vec<_> = (1..8).map(record).collect();
    bench.store.ingest_usage(&records, delivered(7)).await.unwrap();
}

async fn g05_a_ledger_moves_to_another_database_with_its_sums(bench: Bench) {
    fill(&bench).await;
    let mut kept = Vec::new();
    for table in TABLES {
        kept.push((table, rows(&*bench.store, table).await));
    }
    assert!(
        kept.iter()
            .any(|(table, rows)| table.name == "spend_minutes" && !rows.is_empty())
    );
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

async fn g05_a_row_that_does_not_fit_is_refused(bench: Bench) {
    let row = serde_json::json!({"spool_id": "no id", "through_sequence": 1, "updated_at": 1});
    let row = row.as_object().unwrap().clone();
    assert!(
        bench
            .store
            .restore_rows(table("spool_marks"), &[row])
            .await
            .is_err()
    );
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
