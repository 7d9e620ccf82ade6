//! The state behind the spool's lock: the last segment, which segments there are, which calls are open.
//!
//! Every write goes to a known place in the last segment. A write that fails leaves its length as it was, so the next
//! one overwrites what it left; nothing is ever read beyond that length.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use penstock_core::id::RequestId;
use tokio::time::Instant;

use super::acked::Acked;
use super::frame::{Frame, FrameKind};
use super::losses::{Loss, Losses};
use super::segment::{self, Segment};
use super::{SpoolOptions, SpoolStatus};
use crate::config::WhenSpoolFull;

/// After a write that failed, the spool counts as full for this long; then a call may try again.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
const MAX_SEGMENT: u64 = 8 << 20;

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) directory: PathBuf,
    pub(super) options: SpoolOptions,
    /// Oldest first; the last one is `file`.
    pub(super) segments: VecDeque<Segment>,
    pub(super) file: File,
    pub(super) open: HashMap<RequestId, Place>,
    pub(super) next_number: u64,
    pub(super) acked: Acked,
    pub(super) losses: Losses,
    pub(super) failed_at: Option<Instant>,
}

/// Where an open entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) serial: u64,
    pub(super) offset: u64,
    pub(super) length: usize,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Written,
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
        if self.drops(&frame) {
            return Ok(());
        }
        let (id, place) = (frame.id, self.write(frame, 0, now)?);
        self.open.insert(id, place);
        Ok(())
    }

    /// Never fails silently: what is not written is counted, and said when its time has come.
    pub(super) fn append(&mut self, frame: Frame, now: Instant) -> (io::Result<Stored>, Option<Loss>) {
        let id = frame.id;
        if self.drops(&frame) {
            let loss = self.losses.count("the spool is full", now);
            return (self.close(id, now).map(|()| Stored::Dropped), loss);
        }
        let number = self.next_number;
        match self.write(frame, number, now) {
            Ok(_) => {
                self.next_number = number.saturating_add(1);
                self.open.remove(&id);
                if let Some(last) = self.segments.back_mut() {
                    last.last_number = number;
                }
                (Ok(Stored::Written), None)
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
        self.write(Frame::new(FrameKind::Close, id, &[]), 0, now)
            .map(drop)
    }

    fn write(&mut self, mut frame: Frame, number: u64, now: Instant) -> io::Result<Place> {
        if !frame.fits() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the record is too large",
            ));
        }
        let bytes = frame.seal(number);
        let placed = place(
            &mut self.segments,
            &mut self.file,
            &self.directory,
            self.next_number,
            self.options.segment_bytes(),
            bytes,
        );
        self.failed_at = placed.is_err().then_some(now);
        placed
    }

    fn drops(&self, frame: &Frame) -> bool {
        self.options.when_full == WhenSpoolFull::Drop
            && self.bytes().saturating_add(frame.len()) > self.options.max_bytes
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        let failing = self
            .failed_at
            .is_some_and(|at| now.duration_since(at) < AFTER_FAILURE);
        failing || self.bytes() >= self.options.max_bytes
    }

    pub(super) fn set_acked(&mut self, through: u64) -> io::Result<()> {
        self.acked.raise(through.min(self.next_number.saturating_sub(1)))
    }

    /// The oldest segment, when everything in it is acknowledged. The last one stays.
    pub(super) fn retiring(&self) -> Option<Retiring> {
        let oldest = self.segments.front()?;
        if self.segments.len() < 2 || oldest.last_number > self.acked.number() {
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
        let mut bytes = vec![0; from.length];
        File::open(segment::path(&self.directory, serial))?.read_exact_at(&mut bytes, from.offset)?;
        let to = place(
            &mut self.segments,
            &mut self.file,
            &self.directory,
            self.next_number,
            self.options.segment_bytes(),
            &bytes,
        )?;
        self.open.insert(id, to);
        Ok(())
    }

    pub(super) fn retire(&mut self, serial: u64) -> io::Result<()> {
        if self
            .segments
            .front()
            .is_some_and(|oldest| oldest.serial == serial)
        {
            self.segments.pop_front();
        }
        fs::remove_file(segment::path(&self.directory, serial))
    }

    /// The segment to read from, when `serial` was the last one read and `next` is the number wanted; true: a later
    /// segment follows.
    pub(super) fn readable(&self, serial: Option<u64>, next: u64) -> Option<(Segment, bool)> {
        let known = serial.and_then(|serial| self.segments.iter().position(|s| s.serial >= serial));
        let at = match known {
            Some(at) => at,
            None => self.segments.iter().position(|s| s.last_number >= next)?,
        };
        let segment = self.segments.get(at)?;
        Some((*segment, at + 1 < self.segments.len()))
    }

    pub(super) fn first_waiting(&self) -> u64 {
        self.acked.number().saturating_add(1)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    pub(super) fn status(&self, now: Instant) -> SpoolStatus {
        SpoolStatus {
            records: self.next_number.saturating_sub(self.first_waiting()),
            bytes: self.bytes(),
            dropped: self.losses.total(),
            open: self.open.len() as u64,
            full: self.is_full(now),
        }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }
}

impl SpoolOptions {
    /// Small enough that a spool near its bound still has segments to give back.
    fn segment_bytes(&self) -> u64 {
        (self.max_bytes / 8).clamp(1, MAX_SEGMENT)
    }
}

/// Writes at the end of the last segment, or of a new one when that is large enough.
fn place(
    segments: &mut VecDeque<Segment>,
    file: &mut File,
    directory: &std::path::Path,
    next_number: u64,
    segment_bytes: u64,
    bytes: &[u8],
) -> io::Result<Place> {
    let last = segments.back().copied();
    let mut last = match last {
        Some(last) if last.length < segment_bytes => last,
        Some(_) | None => {
            let serial = last.map_or(1, |last| last.serial.saturating_add(1));
            let (created, new_file) = segment::create(directory, serial, next_number)?;
            *file = new_file;
            segments.push_back(created);
            created
        }
    };
    file.write_all_at(bytes, last.length)?;
    let placed = Place {
        serial: last.serial,
        offset: last.length,
        length: bytes.len(),
    };
    last.length = last.length.saturating_add(bytes.len() as u64);
    if let Some(back) = segments.back_mut() {
        *back = last;
    }
    Ok(placed)
}
