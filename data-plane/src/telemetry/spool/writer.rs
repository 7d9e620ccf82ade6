//! The state behind the spool's lock: the files, which calls are open, what is acknowledged, what was lost.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use penstock_core::id::RequestId;
use tokio::time::Instant;

use super::acked::Acked;
use super::files::{Files, Place};
use super::frame::{Frame, FrameKind};
use super::losses::{Loss, Losses};
use super::segment::Segment;
use super::{SpoolOptions, SpoolStatus};
use crate::config::WhenSpoolFull;

/// After a write that failed, the spool counts as full for this long; then a call may try again.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
const MAX_SEGMENT: u64 = 8 << 20;

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) options: SpoolOptions,
    pub(super) files: Files,
    /// Where the entries of open calls lie.
    pub(super) open: HashMap<RequestId, Place>,
    pub(super) next_number: u64,
    pub(super) acked: Acked,
    pub(super) losses: Losses,
    pub(super) failed_at: Option<Instant>,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// A call that was let in.
    Used,
    Refused,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// As this number.
    Written(u64),
    /// The spool is full, and the operator chose to drop.
    Dropped,
}

/// A segment that can be deleted once these entries have been carried on.
#[derive(Debug)]
pub(super) struct Retiring {
    pub(super) serial: u64,
    pub(super) open: Vec<RequestId>,
}

impl Writer {
    pub(super) fn open_entry(&mut self, frame: Frame, now: Instant) -> io::Result<()> {
        // Its record will be dropped too.
        if self.drops(&frame, Worth::Used) {
            return Ok(());
        }
        let (id, place) = (frame.id, self.write(frame, None, now)?);
        self.open.insert(id, place);
        Ok(())
    }

    /// Never fails silently: what is not written is counted, and said when its time has come. An entry whose record
    /// could not be written stays open, so that the next start records at least its estimate.
    pub(super) fn append(
        &mut self,
        frame: Frame,
        worth: Worth,
        now: Instant,
    ) -> (io::Result<Stored>, Option<Loss>) {
        let id = frame.id;
        if self.drops(&frame, worth) {
            let loss = self.losses.count("the spool is full", now);
            return (self.close(id, now).map(|()| Stored::Dropped), loss);
        }
        let number = self.next_number;
        match self.write(frame, Some(number), now) {
            Ok(_) => {
                self.next_number = number.saturating_add(1);
                self.open.remove(&id);
                (Ok(Stored::Written(number)), None)
            }
            Err(error) => {
                let loss = self.losses.count(error.to_string(), now);
                (Err(error), loss)
            }
        }
    }

    /// A dropped record must not come back as an interrupted one.
    pub(super) fn close(&mut self, id: RequestId, now: Instant) -> io::Result<()> {
        if self.open.remove(&id).is_none() {
            return Ok(());
        }
        self.write(Frame::new(FrameKind::Close, id, &[]), None, now)
            .map(drop)
    }

    fn write(&mut self, mut frame: Frame, number: Option<u64>, now: Instant) -> io::Result<Place> {
        if !frame.fits() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the record is too large",
            ));
        }
        let bytes = frame.seal(number.unwrap_or(0));
        let written = self.files.write(bytes, self.next_number, number);
        self.failed_at = written.is_err().then_some(now);
        written
    }

    fn drops(&self, frame: &Frame, worth: Worth) -> bool {
        (self.options.when_full == WhenSpoolFull::Drop || worth == Worth::Refused)
            && self.files.bytes().saturating_add(frame.len()) > self.options.max_bytes
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        let failing = self
            .failed_at
            .is_some_and(|at| now.duration_since(at) < AFTER_FAILURE);
        failing || self.files.bytes() >= self.options.max_bytes
    }

    pub(super) fn set_acked(&mut self, through: u64) -> io::Result<()> {
        self.acked.raise(through.min(self.next_number.saturating_sub(1)))
    }

    /// The oldest segment, when everything in it is acknowledged. The last one stays.
    pub(super) fn retiring(&self) -> Option<Retiring> {
        let oldest = self.files.oldest()?;
        if oldest.last_number > self.acked.number() {
            return None;
        }
        let lies_there = |(id, place): (&RequestId, &Place)| (place.serial == oldest.serial).then_some(*id);
        Some(Retiring {
            serial: oldest.serial,
            open: self.open.iter().filter_map(lies_there).collect(),
        })
    }

    /// Copies an open entry from a retiring segment to the last one, unless it was closed meanwhile.
    pub(super) fn carry(&mut self, id: RequestId, serial: u64) -> io::Result<()> {
        let Some(from) = self.open.get(&id).filter(|place| place.serial == serial) else {
            return Ok(());
        };
        let bytes = self.files.read(*from)?;
        let to = self.files.write(&bytes, self.next_number, None)?;
        self.open.insert(id, to);
        Ok(())
    }

    pub(super) fn retire(&mut self, serial: u64) -> io::Result<()> {
        self.files.delete(serial)
    }

    /// See [`Files::readable`].
    pub(super) fn readable(&self, serial: Option<u64>, next: u64) -> Option<(Segment, bool)> {
        self.files.readable(serial, next)
    }

    pub(super) fn first_waiting(&self) -> u64 {
        self.acked.number().saturating_add(1)
    }

    pub(super) fn last_number(&self) -> u64 {
        self.next_number.saturating_sub(1)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.files.sync()
    }

    pub(super) fn status(&self, now: Instant) -> SpoolStatus {
        SpoolStatus {
            records: self.next_number.saturating_sub(self.first_waiting()),
            bytes: self.files.bytes(),
            dropped: self.losses.total(),
            open: self.open.len() as u64,
            full: self.is_full(now),
        }
    }
}

impl SpoolOptions {
    /// Small enough that a spool near its bound still has segments to give back.
    pub(super) fn segment_bytes(&self) -> u64 {
        (self.max_bytes / 8).clamp(1, MAX_SEGMENT)
    }
}
