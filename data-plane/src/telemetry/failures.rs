//! Records of failed calls on their way to the control plane.
//!
//! They are logs and no ledger: they wait in memory, the oldest go when there are too many, and that is counted. A
//! control plane that is away for some minutes loses none of them; a restart of this node does. What was sent stays here
//! until it is acknowledged, so a stream that breaks loses nothing either; the control plane knows a record by its call
//! and number.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use penstock_core::id::{KeyId, RequestId, UserId};
use penstock_core::time::UnixMs;
use penstock_proto::telemetry::v1 as wire;
use tokio::sync::Notify;
use tracing::Level;

/// Of all that wait together, bytes.
const MAX_BYTES: usize = 16 << 20;
/// Of a batch, bytes and records.
const BATCH_BYTES: usize = 256 << 10;
const BATCH: usize = 200;
/// What a record takes beside its text, bytes.
const OVERHEAD: usize = 200;

/// One record.
#[derive(Clone, Debug)]
pub struct Line {
    pub request_id: RequestId,
    /// Counts the records of one call.
    pub number: u32,
    pub is_final: bool,
    /// When the call arrived.
    pub at: UnixMs,
    pub user_id: UserId,
    pub key_id: KeyId,
    pub status: u16,
    pub level: Level,
    pub msg: String,
    /// A JSON object.
    pub json: String,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Failures {
    waiting: Mutex<Waiting>,
    filled: Notify,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Line>,
    bytes: usize,
    /// The number of the first of `lines`.
    first: u64,
}

impl Failures {
    /// Never waits.
    pub fn put(&self, line: Line) {
        let mut waiting = self.waiting();
        waiting.bytes += cost(&line);
        waiting.lines.push_back(line);
        while waiting.bytes > MAX_BYTES && waiting.lines.len() > 1 {
            waiting.drop_first();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// The next records in order, from this number on; None: there are none.
    pub(crate) fn batch(&self, from: u64) -> Option<wire::FailureBatch> {
        let waiting = self.waiting();
        let first = from.max(waiting.first);
        let skip = usize::try_from(first - waiting.first).ok()?;
        let (mut failures, mut bytes) = (Vec::new(), 0);
        for line in waiting.lines.iter().skip(skip).take(BATCH) {
            bytes += cost(line);
            if bytes > BATCH_BYTES && !failures.is_empty() {
                break;
            }
            failures.push(to_wire(line));
        }
        (!failures.is_empty()).then_some(wire::FailureBatch {
            failures,
            first_number: first,
        })
    }

    /// Whether there is one of this number or above.
    pub(crate) fn has(&self, from: u64) -> bool {
        let waiting = self.waiting();
        let length = u64::try_from(waiting.lines.len()).unwrap_or(u64::MAX);
        waiting.first.saturating_add(length) > from && length > 0
    }

    /// The control plane has all records up to and including this number.
    pub(crate) fn acknowledge(&self, through: u64) {
        let mut waiting = self.waiting();
        while waiting.first <= through && !waiting.lines.is_empty() {
            waiting.drop_first();
        }
    }

    /// Resolves once after something was put.
    pub(crate) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// How many were lost.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting().lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn drop_first(&mut self) {
        if let Some(line) = self.lines.pop_front() {
            self.bytes = self.bytes.saturating_sub(cost(&line));
            self.first += 1;
        }
    }
}

fn cost(line: &Line) -> usize {
    line.json.len() + line.msg.len() + OVERHEAD
}

fn to_wire(line: &Line) -> wire::Failure {
    wire::Failure {
        request_id: line.request_id.to_string(),
        at_ms: line.at.0,
        key_id: line.key_id.to_string(),
        user_id: line.user_id.to_string(),
        number: line.number,
        status: line.status.into(),
        line: with_level(line),
        ..wire::Failure::default()
    }
}

/// As the log has it: level and text first.
fn with_level(line: &Line) -> String {
    let level = line.level.as_str().to_ascii_lowercase();
    let rest = line.json.strip_prefix('{').unwrap_or("}");
    format!("{{\"level\":\"{level}\",\"msg\":\"{}\",{rest}", line.msg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u32, length: usize) -> Line {
        Line {
            request_id: RequestId::from_parts(1, &[1; 10]),
            number,
            is_final: true,
            at: UnixMs(1),
            user_id: UserId::from_parts(1, &[1; 10]),
            key_id: KeyId::from_parts(1, &[1; 10]),
            status: 500,
            level: Level::ERROR,
            msg: "call failed".to_owned(),
            json: format!("{{\"x\":\"{}\"}}", "x".repeat(length)),
        }
    }

    fn numbers(batch: Option<wire::FailureBatch>) -> (u64, Vec<u32>) {
        let batch = batch.unwrap_or_default();
        (
            batch.first_number,
            batch.failures.iter().map(|failure| failure.number).collect(),
        )
    }

    #[test]
    fn g14_what_is_sent_stays_until_it_is_acknowledged() {
        let failures = Failures::default();
        for number in 0..3 {
            failures.put(line(number, 10));
        }
        assert_eq!(numbers(failures.batch(0)), (0, vec![0, 1, 2]));
        assert_eq!(numbers(failures.batch(2)), (2, vec![2]));
        failures.acknowledge(1);
        assert_eq!(numbers(failures.batch(0)), (2, vec![2]));
        failures.acknowledge(2);
        assert!(failures.batch(0).is_none() && failures.is_empty());
        failures.put(line(7, 10));
        assert_eq!(numbers(failures.batch(0)), (3, vec![7]));
    }

    #[test]
    fn g14_the_oldest_go_when_there_are_too_many_and_are_counted() {
        let failures = Failures::default();
        for number in 0..20 {
            failures.put(line(number, 1 << 20));
        }
        assert_eq!(failures.dropped(), 5);
        assert_eq!(numbers(failures.batch(0)), (5, vec![5]));
        assert_eq!(failures.len(), 15);
    }

    #[test]
    fn g14_a_line_begins_with_level_and_text() {
        let json: serde_json::Value = serde_json::from_str(&to_wire(&line(0, 2)).line).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"level": "error", "msg": "call failed", "x": "xx"})
        );
    }
}
