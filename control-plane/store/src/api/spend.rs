//! What subjects have spent: the baseline from which counters of limits are rebuilt.
//!
//! Spend is booked at a record's `admitted_at`, or `started_at` without one. A record is in the sums if and only if its
//! number is at or below the mark of the spool that it came from; records that can never be stored are below the mark
//! and in no sum.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::limits::Level;
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use uuid::Uuid;

/// Whose spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpendSubject {
    Key(KeyId),
    User(UserId),
    Provider(ProviderId),
}

/// What one subject has spent in each span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineQuestion {
    pub subject: SpendSubject,
    pub spans: Vec<SpendSpan>,
}

/// From an instant until now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendSpan {
    /// Inclusive; 0 and earlier: since the subject exists.
    pub from: UnixMs,
    /// Also by minute. Only the last 35 days are kept so; of an older span the minutes since then are told.
    pub by_minute: bool,
}

/// All of it as at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// In the order of the questions, then of their spans.
    pub answers: Vec<Vec<Spend>>,
    /// Of every spool that delivered in the last 35 days, the newest first.
    pub marks: Vec<SpoolMark>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spend {
    pub total: NanoUsd,
    /// In order, those with spend only. The first holds only what was spent from the span's beginning on.
    pub minutes: Vec<MinuteSpend>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteSpend {
    /// Its first millisecond.
    pub minute: UnixMs,
    pub spent: NanoUsd,
}

/// Every record of this spool up to and including this number is in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolMark {
    pub spool: Uuid,
    pub through: u64,
}

/// With a batch of records: how far its spool is delivered when the batch is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub spool: Uuid,
    /// The number of the batch's last record, also when that record cannot be stored.
    pub through: u64,
    /// Now.
    pub at: UnixMs,
}

/// Days of minutes that are kept at least; older ones are summed up to days.
const MINUTES_KEPT_DAYS: i64 = 35;
const DAY_MS: i64 = 86_400_000;

/// Older minutes are folded into days: the beginning of a UTC day.
pub fn first_minute_kept(now: UnixMs) -> UnixMs {
    let from = kept_from(now).0;
    UnixMs(from - from.rem_euclid(DAY_MS))
}

pub(crate) fn kept_from(now: UnixMs) -> UnixMs {
    UnixMs(now.0.saturating_sub(MINUTES_KEPT_DAYS * DAY_MS))
}

impl SpendSubject {
    pub fn level(self) -> Level {
        match self {
            Self::Key(_) => Level::Key,
            Self::User(_) => Level::User,
            Self::Provider(_) => Level::Provider,
        }
    }

    pub(crate) fn id(self) -> Uuid {
        match self {
            Self::Key(id) => id.0,
            Self::User(id) => id.0,
            Self::Provider(id) => id.0,
        }
    }
}

impl Baseline {
    /// A baseline with more minutes than this is refused; ask for shorter spans or fewer subjects.
    pub const MAX_MINUTES: usize = 100_000;
    /// As many marks are told. Both together fit into a gRPC message of the usual 4 MiB.
    pub const MAX_MARKS: u32 = 2_000;
}
