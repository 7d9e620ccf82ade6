//! Usage records on disk until the control plane has committed them.
//!
//! *Promise.* A record that [`Spool::append`] took is delivered, whatever process is killed afterwards. `append` is one
//! `write(2)` without fsync: the kernel has the bytes, so only a crash of the whole machine can take the last ones.
//!
//! *Order.* Records are numbered from 1 in the order of their appends, per spool; the number goes on over restarts. A
//! new spool id is made only with a new spool.
//!
//! *Calls under way.* When an upstream's answer begins, [`Spool::open_entry`] writes what the record would say if the
//! process died now. The record closes it. An entry that is still open when the spool is opened becomes an
//! `interrupted` record, marked estimated. Records and entries lie in the same files, so that one write closes one.
//!
//! *Files.* `spool/NNNN.seg` are segments of frames, each with a checksum; only the last one grows. A torn tail is cut
//! when the spool is opened. `spool/acked` is the last acknowledged number: written in place, and if it is lost,
//! records are sent again, which changes nothing. A segment is deleted when all of its records are acknowledged;
//! entries in it that are still open are copied to the last segment first.
//!
//! *Full.* Past `max_bytes` the operator's choice holds: newest records are dropped, counted and said once a minute; or
//! [`Spool::admit`] refuses new calls, and those already under way are still recorded. Either way the records of calls
//! that were refused are dropped, or a flood of them would outgrow every bound. A disk that refuses a write is the same
//! condition.

mod acked;
mod files;
mod frame;
mod losses;
mod reader;
mod recovery;
mod segment;
mod writer;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use penstock_core::id::{RequestId, SpoolId};
use penstock_core::usage::UsageRecord;
use penstock_proto::convert::usage_record_to_wire;
use prost::Message;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::config::WhenSpoolFull;
use frame::{Frame, FrameKind};
pub(crate) use reader::{Batch, Cursor};
use writer::{Stored, Worth, Writer};

/// See the module. One per data directory; shared behind an `Arc`.
#[derive(Debug)]
pub struct Spool {
    id: SpoolId,
    directory: PathBuf,
    when_full: WhenSpoolFull,
    writer: Mutex<Writer>,
    appended: Notify,
}

/// How large a spool may become and what happens then.
#[derive(Clone, Copy, Debug)]
pub struct SpoolOptions {
    pub max_bytes: u64,
    pub when_full: WhenSpoolFull,
}

/// What the record of a call would say if the process died now. Its outcome does not matter.
#[derive(Clone, Debug)]
pub struct OpenEntry(pub UsageRecord);

/// A call whose record is still to come; [`Spool::append`] with the same id closes it.
#[derive(Debug)]
#[must_use = "append the record of this call when it ends"]
pub struct OpenHandle {
    pub id: RequestId,
}

/// The spool cannot take it.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Only where the operator chose to shed load. The caller gets 503 `OVERLOADED`.
    #[error("the usage spool is full")]
    Full,
    /// Counted and said as a loss already.
    #[error("the usage spool cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// The spool cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "the usage spool {path:?} cannot be opened: {source}; check that this user may write there and that the disk works"
)]
pub struct SpoolOpenError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// How the spool is, for health, metrics and telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolStatus {
    /// Records that are not acknowledged.
    pub records: u64,
    /// On disk, acknowledged ones in the last segment included.
    pub bytes: u64,
    /// Records lost since the process began.
    pub dropped: u64,
    /// Calls whose record is still to come.
    pub open: u64,
    /// No room, or the disk refuses writes.
    pub full: bool,
}

impl Spool {
    /// Opens the spool in this directory, or makes it; turns calls that a crash cut into `interrupted` records.
    /// The caller makes sure that one process at a time does so.
    pub fn open(directory: &Path, options: SpoolOptions) -> Result<Self, SpoolOpenError> {
        let explain = |source| SpoolOpenError {
            path: directory.to_owned(),
            source,
        };
        let (id, writer) = recovery::open(directory, options).map_err(explain)?;
        Ok(Self {
            id,
            directory: directory.to_owned(),
            when_full: options.when_full,
            writer: Mutex::new(writer),
            appended: Notify::new(),
        })
    }

