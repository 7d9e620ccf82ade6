//! A user with two keys, the clock, and the ledger behind the counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use penstock_core::id::{Epoch, KeyId, RequestId, SpoolId, UserId};
use penstock_core::limits::window::Window;
use penstock_core::limits::{Dimension, Limits};
use penstock_core::time::UnixMs;
use penstock_fleet::account::{Account, SubjectName};
use penstock_fleet::counters::{Call, RecordNumber, Seed, SeedDimension, Spent};
use penstock_fleet::subject::{Edges, Subject};

pub(crate) fn user() -> UserId {
    UserId::from_parts(1, &[1; 10])
}

pub(crate) fn account() -> Account {
    Account::User(user())
}

pub(crate) fn key(n: usize) -> SubjectName {
    SubjectName::Key(KeyId::from_parts(1, &[u8::try_from(n).unwrap() + 10; 10]))
}

pub(crate) fn spool() -> SpoolId {
    SpoolId::from_parts(1, &[9; 10])
}

pub(crate) fn request(at: i64, n: u64) -> RequestId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    RequestId::from_parts(u64::try_from(at).unwrap(), &random)
}

/// A subject of these limits, around now.
pub(crate) fn subject(name: SubjectName, limits: &Limits, version: u64, now: i64) -> Subject {
    let edges = Edges::around(&limits.zone, limits.daily_reset, UnixMs(now));
    let version = (Epoch::from_parts(1, &[3; 10]), version);
    Subject::new(name, limits, version, Arc::new(edges), UnixMs(now))
}

pub(crate) fn call(request: RequestId, subjects: Vec<Subject>) -> Call {
    Call {
        account: account(),
        request,
        subjects,
    }
}

/// The first instant that counts in a window.
pub(crate) fn from(subject: &Subject, dimension: Dimension, now: i64) -> i64 {
    let start = match subject.window(dimension) {
        Window::Rolling(length) => now - length,
        Window::Fixed(bounds) => bounds.current.0,
        Window::Total => 0,
    };
    start.max(subject.reset_at(dimension).map_or(0, |at| at.0))
}

/// A baseline from spends.
pub(crate) fn seed(subject: &Subject, spends: &[(i64, i64)], now: i64) -> Seed {
    let limited = Dimension::MONEY
        .into_iter()
        .filter(|dimension| subject.cap(*dimension) > 0);
    let dimensions = limited.map(|dimension| {
        let first = from(subject, dimension, now);
        let counted = spends.iter().filter(|(at, _)| *at >= first);
        let sum = counted.clone().map(|(_, amount)| amount).sum();
        let spent = match subject.window(dimension) {
            Window::Total => Spent::Total(sum),
            Window::Fixed(bounds) => Spent::Fixed {
                start: bounds.current,
                end: bounds.next,
                sum,
            },
            Window::Rolling(_) => Spent::Rolling(
                counted
                    .map(|(at, amount)| (UnixMs(at / 60_000 * 60_000), *amount))
                    .collect(),
            ),
        };
        let reset = subject.reset_at(dimension).map_or(0, |at| at.0);
        SeedDimension {
            dimension,
            from: UnixMs(match subject.window(dimension) {
                Window::Rolling(_) => reset,
                Window::Fixed(_) | Window::Total => first,
            }),
            spent,
        }
    });
    Seed {
        subject: subject.clone(),
        dimensions: dimensions.collect(),
    }
}

pub(crate) fn mark(number: u64) -> RecordNumber {
    RecordNumber {
        spool: spool(),
        number,
    }
}

/// A clock that the test moves.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn at(ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(ms)))
    }

    pub(crate) fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn step(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}
