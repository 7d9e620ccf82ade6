//! What the spool keeps, in which order it gives it back, and what it does when it is full.

use penstock_core::id::{KeyId, UserId};
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, TokenUsage};

use super::*;

pub(super) const ROOMY: SpoolOptions = SpoolOptions {
    max_bytes: 1 << 20,
    when_full: WhenSpoolFull::Drop,
};

pub(super) fn request(n: u64) -> RequestId {
    RequestId::from_parts(n, &[5; 10])
}

pub(super) fn record(n: u64) -> UsageRecord {
    UsageRecord {
        admitted_at: None,
        id: request(n),
        started_at: UnixMs(1_700_000_000_000),
        user_id: UserId::from_parts(1, &[1; 10]),
        key_id: KeyId::from_parts(1, &[2; 10]),
        provider_id: None,
        dialect: "anthropic".into(),
        model: "claude-sonnet-4-5".into(),
        model_served: "claude-sonnet-4-5".into(),
        stream: true,
        status: 200,
        outcome: Outcome::Succeeded,
        code: None,
        tokens: TokenUsage {
            output: n,
            ..TokenUsage::default()
        },
        estimated: false,
        cost: NanoUsd(12),
        price: None,
        cost_multiplier: Millionths::ONE,
        duration_ms: 7,
        first_byte_ms: Some(3),
        attempts: 1,
        session: None,
        revision: 4,
        node_id: "node-1".into(),
        upstream_request_id: None,
        unpriced: None,
        decision: None,
    }
}

/// All that waits, in order, with its numbers.
pub(super) fn waiting(spool: &Spool) -> Vec<(u64, UsageRecord)> {
    let mut cursor = Cursor::at(spool.first_waiting());
    let mut all = Vec::new();
    while let Some(batch) = spool.read(&mut cursor, 3).unwrap() {
        let expected = batch.records.len();
        let before = all.len();
        all.extend(batch.decoded());
        assert_eq!(all.len(), before + expected);
    }
    all
}

fn ids(spool: &Spool) -> Vec<RequestId> {
    waiting(spool).into_iter().map(|(_, record)| record.id).collect()
}

fn segments(directory: &Path) -> usize {
    let files = std::fs::read_dir(directory).unwrap();
    files
        .filter(|file| segment::serial_of(&file.as_ref().unwrap().path()).is_some())
        .count()
}

#[test]
fn e05_records_come_back_as_written_and_in_order_over_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    let id = spool.id();
    for n in 1..=4 {
        spool.append(&record(n)).unwrap();
    }
    drop(spool);
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    spool.append(&record(5)).unwrap();
    let expected: Vec<_> = (1..=5).map(|n| (n, record(n))).collect();
    assert_eq!(waiting(&spool), expected);
    assert_eq!(spool.id(), id);
    assert_eq!(spool.status().records, 5);
}

#[test]
fn e05_acknowledged_records_are_not_given_again() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    for n in 1..=4 {
        spool.append(&record(n)).unwrap();
    }
    spool.acknowledge(3).unwrap();
    assert_eq!(waiting(&spool), [(4, record(4))]);
    spool.acknowledge(2).unwrap();
    spool.acknowledge(99).unwrap();
    assert_eq!(spool.status().records, 0);
    drop(spool);
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    assert_eq!(waiting(&spool), []);
    spool.append(&record(5)).unwrap();
    assert_eq!(waiting(&spool), [(5, record(5))]);
}

#[test]
fn acknowledged_segments_are_deleted_and_numbering_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let small = SpoolOptions {
        max_bytes: 8 * 1024,
        ..ROOMY
    };
    let spool = Spool::open(directory.path(), small).unwrap();
    for n in 1..=20 {
        spool.append(&record(n)).unwrap();
    }
    assert!(segments(directory.path()) > 3);
    assert_eq!(ids(&spool), (1..=20).map(request).collect::<Vec<_>>());
    spool.acknowledge(20).unwrap();
    assert_eq!(segments(directory.path()), 1);
    drop(spool);
    let spool = Spool::open(directory.path(), small).unwrap();
    spool.append(&record(21)).unwrap();
    assert_eq!(waiting(&spool), [(21, record(21))]);
}

#[test]
fn a_reader_goes_on_where_it_was_while_segments_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let small = SpoolOptions {
        max_bytes: 16 * 1024,
        ..ROOMY
    };
    let spool = Spool::open(directory.path(), small).unwrap();
    let mut cursor = Cursor::at(1);
    let mut seen = Vec::new();
    for n in 1..=200 {
        spool.append(&record(n)).unwrap();
        if n % 7 == 0 {
            while let Some(batch) = spool.read(&mut cursor, 4).unwrap() {
                seen.push(batch.first_number..=batch.last_number());
                spool.acknowledge(batch.last_number()).unwrap();
            }
        }
    }
    let numbers: Vec<_> = seen.into_iter().flatten().collect();
    assert_eq!(numbers, (1..=196).collect::<Vec<_>>());
    assert_eq!(spool.status().dropped, 0);
}

#[test]
fn e05_a_call_that_a_crash_cut_is_recorded_as_interrupted_once() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    let _cut = spool.open_entry(&OpenEntry(record(1))).unwrap();
    let _ended = spool.open_entry(&OpenEntry(record(2))).unwrap();
    spool.append(&record(2)).unwrap();
    assert_eq!(spool.status().open, 1);
    drop(spool);
    for _ in 0..2 {
        let spool = Spool::open(directory.path(), ROOMY).unwrap();
        let found = waiting(&spool);
        assert_eq!(found.len(), 2);
        let (_, interrupted) = &found[1];
        assert_eq!(interrupted.id, request(1));
        assert_eq!(
            (interrupted.outcome, interrupted.estimated),
            (Outcome::Interrupted, true)
        );
    }
}