    pub fn id(&self) -> SpoolId {
        self.id
    }

    /// Whether a new call may begin. Fails only where the operator chose to shed load and the spool is full.
    pub fn admit(&self) -> Result<(), SpoolError> {
        match self.when_full {
            WhenSpoolFull::Drop => Ok(()),
            WhenSpoolFull::Shed if self.writer().is_full(Instant::now()) => Err(SpoolError::Full),
            WhenSpoolFull::Shed => Ok(()),
        }
    }

    /// Notes that an upstream's answer to this call has begun. A crash before its record leaves this.
    pub fn open_entry(&self, entry: &OpenEntry) -> Result<OpenHandle, SpoolError> {
        let id = entry.0.id;
        let frame = Frame::new(
            FrameKind::Open,
            id,
            &usage_record_to_wire(&entry.0).encode_to_vec(),
        );
        self.writer().open_entry(frame, Instant::now())?;
        Ok(OpenHandle { id })
    }

    /// Takes a record and closes the open entry with the same id. Synchronous, a few microseconds. The
    /// record's number; None when it was dropped because the spool is full and the operator chose so.
    pub fn append(&self, record: &UsageRecord) -> Result<Option<u64>, SpoolError> {
        self.take(record, Worth::Used)
    }

    /// The same for a call that was refused before it used anything. Dropped when the spool is full, whatever the
    /// operator chose, and counted.
    pub fn append_refused(&self, record: &UsageRecord) -> Result<Option<u64>, SpoolError> {
        self.take(record, Worth::Refused)
    }

    fn take(&self, record: &UsageRecord, worth: Worth) -> Result<Option<u64>, SpoolError> {
        let payload = usage_record_to_wire(record).encode_to_vec();
        let frame = Frame::new(FrameKind::Record, record.id, &payload);
        let (stored, loss) = self.writer().append(frame, worth, Instant::now());
        if let Some(loss) = loss {
            loss.say();
        }
        Ok(match stored? {
            Stored::Written(number) => {
                self.appended.notify_one();
                Some(number)
            }
            Stored::Dropped => None,
        })
    }

    pub fn status(&self) -> SpoolStatus {
        self.writer().status(Instant::now())
    }

    /// Everything up to this number is committed: deletes what is no longer needed. Blocks on the disk.
    pub(crate) fn acknowledge(&self, through: u64) -> io::Result<()> {
        self.writer().set_acked(through)?;
        loop {
            let Some(retiring) = self.writer().retiring() else {
                return Ok(());
            };
            // One lock for each, so that callers' appends get in between.
            for id in retiring.open {
                self.writer().carry(id, retiring.serial)?;
            }
            self.writer().retire(retiring.serial)?;
        }
    }

    /// The next records at the cursor, at most this many; None when there are none yet. Blocks on the disk.
    pub(crate) fn read(&self, cursor: &mut Cursor, most: usize) -> io::Result<Option<Batch>> {
        reader::read(&self.directory, cursor, most, |serial, next| {
            self.writer().readable(serial, next)
        })
    }

    /// The first number that is not acknowledged.
    pub(crate) fn first_waiting(&self) -> u64 {
        self.writer().first_waiting()
    }

    /// The number of the last record; 0: there was none yet.
    pub(crate) fn last_number(&self) -> u64 {
        self.writer().last_number()
    }

    /// Resolves when something was appended since the last call.
    pub(crate) async fn appended(&self) {
        self.appended.notified().await;
    }

    /// Gives everything to the disk. Blocks.
    pub fn sync(&self) -> io::Result<()> {
        self.writer().sync()
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
