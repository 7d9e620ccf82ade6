//! Records of failed calls, and the log of calls (behaviours G6, G14).

use penstock_core::id::RequestId;
use penstock_core::time::UnixMs;
use penstock_core::usage::Outcome;
use penstock_store::{FailedCallRow, LogFilter};

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    g14_a_failure_record_is_kept_once_and_read_back_as_it_was,
    g06_the_log_joins_the_ledger_and_the_failure_log,
    g06_the_log_comes_in_pages_newest_first,
    g06_calls_that_ended_since_are_found_also_when_they_began_long_before,
);

/// The failure of the call of [`record`] with this number.
pub(crate) fn failure(n: u64, number: u32, is_final: bool) -> FailedCallRow {
    let of = record(n);
    FailedCallRow {
        id: of.id,
        number,
        is_final,
        started_at: of.started_at,
        user_id: of.user_id,
        key_id: of.key_id,
        provider_id: of.provider_id,
        model: of.model,
        session: of.session,
        status: 529,
        error_type: "overloaded_error".into(),
        error_class: "PROVIDER_ERROR".into(),
        duration_ms: 7,
        node_id: "node".into(),
        record: serde_json::json!({"error_message": "50%_Off Überlast\u{0}", "number": number}),
    }
}

fn all() -> LogFilter {
    LogFilter::span(UnixMs(0), UnixMs(NOW.0 + 1_000_000))
}

async fn ids(bench: &Bench, filter: &LogFilter) -> Vec<RequestId> {
    let found = bench.store.search_calls(filter, 100, None).await.unwrap();
    found.calls.into_iter().map(|call| call.id).collect()
}

async fn g14_a_failure_record_is_kept_once_and_read_back_as_it_was(bench: Bench) {
    let sent = [failure(1, 1, true), failure(1, 0, false)];
    assert_eq!(bench.store.ingest_failures(&sent).await.unwrap(), 2);
    assert_eq!(bench.store.ingest_failures(&sent).await.unwrap(), 0);
    assert_eq!(bench.store.ingest_failures(&[]).await.unwrap(), 0);
    let read = bench.store.failures(sent[0].id).await.unwrap();
    assert_eq!(read.iter().map(|row| row.number).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(read[1].record["error_message"], "50%_Off Überlast\u{FFFD}");
    let expected = FailedCallRow {
        record: read[1].record.clone(),
        ..sent[0].clone()
    };
    assert_eq!(read[1], expected);
    assert!(bench.store.failures(record(2).id).await.unwrap().is_empty());
}

async fn g06_the_log_joins_the_ledger_and_the_failure_log(bench: Bench) {
    let mut failed = record(2);
    (failed.status, failed.outcome) = (529, Outcome::UpstreamError);
    bench
        .store
        .ingest_usage(&[record(1), failed], delivered(1))
        .await
        .unwrap();
    let failures = [failure(2, 0, false), failure(2, 1, true), failure(3, 0, true)];
    bench.store.ingest_failures(&failures).await.unwrap();
    let found = bench.store.search_calls(&all(), 100, None).await.unwrap().calls;
    let told: Vec<_> = found
        .iter()
        .map(|call| {
            (
                call.id,
                call.usage.is_some(),
                call.failure.as_ref().map(|row| row.number),
            )
        })
        .collect();
    let id = |n| record(n).id;
    assert_eq!(
        told,
        [
            (id(3), false, Some(0)),
            (id(2), true, Some(1)),
            (id(1), true, None)
        ]
    );

    let by = |change: fn(&mut LogFilter)| {
        let mut filter = all();
        change(&mut filter);
        filter
    };
    for (filter, expected) in [
        (by(|filter| filter.status = Some(500..=599)), vec![id(3), id(2)]),
        (by(|filter| filter.failed = true), vec![id(3), id(2)]),
        (
            by(|filter| filter.error_type = Some("overloaded_error".into())),
            vec![id(3), id(2)],
        ),
        (by(|filter| filter.error_class = Some("NONE".into())), vec![]),
        (
            by(|filter| filter.grep = Some("50%_off".into())),
            vec![id(3), id(2)],
        ),
        (
            by(|filter| filter.grep = Some("off Überlast".into())),
            vec![id(3), id(2)],
        ),
        (by(|filter| filter.grep = Some("50__off".into())), vec![]),
        (
            by(|filter| filter.grep = Some(record(1).id.to_string())),
            vec![id(1)],
        ),
        (by(|filter| filter.usage.model = Some("none".into())), vec![]),
        (by(|filter| filter.slower_than_ms = Some(u32::MAX)), vec![]),
    ] {
        assert_eq!(ids(&bench, &filter).await, expected, "{filter:?}");
    }
    let failed = bench
        .store
        .search_calls(&by(|filter| filter.failed = true), 100, None)
        .await
        .unwrap();
    assert!(failed.calls[1].usage.is_some(), "the ledger's part is there too");
}

async fn g06_the_log_comes_in_pages_newest_first(bench: Bench) {
    let records: Vec<_> = (0..5).map(record).collect();
    bench.store.ingest_usage(&records, delivered(1)).await.unwrap();
    bench
        .store
        .ingest_failures(&[failure(5, 0, true), failure(1, 0, true)])
        .await
        .unwrap();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = bench.store.search_calls(&all(), 2, before).await.unwrap();
        assert!(page.calls.len() <= 2);
        seen.extend(page.calls.into_iter().map(|call| call.id));
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..6).rev().map(|n| record(n).id).collect::<Vec<_>>());
}

async fn g06_calls_that_ended_since_are_found_also_when_they_began_long_before(bench: Bench) {
    let mut long = record(1);
    long.duration_ms = 600_000;
    bench
        .store
        .ingest_usage(&[long.clone(), record(2)], delivered(1))
        .await
        .unwrap();
    let filter = LogFilter {
        ended_since: Some(long.started_at.plus_ms(500_000)),
        ..all()
    };
    assert_eq!(ids(&bench, &filter).await, [long.id]);
}