#[test]
fn an_open_call_outlives_the_segment_it_began_in() {
    let directory = tempfile::tempdir().unwrap();
    let small = SpoolOptions {
        max_bytes: 8 * 1024,
        ..ROOMY
    };
    let spool = Spool::open(directory.path(), small).unwrap();
    let _long = spool.open_entry(&OpenEntry(record(1))).unwrap();
    for n in 2..=100 {
        spool.append(&record(n)).unwrap();
        spool.acknowledge(n).unwrap();
    }
    assert!(segments(directory.path()) <= 2);
    drop(spool);
    let spool = Spool::open(directory.path(), small).unwrap();
    assert_eq!(ids(&spool), [request(1)]);
}

#[test]
fn a_full_spool_drops_the_newest_and_counts_them() {
    let directory = tempfile::tempdir().unwrap();
    let small = SpoolOptions {
        max_bytes: 4 * 1024,
        when_full: WhenSpoolFull::Drop,
    };
    let spool = Spool::open(directory.path(), small).unwrap();
    for n in 1..=100 {
        spool.append(&record(n)).unwrap();
        assert!(spool.admit().is_ok());
    }
    let status = spool.status();
    assert!(status.bytes <= 4 * 1024);
    assert_eq!(status.records + status.dropped, 100);
    assert_eq!(ids(&spool), (1..=status.records).map(request).collect::<Vec<_>>());
    spool.acknowledge(status.records).unwrap();
    spool.append(&record(101)).unwrap();
    assert_eq!(ids(&spool), [request(101)], "there is room again");
}

#[test]
fn a_call_whose_record_was_dropped_does_not_come_back_as_interrupted() {
    let directory = tempfile::tempdir().unwrap();
    let small = SpoolOptions {
        max_bytes: 2 * 1024,
        when_full: WhenSpoolFull::Drop,
    };
    let spool = Spool::open(directory.path(), small).unwrap();
    let _open = spool.open_entry(&OpenEntry(record(1))).unwrap();
    for n in (2..=30).chain([1]) {
        spool.append(&record(n)).unwrap();
    }
    assert_eq!(spool.status().open, 0);
    drop(spool);
    let spool = Spool::open(directory.path(), small).unwrap();
    assert!(!ids(&spool).contains(&request(1)));
}

#[test]
fn a_full_spool_that_sheds_refuses_new_calls_and_records_the_old_ones() {
    let directory = tempfile::tempdir().unwrap();
    let small = SpoolOptions {
        max_bytes: 4 * 1024,
        when_full: WhenSpoolFull::Shed,
    };
    let spool = Spool::open(directory.path(), small).unwrap();
    let mut n = 0;
    while spool.admit().is_ok() {
        n += 1;
        spool.append(&record(n)).unwrap();
    }
    assert!(matches!(spool.admit(), Err(SpoolError::Full)));
    assert!(spool.status().full);
    spool.append(&record(n + 1)).unwrap();
    assert_eq!((spool.status().dropped, spool.status().records), (0, n + 1));
    spool.acknowledge(n + 1).unwrap();
    assert!(spool.admit().is_ok());
}

#[test]
fn calls_that_are_refused_never_outgrow_the_bound() {
    for when_full in [WhenSpoolFull::Shed, WhenSpoolFull::Drop] {
        let directory = tempfile::tempdir().unwrap();
        let small = SpoolOptions {
            max_bytes: 4 * 1024,
            when_full,
        };
        let spool = Spool::open(directory.path(), small).unwrap();
        for n in 1..=200 {
            spool.append_refused(&record(n)).unwrap();
        }
        let status = spool.status();
        assert!(status.bytes <= small.max_bytes, "{when_full:?}: {status:?}");
        assert_eq!((status.records + status.dropped, status.full), (200, status.full));
        assert!(status.dropped > 0);
    }
}

#[test]
fn a_lost_position_means_sending_again_and_nothing_worse() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    spool.append(&record(1)).unwrap();
    spool.acknowledge(1).unwrap();
    drop(spool);
    std::fs::remove_file(directory.path().join("acked")).unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    spool.append(&record(2)).unwrap();
    assert_eq!(waiting(&spool), [(1, record(1)), (2, record(2))]);
}

#[test]
fn an_emptied_spool_gets_a_new_id() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    let before = spool.id();
    drop(spool);
    std::fs::remove_file(segment::path(directory.path(), 1)).unwrap();
    assert_ne!(Spool::open(directory.path(), ROOMY).unwrap().id(), before);
}

#[test]
fn a_record_too_large_to_read_back_is_a_counted_loss() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    let huge = UsageRecord {
        model: "x".repeat(100_000),
        ..record(1)
    };
    assert!(matches!(spool.append(&huge), Err(SpoolError::Write(_))));
    spool.append(&record(2)).unwrap();
    assert_eq!((ids(&spool), spool.status().dropped), (vec![request(2)], 1));
}

#[test]
fn g15_a_directory_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Spool::open(&file.path().join("spool"), ROOMY).err().unwrap();
    assert!(
        error.to_string().contains(file.path().to_str().unwrap()),
        "{error}"
    );
}

#[tokio::test]
async fn an_append_wakes_the_uplink() {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    spool.append(&record(1)).unwrap();
    spool.appended().await;
}
