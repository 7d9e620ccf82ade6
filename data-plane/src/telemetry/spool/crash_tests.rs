//! Whatever a crash leaves of the last write, nothing that was whole before it is lost or changed.

use std::path::PathBuf;

use proptest::prelude::*;

use super::tests::{ROOMY, record, waiting};
use super::*;

/// A spool of one segment with records and open calls, and where each of its frames ends.
struct Written {
    directory: tempfile::TempDir,
    bytes: Vec<u8>,
    /// Length of the file after each step, and the records whole by then.
    steps: Vec<(u64, u64)>,
}

fn segment_path(directory: &Path) -> PathBuf {
    segment::path(directory, 1)
}

fn write() -> Written {
    let directory = tempfile::tempdir().unwrap();
    let spool = Spool::open(directory.path(), ROOMY).unwrap();
    let length = || std::fs::metadata(segment_path(directory.path())).unwrap().len();
    let mut steps = vec![(length(), 0)];
    for n in 1..=3 {
        let _handle = spool.open_entry(&OpenEntry(record(n))).unwrap();
        steps.push((length(), n - 1));
        spool.append(&record(n)).unwrap();
        steps.push((length(), n));
    }
    drop(spool);
    let bytes = std::fs::read(segment_path(directory.path())).unwrap();
    Written {
        directory,
        bytes,
        steps,
    }
}

/// The finished records and whether a further one is there as interrupted.
fn reopened(written: &Written) -> (Vec<UsageRecord>, Vec<UsageRecord>) {
    let spool = Spool::open(written.directory.path(), ROOMY).unwrap();
    spool.append(&record(9)).unwrap();
    let found: Vec<_> = waiting(&spool).into_iter().map(|(_, record)| record).collect();
    let (last, found) = found.split_last().unwrap();
    assert_eq!(*last, record(9), "a reopened spool takes new records");
    found.iter().cloned().partition(|record| !record.estimated)
}

#[test]
fn e05_a_spool_cut_at_any_byte_keeps_every_record_that_was_whole() {
    let written = write();
    for cut in 0..=written.bytes.len() {
        let cut_at = cut as u64;
        std::fs::write(segment_path(written.directory.path()), &written.bytes[..cut]).unwrap();
        for other in [2, 3] {
            drop(std::fs::remove_file(segment::path(
                written.directory.path(),
                other,
            )));
        }
        let (finished, interrupted) = reopened(&written);
        let (step, (_, whole)) = written
            .steps
            .iter()
            .enumerate()
            .rfind(|(_, (length, _))| *length <= cut_at)
            .unwrap_or((0, &(0, 0)));
        let expected: Vec<_> = (1..=*whole).map(record).collect();
        assert_eq!(finished, expected, "cut at {cut}");
        assert_eq!(interrupted.len(), step % 2, "cut at {cut}: a call was open");
    }
}

#[test]
fn e05_garbage_behind_the_last_record_is_cut() {
    let written = write();
    for garbage in [&[0_u8; 64][..], &[255; 7], &written.bytes[30..90]] {
        let bytes = [&written.bytes, garbage].concat();
        std::fs::write(segment_path(written.directory.path()), bytes).unwrap();
        let (finished, interrupted) = reopened(&written);
        assert_eq!((finished.len(), interrupted.len()), (3, 0));
    }
}

#[test]
fn damage_in_an_old_segment_costs_its_rest_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let small = SpoolOptions {
        max_bytes: 8 * 1024,
        ..ROOMY
    };
    let spool = Spool::open(directory.path(), small).unwrap();
    for n in 1..=12 {
        spool.append(&record(n)).unwrap();
    }
    drop(spool);
    let path = segment_path(directory.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() - 10;
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let spool = Spool::open(directory.path(), small).unwrap();
    let numbers: Vec<_> = waiting(&spool)
        .into_iter()
        .map(|(number, record)| {
            assert_eq!(record, super::tests::record(number));
            number
        })
        .collect();
    assert_eq!(numbers.len(), 11);
    assert_eq!(numbers.last(), Some(&12));
}

#[derive(Clone, Debug)]
enum Step {
    Open,
    Append,
    Acknowledge(usize),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Open),
        6 => Just(Step::Append),
        2 => (0_usize..40).prop_map(Step::Acknowledge),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every call that was appended or open at a crash is delivered, once, and none besides.
    #[test]
    fn e05_nothing_is_lost_or_doubled_whatever_the_order(steps in prop::collection::vec(step(), 1..120)) {
        let directory = tempfile::tempdir().unwrap();
        let small = SpoolOptions { max_bytes: 64 * 1024, ..ROOMY };
        let mut spool = Spool::open(directory.path(), small).unwrap();
        let (mut next, mut open) = (1, Vec::new());
        let (mut expected, mut delivered) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Open => {
                    let _handle = spool.open_entry(&OpenEntry(record(next))).unwrap();
                    open.push(next);
                    next += 1;
                }
                Step::Append => {
                    let n = open.pop().unwrap_or_else(|| { next += 1; next - 1 });
                    spool.append(&record(n)).unwrap();
                    expected.push(n);
                }
                Step::Acknowledge(most) => {
                    let some: Vec<_> = waiting(&spool).into_iter().take(most).collect();
                    if let Some((number, _)) = some.last() {
                        spool.acknowledge(*number).unwrap();
                    }
                    delivered.extend(some.into_iter().map(|(_, record)| record.tokens.output));
                }
                Step::Crash => {
                    drop(spool);
                    spool = Spool::open(directory.path(), small).unwrap();
                    expected.append(&mut open);
                }
            }
        }
        delivered.extend(waiting(&spool).into_iter().map(|(_, record)| record.tokens.output));
        delivered.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(delivered, expected);
    }
}
