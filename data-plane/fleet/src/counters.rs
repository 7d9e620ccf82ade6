//! What counters do, wherever they are: the interface of the two implementations, in Redis and in the process.
//!
//! Both do the same, number for number; one conformance suite and one model hold them to it. The rules:
//!
//! *All or nothing.* A call takes all dimensions of all its subjects, or none.
//!
//! *Sliding windows* (`rpm`, `tpm`: 60 s; `usd_5h`: 5 h; a rolling day: 24 h) are counted in slots of a second or a
//! minute. A slot counts until the whole of it is older than the window, so what is counted leaves at its window's
//! length or up to one slot later, never earlier.
//!
//! *Money* is booked at the instant of admission in every window. What is held for calls in flight counts only in the
//! window in which they were admitted. A subject's money can be counted only after its *baseline* was made from the
//! ledger ([`Counters::seed`]); until then calls on it are [`Verdict::Unknown`].
//!
//! *Settlement* is idempotent by request id for a day. Whether a record is in a baseline already is told by its number
//! in its spool: the baseline carries, for each spool, the number up to which it was made.
//!
//! *Leases.* A data plane's process holds a lease on each account in which it has calls in flight. When it ends
//! without being renewed, the slots of those calls are free, and what they held counts as spent until their record
//! arrives.
//!
//! *Generations.* Counters that were made anew, wholly or in part, have a higher generation. Whoever sees it rise has
//! to say again what is in flight ([`Counters::adopt`]) and what was settled lately.
//!
//! *Time* is that of the counters, and never goes back.

use std::future::Future;

use penstock_core::id::{RequestId, SpoolId};
use penstock_core::limits::{Dimension, Exceeded};
use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;

use crate::account::{Account, SubjectName};
use crate::subject::Subject;

/// A lease that is not renewed ends after this.
pub const LEASE_MS: u64 = 45_000;

/// A call on an account.
#[derive(Clone, Debug)]
pub struct Call {
    pub account: Account,
    pub request: RequestId,
    /// One or two; the key before its user.
    pub subjects: Vec<Subject>,
}

/// A call that wants to be let in.
#[derive(Clone, Debug)]
pub struct Admit {
    pub call: Call,
    pub session: Option<SessionId>,
    /// False: everything is counted and nothing refused.
    pub enforce: bool,
}

/// A call that is in flight already.
#[derive(Clone, Debug)]
pub struct Adopt {
    pub call: Call,
    pub session: Option<SessionId>,
    pub admitted_at: UnixMs,
}

/// A call that has ended; its subjects' tokens and money are what it used.
#[derive(Clone, Debug)]
pub struct Settle {
    pub call: Call,
    /// Where it is not known to the counters.
    pub admitted_at: UnixMs,
    /// Where its record is; None: it has none.
    pub record: Option<RecordNumber>,
}

/// A record's place in its spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordNumber {
    pub spool: SpoolId,
    pub number: u64,
}

/// What became of a wish to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Admitted(Admitted),
    Refused(Exceeded),
    /// The money of these subjects cannot be counted yet. Nothing was taken.
    Unknown(Vec<SubjectName>),
    /// The windows of the call are not around now; this is the counters' time. Nothing was taken.
    Clock(UnixMs),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The instant at which the call's cost will be booked.
    pub at: UnixMs,
    pub generation: u64,
    /// Of the subjects' dimensions of money.
    pub seen: Vec<Seen>,
}

/// What a dimension of money was at when it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub subject: SubjectName,
    pub dimension: Dimension,
    pub settled: u64,
    pub reserved: u64,
}

/// What became of a wish to hold more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopUp {
    Held,
    Refused(Exceeded),
    /// The call is not in flight as far as the counters know.
    Lost,
}

/// What became of something that cannot be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// Counters of this generation have it.
    At(u64),
    /// There are no counters that could; they will be made from the ledger.
    Gone,
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    At {
        generation: u64,
        /// The lease was running until now. Otherwise calls in flight may have lapsed.
        was_running: bool,
    },
    Gone,
}

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub subject: SubjectName,
    pub dimension: Dimension,
    pub used: u64,
    pub reserved: u64,
    pub reset_at: Option<UnixMs>,
}

/// What a subject has spent, from the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    pub subject: Subject,
    pub dimensions: Vec<SeedDimension>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedDimension {
    pub dimension: Dimension,
    /// The first instant that counts: the window's beginning or the last reset.
    pub from: UnixMs,
    pub spent: Spent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spent {
    Total(i64),
    Fixed {
        start: UnixMs,
        end: UnixMs,
        sum: i64,
    },
    /// By minute: its first millisecond and nano-USD.
    Rolling(Vec<(UnixMs, i64)>),
}

/// What became of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeded {
    Done,
    /// Subjects with a window that does not hold now were left as they are; this is the counters' time.
    Clock(UnixMs),
}

/// Counters of accounts. Calls on one account happen one after the other.
pub trait Counters: Send + Sync {
    /// Takes a call's limits, all or none.
    fn admit(&self, admit: &Admit) -> impl Future<Output = Result<Verdict, Unreachable>> + Send;

    /// Books what a call used and gives back what it held. Doing it again changes nothing.
    fn settle(&self, settle: &Settle) -> impl Future<Output = Result<Noted, Unreachable>> + Send;

    /// Takes in a call that is in flight already, whatever the limits say.
    fn adopt(&self, adopt: &Adopt) -> impl Future<Output = Result<Noted, Unreachable>> + Send;

    /// Holds more money for a call in flight: its subjects' money is what is added. All or nothing.
    fn top_up(&self, call: &Call, enforce: bool) -> impl Future<Output = Result<TopUp, Unreachable>> + Send;

    /// Renews this process's lease on an account.
    fn renew(&self, account: Account) -> impl Future<Output = Result<Renewed, Unreachable>> + Send;

    /// Makes the money of subjects from the ledger. `marks` are the spools' numbers up to which it was read.
    fn seed(
        &self,
        account: Account,
        seeds: &[Seed],
        marks: &[RecordNumber],
    ) -> impl Future<Output = Result<Seeded, Unreachable>> + Send;

    /// What is used of the subjects' limits; None where money cannot be counted yet.
    fn read(&self, call: &Call) -> impl Future<Output = Result<Option<Vec<Usage>>, Unreachable>> + Send;
}

/// The counters did not answer, or not in time. What was asked may have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);
