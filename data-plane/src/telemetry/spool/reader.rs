//! Reading records back, in order, for the uplink.
//!
//! The reader has its own view of the files and takes the lock only to learn how far a segment may be read. What it
//! returns is a run of consecutive numbers; where damage took some, the run ends before the gap.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::Bytes;
use penstock_proto::convert::usage_record_from_wire;
use penstock_proto::telemetry::v1::UsageRecord;
use prost::Message;

use super::frame::{self, FrameKind, MAX_FRAME, NoFrame};
use super::segment::{self, HEADER, Segment};

/// Read at once; at least one frame fits.
const CHUNK: u64 = 4 * MAX_FRAME as u64;
/// A batch stays well below what one message may carry.
const MAX_BATCH_BYTES: usize = 1 << 20;

/// Where a reader stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// The number wanted next.
    next: u64,
    serial: Option<u64>,
    offset: u64,
}

/// Records with consecutive numbers, as they were encoded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch {
    pub(crate) first_number: u64,
    pub(crate) records: Vec<Bytes>,
}

impl Cursor {
    /// Before the record with this number.
    pub(crate) fn at(next: u64) -> Self {
        Self {
            next,
            serial: None,
            offset: HEADER,
        }
    }
}

impl Batch {
    pub(crate) fn last_number(&self) -> u64 {
        self.first_number
            .saturating_add(self.records.len() as u64)
            .saturating_sub(1)
    }

    /// The records with their numbers. One that cannot be read is left out with a line in the log.
    pub(crate) fn decoded(self) -> impl Iterator<Item = (u64, penstock_core::usage::UsageRecord)> {
        let numbered = (self.first_number..).zip(self.records);
        numbered.filter_map(|(number, bytes)| match decode(bytes) {
            Ok(record) => Some((number, record)),
            Err(error) => {
                tracing::error!(number, %error, "a record in the usage spool cannot be read here");
                None
            }
        })
    }
}

fn decode(bytes: Bytes) -> Result<penstock_core::usage::UsageRecord, Box<dyn std::error::Error>> {
    Ok(usage_record_from_wire(UsageRecord::decode(bytes)?)?)
}

/// What one look at a segment gave.
struct Gathered {
    batch: Option<Batch>,
    bytes: usize,
    /// The batch cannot grow, or there is a gap.
    complete: bool,
}

/// `readable(last serial, wanted number)`: the segment to look into, and whether a later one follows.
pub(super) fn read(
    directory: &Path,
    cursor: &mut Cursor,
    most: usize,
    readable: impl Fn(Option<u64>, u64) -> Option<(Segment, bool)>,
) -> io::Result<Option<Batch>> {
    let mut gathered = Gathered {
        batch: None,
        bytes: 0,
        complete: false,
    };
    while !gathered.complete {
        let Some((segment, more)) = readable(cursor.serial, cursor.next) else {
            break;
        };
        if cursor.serial != Some(segment.serial) {
            cursor.serial = Some(segment.serial);
            cursor.offset = HEADER;
        }
        let left = segment.length.saturating_sub(cursor.offset);
        if left > 0 {
            let chunk = chunk(directory, segment.serial, cursor.offset, left.min(CHUNK))?;
            let (read, end) = gathered.take(&Bytes::from(chunk), cursor, most);
            // A chunk holds at least one frame, unless its first one is damaged.
            let stuck = read == 0 && end.is_some();
            cursor.offset = match stuck {
                true => skip_rest(&segment),
                false => cursor.offset.saturating_add(read as u64),
            };
        } else if more {
            cursor.serial = Some(segment.serial.saturating_add(1));
            cursor.offset = HEADER;
        } else {
            break;
        }
    }
    Ok(gathered.batch)
}

fn chunk(directory: &Path, serial: u64, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    File::open(segment::path(directory, serial))?.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn skip_rest(segment: &Segment) -> u64 {
    tracing::error!(
        serial = segment.serial,
        "a segment of the usage spool was damaged after it was written; its rest is lost"
    );
    segment.length
}

impl Gathered {
    /// Takes frames from a chunk; says how many bytes are done with, and why it stopped before the chunk's end.
    fn take(&mut self, chunk: &Bytes, cursor: &mut Cursor, most: usize) -> (usize, Option<NoFrame>) {
        let mut done = 0;
        while done < chunk.len() {
            let frame = match frame::read(chunk.get(done..).unwrap_or_default()) {
                Ok(frame) => frame,
                Err(end) => return (done, Some(end)),
            };
            if frame.kind == FrameKind::Record && frame.number >= cursor.next {
                if !self.takes(frame.number, chunk.slice_ref(frame.content), most) {
                    self.complete = true;
                    return (done, None);
                }
                cursor.next = frame.number.saturating_add(1);
            }
            done += frame.length;
        }
        (done, None)
    }

    /// False: the record belongs to the next batch.
    fn takes(&mut self, number: u64, record: Bytes, most: usize) -> bool {
        if let Some(batch) = &self.batch {
            let gap = batch.last_number().saturating_add(1) != number;
            if gap || batch.records.len() >= most || self.bytes >= MAX_BATCH_BYTES {
                return false;
            }
        }
        self.bytes += record.len();
        let batch = self.batch.get_or_insert_with(|| Batch {
            first_number: number,
            records: Vec::new(),
        });
        batch.records.push(record);
        true
    }
}
